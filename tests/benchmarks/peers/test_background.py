import json

import numpy as np
import pytest

from benchmarks.common import photograph
from benchmarks.peers import background as task
from benchmarks.peers.background import mog2, plain_percentile, score, tmedian, with_a_car
from benchmarks.peers.command import main
from rainopt import percentile_background
from tests.support.processes import call


def test_the_filter_of_ffmpeg_is_the_median(rng):
    pytest.importorskip("av", reason="of the extras `video` and `peers`")
    frames = rng.integers(0, 256, (5, 18, 34, 3), dtype=np.uint8)
    np.testing.assert_array_equal(tmedian(frames), np.median(frames, axis=0))
    with pytest.raises(ValueError, match="odd number of at least 3, got 4"):
        tmedian(frames[:4])


def test_the_mixture_of_a_clip_that_stands_still_is_its_frame():
    frame = photograph(20, 30)
    np.testing.assert_array_equal(mog2(np.stack([frame] * 4)), frame)


def test_the_plain_percentile_is_that_of_rainopt_but_for_cutting_off(rng):
    scene = rng.integers(40, 200, (9, 11, 1), dtype=np.uint8).repeat(3, axis=2)
    # Four of eleven moments of each pixel.
    rain = rng.permuted(np.broadcast_to(np.arange(11)[:, None, None, None] < 4, (11, 9, 11, 1)), axis=0)
    frames = scene + rain * np.uint8(50)
    ours = 255 * percentile_background(frames).image
    np.testing.assert_allclose(plain_percentile(frames), ours, atol=1)
    np.testing.assert_array_equal(plain_percentile(frames), scene)


def test_a_car_crosses_and_leaves_the_rest_alone():
    scene = photograph(40, 60)
    frames = np.stack(list(with_a_car(scene, 7)))
    changed = (frames != scene).any(axis=-1)
    assert changed.any(axis=(1, 2)).sum() >= 6
    assert not changed[:, :15].any()
    np.testing.assert_array_equal(np.median(frames, axis=0), scene)


def test_the_score_of_an_error_by_hand():
    truth = np.full((4, 4, 3), 100, np.uint8)
    assert score(truth, truth + 1.2) == pytest.approx(20 * np.log10(255))


def test_the_command_writes_what_a_report_reads(monkeypatch, tmp_path):
    monkeypatch.setattr(task, "QUICK", (5, 24, 32))
    status, out, err = call(main, "--only", "background", "--quick", "--repeat", 1, "--json", tmp_path / "peers.json")
    assert status == 0, err
    assert "percentile_background" in out
    found = json.loads((tmp_path / "peers.json").read_text())
    assert (found["benchmark"], found["quick"]) == ("peers", True)
    (one,) = found["tasks"]
    assert one["ours"]["median_s"] > 0
    assert all(set(row["result"]) == {"psnr_medium_db", "psnr_heavy_db", "psnr_car_db"} for row in one["peers"])
    # The same numbers by another way.
    told = next(row for row in one["peers"] if row["name"] == "numpy percentile, told which")
    assert told["result"] == pytest.approx(one["ours"]["result"], abs=0.5)
