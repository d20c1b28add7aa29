"""Check a whole dataset: its files are whole, its pairs belong together, and its splits share nothing."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from data_tools.decisions.as_made import read_as_made
from data_tools.layouts.read import Layout, LayoutError, Pair, read_dataset
from data_tools.manifest.file import MANIFEST_NAME, Manifest, ManifestError, read_manifest
from data_tools.manifest.folder import REVIEW_CACHE, REVIEW_FOLDER, SHEET_NAME
from data_tools.manifest.pictures import Picture
from data_tools.verify.fingerprints import near_pairs
from data_tools.verify.pair_checks import Checked, Finding, check_pair
from data_tools.verify.sequences import check_sequences
from rainopt.io import READABLE_SUFFIXES
from rainopt.parallel.processes import DIED, run_in_processes

Task = tuple[Pair, Picture | None, Path | None]


@dataclass(frozen=True)
class Verification:
    """What a dataset holds and what is wrong with it.

    Attributes
    ----------
    message
        What was recognised.
    pairs, scenes
        How many there are.
    splits
        Number of pairs a split; None for those in none.
    sizes
        Number of pairs a size (rows, columns).
    findings
        What is wrong; empty when all is well.
    notes
        What is worth knowing and no fault, such as files that an interrupted run left without record.
    unpaired
        How many of the pairs are rainy images without truth.
    """

    message: str
    pairs: int
    scenes: int
    splits: dict[str | None, int]
    sizes: dict[tuple[int, int], int]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    unpaired: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "message": self.message,
            "ok": self.ok,
            "pairs": self.pairs,
            "scenes": self.scenes,
            "splits": {split or "none": count for split, count in self.splits.items()},
            "sizes": {f"{rows}x{columns}": count for (rows, columns), count in self.sizes.items()},
            "findings": [vars(finding) for finding in self.findings],
            "notes": list(self.notes),
        }


def verify(
    root: str | os.PathLike[str] | Layout,
    layout: str | None = None,
    *,
    processes: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Check every pair of a dataset, and the splits against each other.

    Found are: missing partners and files, corrupt files, different sizes, wrong range, rainy and clean exchanged,
    misaligned pairs (phase correlation), equal and nearly equal scenes in different splits (perceptual hash); with
    a manifest also changed files (checksums) and rendered rain that does not repeat its truth; of scenes without clean
    picture, frames that do not belong together.

    Parameters
    ----------
    root
        The dataset's folder, its manifest or a list of pairs; or what was read of one that has no manifest.
    layout
        A name in `data_tools.layouts.read.LAYOUTS`; None to recognise it.
    processes
        Worker processes.
    progress
        Called with the number of pairs done and of all.

    Raises
    ------
    LayoutError, ManifestError
        If no dataset is recognised, or its manifest cannot be read.
    """
    manifest = None if isinstance(root, Layout) else _manifest(root)
    if manifest is not None and layout in (None, "manifest") and not len(manifest):
        return Verification("manifest: no pair", 0, 0, {}, {}, (), _notes(manifest))
    dataset = root if isinstance(root, Layout) else _read(root, layout)
    if dataset.name != "manifest":
        manifest = None
    elif manifest is not None:
        # Lines that were left out take nothing away; the next run mends the manifest.
        dataset = replace(dataset, problems=tuple(p for p in dataset.problems if p not in manifest.faults))
    named = {picture.name: picture for picture in manifest.pictures()} if manifest is not None else {}
    folder = manifest.folder if manifest is not None else None
    findings = [Finding("missing", dataset.name, problem) for problem in dataset.problems]
    if dataset.name == "unpaired" and layout is None and not isinstance(root, Layout):
        findings.append(
            Finding(
                "no pairs",
                str(root),
                "nothing tells rainy images from clean ones here, so this is no dataset of pairs; name its layout, the "
                "layout 'unpaired' if all are rainy, or the folders of the rainy and of the clean images",
            )
        )

    tasks: list[Task] = [(pair, named.get(pair.name), folder) for pair in dataset]
    checked: list[Checked] = []
    for done, (task, result) in enumerate(_run(tasks, processes), 1):
        if result is None:
            findings.append(Finding("unchecked", task[0].name, DIED))
        else:
            checked.append(result)
        if progress:
            progress(done, len(tasks))
    # Workers finish in any order; a report does not depend on it.
    order = {pair.name: k for k, pair in enumerate(dataset)}
    checked.sort(key=lambda one: order[one.pair.name])
    findings += [finding for one in checked for finding in one.findings]
    findings += check_sequences(checked, named)
    findings += _shared_between_splits(checked)
    return Verification(
        message=dataset.message,
        pairs=len(dataset),
        scenes=len({pair.scene for pair in dataset}),
        splits=dict(Counter(pair.split for pair in dataset)),
        sizes=dict(Counter(one.size for one in checked if one.size).most_common()),
        findings=tuple(findings),
        notes=(*dataset.notes, *(_notes(manifest) if manifest is not None else ())),
        unpaired=sum(pair.clean is None for pair in dataset),
    )


