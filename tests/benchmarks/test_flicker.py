"""What is measured of flicker."""

import json

import numpy as np
import pytest

from benchmarks.common import photograph
from benchmarks.video import flicker as command
from benchmarks.video.flicker import flicker
from tests.support.processes import call


def test_flicker_tells_noise_of_pixels_from_pumping_of_the_picture():
    rng = np.random.default_rng(0)
    still = np.full((200, 30, 30, 3), 100.0)
    everywhere = np.ones((30, 30), bool)
    pumped = still + 5 * (-1.0) ** np.arange(200)[:, None, None, None]
    noisy = np.rint(still + rng.normal(0, 4, still.shape))
    nothing, whole, pixels = (flicker(frames.astype(np.uint8), everywhere) for frames in (still, pumped, noisy))
    assert set(nothing.values()) == {0}
    assert whole == pytest.approx({"deviation": 5, "steps": 10, "pumping": 5})
    assert pixels["deviation"] == pytest.approx(4, rel=0.02)
    assert pixels["steps"] == pytest.approx(4 * 2 / np.sqrt(np.pi), rel=0.02)  # of the difference of two
    assert pixels["pumping"] < 0.2


def test_flicker_looks_at_the_pixels_that_are_asked_for():
    frames = np.zeros((4, 5, 5, 3), np.uint8)
    frames[::2, 2, 2] = 200
    where = np.ones((5, 5), bool)
    where[2, 2] = False
    assert flicker(frames, where)["deviation"] == 0
    assert flicker(frames, ~where)["deviation"] == 100


@pytest.mark.slow
def test_flicker_holds_the_result_beside_clean_clip_and_input(tmp_path, monkeypatch):
    clean = np.repeat(photograph(64, 80)[None], 20, axis=0)
    monkeypatch.setattr(command, "CLIPS", {"made": lambda data: (clean, np.zeros((20, 1, 1, 1)))})
    monkeypatch.setattr(command, "PRESETS", ("medium",))
    status, _, _ = call(command.main, "--data", tmp_path, "--json", tmp_path / "flicker.json")
    assert status == 0
    found = json.loads((tmp_path / "flicker.json").read_text())["clips"]["made, medium"]
    assert found["clean"]["deviation"] == 0 < found["rainopt"]["deviation"] < found["input"]["deviation"]
