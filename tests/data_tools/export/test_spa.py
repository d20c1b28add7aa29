"""Exports as SPA-Data is laid out, read back as its authors' program reads it and by our own reader."""

import errno
import json
import os
from pathlib import Path

import pytest

from data_tools.layouts.read import read_dataset
from data_tools.manifest.file import read_manifest
from tests.support.datasets import noise, put
from tests.support.exports import temporaries


def test_spa_is_read_back_with_the_same_pairs(dataset, export, edit, tmp_path):
    edit(4, split="test")
    edit(5, split=None)
    out = tmp_path / "out"
    done = export(dataset, out, "spa")
    assert (done.pairs, done.failures) == (23, ())
    assert done.files == ("real_world.txt", "real_test_1000.txt", "real_val.txt")
    assert done.notes == ("pairs of no split are listed as training pairs: 1",)
    back = read_dataset(out)
    assert (back.name, back.problems) == ("spa", ())
    assert {(p.rainy.read_bytes(), p.clean.read_bytes(), p.split) for p in back} == {
        (p.rainy.read_bytes(), p.clean.read_bytes(), p.split or "train") for p in read_dataset(dataset)
    }
    for record in read_manifest(dataset).records[:3]:
        name = record.id.replace("/", "__") + ".png"
        for kind, path in (("rain", record.rainy), ("gt", record.clean), ("mask", record.mask)):
            assert (out / "real_world" / kind / name).read_bytes() == (dataset / path).read_bytes()
        assert os.path.samefile(out / "real_world" / "valid" / name, dataset / record.extra["valid"])
    index = json.loads((out / "index.json").read_text())
    assert index["lists"][0] == {"path": "real_world.txt", "samples": 19, "mask": 19, "valid": 19}


def test_lists_are_as_the_authors_program_splits_them(dataset, export, tmp_path):
    export(dataset, tmp_path / "out", "spa")
    root = str(tmp_path / "out")
    with open(f"{root}/real_world.txt", encoding="ascii") as file:
        lines = file.readlines()
    assert len(lines) == 20
    for line in lines:
        rainy, clean = line.split(" ")[0], line.split(" ")[1][:-1]
        assert Path(root + rainy).is_file()
        assert Path(root + clean).is_file()


def test_rainy_versions_share_their_clean_image(export, tmp_path):
    for k in range(1, 4):
        put(tmp_path / "data" / "ground_truth" / f"{k}.png", noise(k))
        for version in (1, 2):
            put(tmp_path / "data" / "rainy_image" / f"{k}_{version}.png", noise(10 * k + version))
    export(tmp_path / "data", tmp_path / "out", "spa")
    back = read_dataset(tmp_path / "out")
    assert (len(back), len({pair.scene for pair in back})) == (6, 3)
    assert export(tmp_path / "out", tmp_path / "again", "spa").pairs == 6
    assert len(list((tmp_path / "again" / "real_world" / "gt").iterdir())) == 3


@pytest.mark.parametrize("reason", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_files_are_copied_where_links_are_not_possible(dataset, export, tmp_path, monkeypatch, reason):
    def refuse(source, place):
        raise OSError(reason, "no link")

    monkeypatch.setattr(os, "link", refuse)
    export(dataset, tmp_path / "out", "spa", split="val")
    copy = tmp_path / "out" / "real_val" / "rain" / "val__020.png"
    assert copy.read_bytes() == (dataset / "val/rainy/020.png").read_bytes()
    assert not os.path.samefile(copy, dataset / "val/rainy/020.png")
    assert not temporaries(tmp_path / "out")


def test_links_of_the_dataset_are_followed(export, tmp_path):
    real = put(tmp_path / "store" / "1.png", noise(1))
    for kind in ("rainy", "clean"):
        (tmp_path / "data" / kind).mkdir(parents=True)
        (tmp_path / "data" / kind / "1.png").symlink_to(real)
    export(tmp_path / "data", tmp_path / "out", "spa")
    places = list((tmp_path / "out").rglob("*.png"))
    assert len(places) == 2
    assert not any(place.is_symlink() for place in places)
