"""Pairs that are not whole are named and left out, and the rest is exported."""

import pytest

from data_tools.export.settings import ExportError
from data_tools.layouts.read import read_dataset
from data_tools.manifest.file import read_manifest
from tests.support.datasets import noise, put
from tests.support.exports import SMALL, members

BOTH = pytest.mark.parametrize("to", ["webdataset", "spa"])


@BOTH
def test_what_is_missing_is_named_and_the_rest_is_done(dataset, export, edit, tmp_path, to):
    for path in ("train/rainy/001.png", "train/clean/002.png", "train/mask/003.png", "train/valid/004.png"):
        (dataset / path).unlink()
    edit(5, valid="../data/train/valid/005.png")
    edit(6, valid=7)
    done = export(dataset, tmp_path / "out", to)
    assert done.pairs == 17
    said = "\n".join(done.failures)
    for number, what in enumerate(("rainy", "clean", "mask", "valid"), 1):
        assert f"'train/{what}/{number:03}.png' is missing" in said
        assert f"'train/{number:03}'" in said
    assert "'train/005': `valid`: " in said
    assert "'train/006': `valid`: " in said
    assert len(done.failures) == 6


@BOTH
def test_what_is_spoilt_is_left_out(dataset, export, edit, tmp_path, to):
    put(dataset / "train/rainy/001.png", noise(99))
    put(dataset / "train/valid/002.png", noise(99))
    edit(3, checksums={})
    (dataset / "train/mask/003.png").write_bytes(b"no picture")
    edit(4, checksums={})
    put(dataset / "train/clean/004.png", noise(99, (8, 6)))
    said = ["is not the file that was recorded"] * 2 + ["is not a PNG", "has 8 x 6 pixels, and the rainy image 6 x 8"]
    out = tmp_path / "out"
    done = export(dataset, out, to, shard_bytes=SMALL)
    assert done.pairs == 19
    for number, message in enumerate(said, 1):
        (failure,) = (failure for failure in done.failures if f"'train/{number:03}'" in failure)
        assert message in failure
    if to == "spa":
        names = {pair.rainy.stem for pair in read_dataset(out)}
    else:
        names = {name.partition(".")[0] for _, name in members(out)}
    assert names.isdisjoint(f"train__00{k}" for k in range(1, 5))
    assert len(names) == 19
    # The same is said again by a run that finds the rest there.
    again = export(dataset, out, to, shard_bytes=SMALL)
    assert (again.pairs, sorted(again.failures)) == (19, sorted(done.failures))
    assert again.kept == (len(again.files) if to == "webdataset" else 0)


@BOTH
def test_a_pair_that_was_mended_is_taken_up(dataset, export, tmp_path, to):
    good = (dataset / "val/rainy/020.png").read_bytes()
    for record in read_manifest(dataset).records[20:]:
        put(dataset / record.rainy, noise(99))
    done = export(dataset, tmp_path / "out", to)
    assert (done.pairs, len(done.files), len(done.failures)) == (20, 1, 3)
    assert not list((tmp_path / "out").glob("*/val-*.tar"))
    # A file of another size is another plan.
    (dataset / "val/rainy/020.png").write_bytes(good)
    done = export(dataset, tmp_path / "out", to, overwrite=True)
    assert (done.pairs, len(done.files), len(done.failures)) == (21, 2, 2)


def test_a_torn_manifest_is_not_whole(dataset, export, tmp_path):
    manifest = dataset / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-25])
    done = export(dataset, tmp_path / "out")
    assert done.pairs == 22
    assert "line 24 is torn" in done.failures[0]


def test_unpaired_images_are_named_as_left_out(dataset, export, edit, tmp_path):
    edit(0, clean=None, checksums={})
    done = export(dataset, tmp_path / "out")
    assert (done.pairs, done.failures) == (22, ())
    assert done.notes == ("left out: 1 rainy image without a clean one: 'train/000'",)
    for k in range(30):
        put(tmp_path / "alone" / f"{k}.png", noise(k))
    with pytest.raises(ExportError, match="holds no pair to export"):
        export(tmp_path / "alone", tmp_path / "none")
    assert not (tmp_path / "none").exists()
