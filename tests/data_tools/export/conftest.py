"""A small dataset of ours that is exported, and ways to change it."""

import pytest

from data_tools.export.dataset import export_dataset
from data_tools.export.settings import ExportSettings
from data_tools.manifest.file import ManifestHeader, PairRecord, read_manifest, write_manifest
from data_tools.manifest.paths import checksum
from tests.support.datasets import noise, put


@pytest.fixture
def dataset(tmp_path):
    """A dataset of ours: 20 training pairs of two scenes with masks and valid pixels, 3 of val without."""
    folder, records = tmp_path / "data", []
    for k in range(23):
        split = "train" if k < 20 else "val"
        kinds = ("rainy", "clean", "mask", "valid") if k < 20 else ("rainy", "clean")
        paths = {kind: f"{split}/{kind}/{k:03}.png" for kind in kinds}
        sums = {path: checksum(put(folder / path, noise([k, n]))) for n, path in enumerate(paths.values())}
        records.append(
            PairRecord(
                id=f"{split}/{k:03}",
                **paths,
                scene=f"s{k % 2}",
                split=split,
                source="a film",
                licence="CC0" if k else "",
                angle=k - 5.0,
                checksums=sums,
            )
        )
    write_manifest(folder, records, ManifestHeader(licence="CC-BY"))
    return folder


@pytest.fixture
def edit(dataset):
    """Change fields of one of its records."""

    def change(number, **values):
        manifest = read_manifest(dataset)
        records = [record.model_dump() for record in manifest]
        records[number] |= values
        write_manifest(dataset, map(PairRecord.parse, records), manifest.header)

    return change


@pytest.fixture(scope="session")
def export():
    """Export a dataset; what is not named is as `ExportSettings` has it."""

    def run(root, folder, to="webdataset", progress=None, **settings):
        return export_dataset(root, folder, ExportSettings(to, **settings), progress)

    return run
