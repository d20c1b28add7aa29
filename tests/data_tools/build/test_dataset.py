"""What is in a dataset that was built of rain videos."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from data_tools.build.plan import NOTES
from data_tools.manifest.file import read_manifest
from data_tools.manifest.paths import checksum
from data_tools.verify.dataset import verify
from rainopt.io import read_image
from rainopt.io.video.read import read_frames
from tests.support.clips import save, view
from tests.support.datasets import clip, files

H, W = 96, 128


@pytest.fixture(scope="module")
def manifest(top):
    return read_manifest(top / "whole")


def verified(folder, pairs):
    report = verify(folder)
    assert (report.findings, report.pairs, report.notes) == ((), pairs, ())


def test_a_dataset_is_built_that_verify_accepts_and_holds_no_other_files(top, manifest):
    assert {record.id.partition("/")[0].rpartition("-")[0] for record in manifest} == {"Ä [x] ☂", "b", "c"}
    verified(top / "whole", 8)
    named = {path for record in manifest for path in record.checksums}
    found = {name for name in files(top / "whole") if not name.startswith(f"{NOTES}/")}
    assert found == named | {"manifest.jsonl", "contact_sheet.png"}


def test_records_say_where_pairs_are_from(manifest):
    assert [record.id for record in manifest] == sorted(record.id for record in manifest)
    for record in manifest:
        name, _, stem = record.id.partition("/")
        start, number = map(int, stem.split("_"))
        assert record.extra["frame"] == number
        assert 0 <= number - start < record.extra["background_frames"] <= 22
        assert record.scene == f"{name}/000"
        assert record.licence == "CC0-1.0"
        assert record.split == "train"
        assert record.source in ("Ä [x] ☂.mp4", "b.mkv", "c")
        assert abs(record.angle) < 30
        assert record.clean == f"clean/{name}/{start:06}.png"
        assert (record.rainy, record.extra["valid"]) == (f"rainy/{record.id}.png", f"valid/{record.id}.png")
        assert record.extra["expected_psnr"] > 40
        assert record.extra["stabilised"] is False
        assert 0 < record.extra["rain_share"] < 0.5
        assert 0 < record.extra["percentile"] < 60
        assert record.checksums == {
            path: checksum(manifest.path(path)) for path in (record.rainy, record.clean, record.extra["valid"])
        }
    settings = manifest.header.extra["build"]
    assert (settings["every"], settings["pairs"], settings["crop"]) == (0.8, 2, None)
    assert manifest.header.licence == "CC0-1.0"


def test_rainy_pictures_are_frames_and_clean_ones_are_close_to_the_truth(top, manifest):
    sources = {"Ä [x] ☂.mp4": "astronaut", "sub dir/b.mkv": "coffee", "c": "chelsea"}
    for source, place in sources.items():
        frames = read_frames(top / "videos" / source)
        for record in (one for one in manifest if one.source == Path(source).name):
            rainy, clean = (read_image(manifest.path(path)) for path in (record.rainy, record.clean))
            np.testing.assert_array_equal(rainy, frames[record.extra["frame"]])
            # Luma, which the videos keep better than colour.
            error, rain = (
                (image - view(place, (H, W)).astype(float)) @ (0.299, 0.587, 0.114) for image in (clean, rainy)
            )
            assert -10 * np.log10(np.square(error / 255).mean()) > 40
            assert np.square(rain).mean() > 10 * np.square(error).mean()


def test_valid_masks_are_white_where_rain_is_all_that_differs(manifest):
    for record in manifest:
        valid = read_image(manifest.path(record.extra["valid"]))
        assert (valid.dtype, valid.shape) == (np.uint8, (H, W))
        assert set(np.unique(valid)) <= {0, 255}
        assert np.mean(valid == 255) == pytest.approx(record.extra["valid_share"], abs=1e-5)
        assert record.extra["valid_share"] > 0.9


def test_things_that_move_are_not_valid(here, built):
    frames = [frame.copy() for frame in clip("coffee", 21)]
    for k, frame in enumerate(frames):
        frame[26:46, 5 * k : 5 * k + 16] = 10
    save(Path("v.mkv"), frames)
    built("v.mkv", "-o", "out", "-n", "3")
    pairs = read_manifest("out")
    assert len(pairs) == 3
    for record in pairs:
        valid = read_image(pairs.path(record.extra["valid"]))
        k = record.extra["frame"]
        bright = view("coffee", (H, W))[26:46, 5 * k : 5 * k + 16].mean(axis=-1) > 60
        assert bright.any()
        assert not valid[26:46, 5 * k : 5 * k + 16][bright].any()
        assert (valid[54:] == 255).mean() > 0.9
    verified("out", 3)


def test_crops_lie_apart_and_belong_to_their_frames(here, built):
    save(Path("v.mkv"), clip("coffee", 21))
    built("v.mkv", "-o", "out", "-n", "2", "--crop", "40", "--crops", "3", "--no-stabilise")
    pairs = read_manifest("out")
    verified("out", 2 * 3)
    frames = read_frames("v.mkv")
    corners = set()
    for record in pairs:
        _, number, top, left = map(int, record.id.partition("/")[2].split("_"))
        corners.add((top, left))
        rainy, clean, valid = (
            read_image(pairs.path(path)) for path in (record.rainy, record.clean, record.extra["valid"])
        )
        assert clean.shape == (40, 40, 3)
        assert valid.shape == (40, 40)
        part = np.s_[top : top + 40, left : left + 40]
        np.testing.assert_array_equal(rainy, frames[number][part])
        assert np.abs(clean.astype(int) - view("coffee", (H, W))[part]).mean() < 5
    assert len(corners) == 3
    assert all(max(abs(a[0] - b[0]), abs(a[1] - b[1])) >= 40 for a, b in itertools.combinations(corners, 2))


def test_json_is_one_object_a_line(here, built):
    save(Path("v.mkv"), clip("coffee", 22))
    Path("zero.mp4").touch()
    out, err = built("v.mkv", "zero.mp4", "-o", "out", "--every", "0.8", "-n", "2", "--json", status=1)
    lines = {line["video"]: line for line in map(json.loads, out.splitlines())}
    assert set(lines) == {"v.mkv", "zero.mp4"}
    good, bad = lines["v.mkv"], lines["zero.mp4"]
    assert (good["frames"], good["scenes"], good["windows"], good["accepted"], good["pairs"]) == (22, 1, 2, 1, 2)
    assert good["expected_psnr"] > 40
    assert list(good["rejected"]) == ["20"]
    assert "zero.mp4" in bad["error"]
    assert bad["error"] in err
