"""All figures of quality in one result: from sample photographs, and from a folder."""

import json

import numpy as np
import pytest

from benchmarks import quality, sample_data
from benchmarks.quality import PARTS, Work, without_each
from benchmarks.sample_data import still_clip, write_sample_data
from rainopt import read_image
from tests.support.processes import call


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample_data, "PHOTOGRAPHS", ("camera", "chelsea"))
        patch.setattr(sample_data, "PRESETS", ("heavy",))
        patch.setattr(sample_data, "middle", lambda image: np.ascontiguousarray(image[100:228, 60:220]))
        return write_sample_data(tmp_path_factory.mktemp("sample") / "data")


def test_sample_data_are_laid_out_as_a_folder_of_pictures(sample):
    rainy, clean = (read_image(sample / "pairs" / "heavy" / side / "chelsea.png") for side in ("rain", "norain"))
    assert rainy.shape == clean.shape
    assert rainy.mean() > clean.mean()
    assert (clean == read_image(sample / "clean" / "chelsea.png")).all()


def test_a_still_clip_stands_still():
    clip = still_clip(40, 60, 8)
    assert (clip.dtype, clip.shape) == (np.uint8, (8, 40, 60, 3))
    assert np.abs(clip.astype(int) - np.median(clip, axis=0)).max() < 8 * sample_data.NOISE
    assert clip.astype(float).std(axis=0).mean() == pytest.approx(sample_data.NOISE, rel=0.2)


@pytest.mark.parametrize(
    "name", ["still", *(pytest.param(name, marks=pytest.mark.slow) for name in ("angle", "networks", "darker"))]
)
def test_parts_measure_what_their_benchmarks_measure(name, sample):
    found = without_each(PARTS[name](Work(sample, True, True)))
    assert '"each"' not in json.dumps(found, allow_nan=False)
    if name == "still":
        assert found["sets"]["heavy"]["psnr"]["estimated_angle"] > found["sets"]["heavy"]["psnr"]["input"]
    if name == "networks":
        assert {"input", "rainopt", "udgnet-small", "refine"} == found["heavy"].keys()


def test_what_a_folder_lacks_is_left_out_and_said(tmp_path):
    target, empty = tmp_path / "quality.json", tmp_path / "empty"
    empty.mkdir()
    parts = ("still", "angle", "background", "traces", "networks", "darker")
    words = [word for part in parts for word in ("--only", part)]
    status, out, _ = call(quality.main, "--data", empty, *words, "--quick", "--json", target)
    assert status == 0
    assert "left out: networks, because --data holds no sets of pairs in a folder 'pairs'" in out
    assert json.loads(target.read_text())["left_out"].keys() == set(parts)


def test_single_pictures_are_dropped_and_figures_kept():
    found = {"worst": 3.0, "rgb": {"worst": [{"name": "a"}], "mean": 1.0}, "each": [1], "sets": [{"each": [2], "n": 1}]}
    assert without_each(found) == {"worst": 3.0, "rgb": {"mean": 1.0}, "sets": [{"n": 1}]}