def _run(tasks: list[Task], processes: int) -> Iterable[tuple[Any, Checked | None]]:
    if processes <= 1 or len(tasks) < 2:
        return ((task, check_pair(*task)) for task in tasks)
    return run_in_processes(check_pair, tasks, min(processes, len(tasks)))


def _manifest(root: str | os.PathLike[str]) -> Manifest | None:
    path = Path(root)
    file = path / MANIFEST_NAME if path.is_dir() else path
    return read_manifest(file, repair=True) if file.name.endswith(".jsonl") and file.is_file() else None


def _read(root: str | os.PathLike[str], layout: str | None) -> Layout:
    try:
        return read_dataset(root, layout)
    except LayoutError:
        raise
    except ManifestError as error:
        raise LayoutError(str(error)) from error


def _notes(manifest: Manifest) -> tuple[str, ...]:
    notes = [f"{fault}; what is left out is mended by the next run that fills the dataset" for fault in manifest.faults]
    left_out = read_as_made(manifest.folder).values()
    known = {os.path.normpath(manifest.folder / path) for record in (*manifest, *left_out) for path in record.paths}
    known.add(os.path.normpath(manifest.folder / SHEET_NAME))
    orphans = [
        file
        for file in sorted(manifest.folder.rglob("*"))
        if file.suffix.lower() in READABLE_SUFFIXES
        and file.relative_to(manifest.folder).parts[0] not in (REVIEW_FOLDER, REVIEW_CACHE)
        and not file.name.startswith(".")
        and os.path.normpath(file) not in known
    ]
    if orphans:
        notes.append(
            f"{len(orphans)} images have no record, such as '{orphans[0]}'; an interrupted run leaves some, and the "
            "next one takes them up"
        )
    return tuple(notes)


def _shared_between_splits(checked: list[Checked]) -> list[Finding]:
    """Find scenes that are in several splits, by name or looks: training on them would be training on the test."""
    scenes: dict[tuple[str, str], Checked] = {}
    splits: dict[str, list[str]] = defaultdict(list)
    findings = []
    for one in checked:
        scene, split = one.pair.scene, one.pair.split
        if split is None:
            continue
        if split not in splits[scene]:
            splits[scene].append(split)
            if len(splits[scene]) > 1:
                message = f"scene '{scene}' is in '{split}' and in '{splits[scene][0]}'"
                findings.append(Finding("duplicate", one.pair.name, message))
        if one.fingerprint is not None:
            scenes.setdefault((split, scene), one)
    fingerprints = ((key, one.fingerprint or 0) for key, one in scenes.items())
    for other, key, bits in near_pairs(fingerprints):
        if other[0] != key[0] and other[1] != key[1]:
            how = "looks the same as" if bits == 0 else f"looks almost the same ({bits} of 64 bits) as"
            message = f"'{key[1]}' of '{key[0]}' {how} '{other[1]}' of '{other[0]}'"
            findings.append(Finding("duplicate", scenes[key].pair.name, message))
    return findings
