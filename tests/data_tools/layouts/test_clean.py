"""Which folders cannot be folders of clean photographs."""

import re

import pytest

from data_tools.layouts.clean import why_not_clean
from data_tools.manifest.file import write_manifest
from data_tools.manifest.record import PairRecord
from tests.support.datasets import noise, put
from tests.support.pairs import rain100


@pytest.fixture
def dataset(tmp_path):
    """A dataset with masks and a contact sheet, beside photographs."""
    for name in (
        "set/rainy/a/1.png",
        "set/clean/a/1.png",
        "set/valid/a/1.png",
        "set/contact_sheet.png",
        "photos/1.png",
    ):
        put(tmp_path / f"{name}.png", noise(0))
    record = PairRecord(id="1", rainy="rainy/a/1.png", clean="clean/a/1.png", valid="valid/a/1.png")
    write_manifest(tmp_path / "set", [record])
    return tmp_path / "set"


def test_a_dataset_is_refused_by_name_and_its_clean_side_is_not(dataset):
    assert why_not_clean(dataset) == (
        f"'{dataset}' is a dataset, whose pictures are not all clean; name its clean ones: '{dataset}/clean/a'"
    )
    for part in ("rainy", "valid/a"):
        assert re.match(f"'{dataset}/{part}' is a part of the dataset '{dataset}', ", why_not_clean(dataset / part))
    for folder in (dataset / "clean", dataset / "clean" / "a", dataset.parent / "photos", dataset.parent):
        assert why_not_clean(folder) is None


def test_public_datasets_are_refused_too(tmp_path):
    rain100(tmp_path / "Rain100L")
    assert "is a dataset of pairs (" in why_not_clean(tmp_path / "Rain100L")
    assert why_not_clean(tmp_path / "Rain100L" / "norain") is None
