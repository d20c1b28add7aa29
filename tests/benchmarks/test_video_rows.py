"""Peers, clips and scores of derained video."""

from itertools import pairwise

import numpy as np
import pytest

from benchmarks.common import photograph
from benchmarks.video import camera, rows
from benchmarks.video.cases import CASES, Case
from benchmarks.video.peers import flow_median, temporal_median
from benchmarks.video.scores import scores
from tests.support.processes import call

PEERS = (temporal_median, flow_median)


def spotted(clean, seed=0):
    """Return frames with bright spots, on other pixels in each."""
    rng = np.random.default_rng(seed)
    where = rng.permuted(np.arange(clean[0, :, :, 0].size) % 12)[: clean[0, :, :, 0].size].reshape(clean.shape[1:3])
    return np.stack([np.where((where == k)[..., None], 255, frame) for k, frame in enumerate(clean)]).astype(np.uint8)


def test_median_over_time_of_a_still_scene_is_the_scene():
    clean = np.repeat(photograph(40, 50)[None], 9, axis=0)
    assert (temporal_median(spotted(clean)) == clean).all()


def test_flow_median_follows_a_camera_that_the_other_median_does_not():
    wide = photograph(64, 140)
    clean = np.stack([wide[:, 3 * k : 3 * k + 96] for k in range(7)])
    # A median of alike frames is the frame, but for what interpolation and flow leave.
    inner = np.s_[2:5, 12:-12, 16:-16]
    plain, followed = (np.abs(one[inner].astype(int) - clean[inner]).mean() for one in (peer(clean) for peer in PEERS))
    assert followed < 2 < plain


@pytest.mark.parametrize("view", [camera.hand_held, camera.panning, camera.forward])
def test_cameras_move_and_are_always_the_same(view, monkeypatch):
    for name, value in {"HEIGHT": 60, "WIDTH": 80, "FRAMES": 4}.items():
        monkeypatch.setattr(camera, name, value)
    frames = view()
    assert frames.shape == (4, 60, 80, 3)
    assert (frames == view()).all()
    assert all((a != b).any() for a, b in pairwise(frames))


def test_zoom_keeps_its_centre_and_grows(monkeypatch):
    # A clip of double size seen with half the pixels: the grid lies symmetrically about the centre.
    monkeypatch.setattr(camera, "HEIGHT", 60)
    monkeypatch.setattr(camera, "WIDTH", 80)
    scene = np.zeros((60, 80, 3), np.uint8)
    scene[20:40, 30:50] = 200
    monkeypatch.setattr(camera, "large_photograph", lambda height, width: scene[:height, :width])
    plain, grown = camera._seen([camera._about_centre(scale, 0, 0, 0) for scale in (1.0, 1.5)], 0, 1)
    assert (plain == scene).all()
    assert (grown == grown[::-1, ::-1]).all()
    assert (grown[..., 0] > 100).sum() == pytest.approx(1.5**2 * 400, rel=0.05)


def test_scores_tell_rain_from_dry_and_count_what_is_too_dark():
    clean = np.full((2, 16, 16, 3), 100, np.uint8)
    rainy, result = clean.copy(), clean.copy()
    rainy[:, :4] = 160
    result[:, :4] = 110  # some rain is left
    result[:, 4:] = 101
    result[1, 15, :5] = 60
    found = scores(result, Case(rainy, clean, protocol="y_full", rain_apart=True, darker=True))
    assert found["darker"] == 5
    luma = 219 / 255
    assert found["psnr_rain"] == pytest.approx(20 * np.log10(255 / (10 * luma)))
    assert found["psnr_dry"] < 20 * np.log10(255 / luma)
    assert scores(clean, Case(rainy, clean))["ssim"] == pytest.approx(1)


def test_rows_run_and_show_a_clip(tmp_path, monkeypatch):
    clean = np.repeat(photograph(64, 80)[None], 6, axis=0)
    monkeypatch.setitem(CASES, "pan", lambda data: Case(spotted(clean), clean))
    status, out, _ = call(
        rows.main, "--data", tmp_path, "--only", "pan", "--save", tmp_path / "s", "--json", tmp_path / "r.json"
    )
    assert status == 0
    assert "flow median of 5" in out
    assert {file.name for file in (tmp_path / "s").iterdir()} >= {"pan.png", "pan_rainopt.mp4", "pan_truth.mp4"}
    status, _, error = call(rows.main, "--data", tmp_path, "--only", "pam")
    assert status == 2
    assert "'pam' is none of ntu_a1" in error
