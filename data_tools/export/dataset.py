"""Hand a dataset on in the form that a training program reads: WebDataset's shards, or SPA-Data's lists."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from data_tools.export.folder import INDEX_NAME, close_folder, exporting, open_folder, plan_digest
from data_tools.export.samples import Sample, collect
from data_tools.export.settings import ExportError, ExportSettings
from data_tools.export.shards import describe_shards, plan_shards, write_shard
from data_tools.export.spa import FOLDERS, Listed, place_pair, plan_lists, write_lists
from data_tools.layouts.files import counted
from data_tools.layouts.read import Layout, read_dataset
from data_tools.manifest.file import read_manifest


@dataclass(frozen=True)
class Exported:
    """What an export holds now.

    Attributes
    ----------
    pairs : int
        Pairs in it.
    files : tuple of str
        Shards or lists, as paths in its folder.
    kept : int
        Shards among them that an earlier run had written.
    failures : tuple of str
        What should have been in it and is not: a sentence each.
    notes : tuple of str
        What was left aside on purpose.
    """

    pairs: int
    files: tuple[str, ...]
    kept: int
    failures: tuple[str, ...]
    notes: tuple[str, ...]


def export_dataset(
    root: str | os.PathLike[str] | Layout,
    folder: str | os.PathLike[str],
    settings: ExportSettings,
    progress: Callable[[int, int], None] | None = None,
) -> Exported:
    """Write the pairs of a dataset in another form; images keep their bytes.

    "webdataset": tar files `SPLIT/SPLIT-000000.tar` ("all" where there is no split), members `KEY.rainy.png`,
    `KEY.clean.png`, where the manifest has them `KEY.mask.png` and `KEY.valid.png`, and `KEY.json` with id, scene,
    split, angle, licence, source, height and width of the upright picture. The same dataset gives the same bytes.

    "spa": `real_world.txt` (train, and what has no split), `real_test_1000.txt` (test), `real_val.txt`, and beside
    each a folder with rain, gt, mask and valid.

    `index.json` says what is there, and is written last. A run that was stopped goes on where it was.

    Parameters
    ----------
    root
        The dataset: a folder, a manifest or a list of pairs; or what was read of one already.
    folder
        Where the export goes: a new or empty folder, or that of the same export. It must not lie in the dataset.
    settings
        What is exported, and how.
    progress
        Called with the number of pairs done and of all.

    Raises
    ------
    ExportError
        If there is no pair, or `folder` holds something else; nothing is changed then.
    ClaimedError
        If another run writes into the folder; nothing is changed then.
    LayoutError, ManifestError
        If no dataset is recognised, or its manifest cannot be read.
    WriteError
        If a file cannot be written, as on a full disk; what was finished stays, and the same call goes on.
    """
    folder, split = Path(folder), settings.split
    dataset = root if isinstance(root, Layout) else read_dataset(root, settings.layout)
    _check_apart(dataset, folder)
    manifest = None
    if dataset.name == "manifest":
        manifest = read_manifest(dataset.root if isinstance(root, Layout) else root, repair=True)
    found = collect(dataset, manifest, split)
    if not found.samples:
        there = ", ".join(sorted({f"'{pair.split}'" for pair in dataset if pair.clean is not None and pair.split}))
        hint = f" in split '{split}'; its splits are: {there or 'none'}" if split is not None else ""
        first = "".join(f"; {failure}" for failure in found.failures[:3])
        named = dataset.root if isinstance(root, Layout) else root
        alone = sum(pair.clean is None for pair in dataset)
        images = counted(alone, "rainy image")
        lone = f"; its {images} without a clean one can be trained on where they lie" if alone else ""
        raise ExportError(f"'{named}' holds no pair to export{hint}{first}{lone}")

    count = _Count(len(found.samples), progress)
    run = _export_shards if settings.to == "webdataset" else _export_spa
    with exporting(folder):
        done = run(found.samples, folder, settings, count)
    notes = list(found.notes)
    loose = sum(sample.split is None for sample in found.samples)
    if settings.to == "spa" and loose:
        notes.append(f"pairs of no split are listed as training pairs: {loose}")
    return Exported(done.pairs, done.files, done.kept, (*found.failures, *done.failures), tuple(notes))


class _Count:
    """Samples done so far, told to whoever asked."""

    def __init__(self, total: int, progress: Callable[[int, int], None] | None) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def __call__(self, more: int) -> None:
        self._done += more
        if self._progress:
            self._progress(self._done, self._total)


def _export_shards(samples: list[Sample], folder: Path, settings: ExportSettings, count: _Count) -> Exported:
    shards = plan_shards(samples, settings.shard_bytes, settings.shuffle)
    files = [*(shard.path for shard in shards), INDEX_NAME]
    open_folder(folder, plan_digest(samples, settings.recorded()), files, settings.overwrite)
    written = [(shard, write_shard(shard, folder, count)) for shard in shards]
    close_folder(folder, describe_shards(written))
    return Exported(
        pairs=sum(done.samples for _, done in written),
        files=tuple(shard.path for shard, done in written if done.samples),
        kept=sum(done.kept for _, done in written if done.samples),
        failures=tuple(failure for _, done in written for failure in done.failures),
        notes=(),
    )


def _export_spa(samples: list[Sample], folder: Path, settings: ExportSettings, count: _Count) -> Exported:
    pairs = plan_lists(samples)
    lists = dict.fromkeys(f"{pair.part}.txt" for pair in pairs)
    files = [*dict.fromkeys(path for pair in pairs for path in pair.paths.values()), *lists, INDEX_NAME]
    open_folder(folder, plan_digest(samples, settings.recorded()), files, settings.overwrite)
    whole: list[Listed] = []
    failures = []
    for pair in pairs:
        failure = place_pair(pair, folder)
        if failure is None:
            whole.append(pair)
        else:
            failures.append(failure)
        count(1)
    index = write_lists(whole, folder)
    close_folder(folder, index | {"folders": FOLDERS})
    return Exported(len(whole), tuple(one["path"] for one in index["lists"]), 0, tuple(failures), ())


def _check_apart(dataset: Layout, folder: Path) -> None:
    for place in dataset.folders:
        inner, outer = os.path.realpath(folder), os.path.realpath(place)
        if os.path.join(inner, "").startswith(os.path.join(outer, "")):
            raise ExportError(
                f"'{folder}' lies in the dataset '{place}', which it would change; name a folder outside it"
            )
