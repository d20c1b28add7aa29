"""What built pairs are judged by: scenes whose background is known, and the error over valid pixels."""

from functools import partial

import numpy as np
import pytest

from benchmarks.common import photograph
from benchmarks.video.judged import Built, _judged, _of_frames
from benchmarks.video.judged_scenes import SIZE, scenes
from data_tools.manifest.record import PairRecord


def test_scenes_are_their_background_but_for_what_lives():
    names = set()
    for scene in scenes(photograph(*SIZE), count=9):
        names.add(scene.name)
        apart = np.abs(scene.frames / np.float32(255) - scene.background).max(axis=-1) > 2 / 255
        assert apart.any(axis=(1, 2)).sum() >= 2
        assert scene.name == "flashes of light" or apart.mean(axis=(1, 2)).max() < 0.1
    assert len(names) == 13


def test_expected_and_true_decibels_are_of_valid_pixels():
    truth = np.full((3, 8, 8, 3), 100, np.uint8)
    clean, valid = np.full((8, 8, 3), 110, np.uint8), np.zeros((8, 8), bool)
    clean[:, :4], valid[:, :4] = 102, True
    pairs = [
        Built(PairRecord(id=str(k), rainy="a.png", frame=k, expected_psnr=40.0), clean, clean, valid) for k in range(3)
    ]
    found = _judged("x", pairs, [], partial(_of_frames, truth))
    assert found["true_psnr"] == pytest.approx(20 * np.log10(255 / 2))
    assert found["expected_psnr"] == pytest.approx(40)
    assert found["valid"] == 0.5
    assert _judged("x", [], ["nothing seen"], None)["reason"] == "nothing seen"
