"""Which frames and which parts of them become pairs: those with rain, without things, and not twice."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from data_tools.build.pairs import CROP_VALID, LEAST_VALID, choose_crops, choose_frames, covered, expected_psnr
from rainopt.video.adaptive_background import Settled
from rainopt.video.background import BackgroundEstimate
from rainopt.video.frames import FrameStore
from rainopt.video.quality import Acceptance
from rainopt.video.registration.register import Alignment

H, W = 96, 128
SCENE = np.full((H, W, 3), 90, np.uint8)


def settled(valid=None, spread=None, numbers=(), dtype=np.uint8):
    """What `settle` returns of a scene of one grey."""
    image = np.full((H, W, 3), 90 / 255, np.float32)
    plane = np.zeros((H, W), np.float32)
    estimate = BackgroundEstimate(
        image, 40, np.ones(101, np.int64), plane + 1, plane, plane if spread is None else spread, plane, 20
    )
    valid = np.ones((H, W), bool) if valid is None else valid
    return Settled(estimate, Acceptance(50.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0), valid, tuple(numbers), True)


def streaks(number, level=60):
    """Eight streaks, elsewhere in every frame."""
    frame = SCENE.copy()
    for slot, left in enumerate(np.random.default_rng(number).integers(0, 14, 8)):
        frame[10:60, 16 * slot + left : 16 * slot + left + 2] += np.uint8(level)
    return frame


def chosen(frames, count, valid=None, numbers=None):
    with FrameStore() as store:
        for frame in frames:
            store.append(frame)
        return choose_frames(settled(valid, numbers=numbers or range(100, 100 + len(frames))), store, count)


@pytest.mark.parametrize(("count", "places"), [(1, [0]), (3, [0, 10, 20]), (30, [*range(21)])])
def test_frames_are_spread_evenly_and_none_is_chosen_twice(count, places):
    found, left_out = chosen([streaks(k) for k in range(21)], count)
    assert [frame.place for frame in found] == places
    assert left_out == []


def test_a_frame_says_what_it_is_worth_and_what_the_background_cannot_tell_is_not_valid_and_no_rain():
    found, _ = chosen([streaks(0)], 1)
    assert found[0].valid.all()
    assert found[0].rain == pytest.approx(8 * 2 * 50 / (H * W))
    valid = np.ones((H, W), bool)
    valid[:, :32] = False
    found, _ = chosen([streaks(0)], 1, valid)
    np.testing.assert_array_equal(found[0].valid, valid)
    assert found[0].rain == pytest.approx(6 * 2 * 50 / (H * W))


def test_frozen_frames_are_taken_once():
    frames = [streaks(0)] * 4 + [streaks(1)] * 2
    found, left_out = chosen(frames, 6)
    assert [frame.place for frame in found] == [0, 4]
    assert left_out == [f"frame {number} repeats the one before" for number in (101, 102, 103, 105)]


def test_frames_without_rain_are_left_out():
    noisy = (SCENE + np.random.default_rng(0).integers(0, 3, SCENE.shape)).astype(np.uint8)
    found, left_out = chosen([SCENE, streaks(1), noisy, streaks(2)], 4, numbers=(3, 7, 8, 20))
    assert [frame.place for frame in found] == [1, 3]
    assert left_out == ["frame 3 shows no rain", "frame 8 shows no rain"]


def test_frames_full_of_things_are_left_out():
    half = streaks(0)
    half[:, : int(W * (1 - LEAST_VALID)) + 10] = 0
    part = streaks(1)
    part[:, : W // 4] = 0
    found, left_out = chosen([half, part], 2)
    assert [frame.place for frame in found] == [1]
    assert left_out == ["frame 100 shows too much that moves"]
    assert not found[0].valid[:, : W // 4].any()
    assert found[0].valid[:, W // 4 + 4 :].all()


def test_frames_of_16_bits_give_the_same():
    frames = [streaks(0), SCENE, streaks(2)]
    eight, said = chosen(frames, 3)
    sixteen, also_said = chosen([frame.astype(np.uint16) * 257 for frame in frames], 3)
    assert said == also_said
    for one, other in zip(eight, sixteen, strict=True):
        assert one.rain == other.rain
        np.testing.assert_array_equal(one.valid, other.valid)


def hidden(rng):
    """A map of where rain was seen, brighter in the lower right."""
    y, x = np.mgrid[:H, :W]
    return (rng.random((H, W)) * 0.2 + (y / H) * (x / W)).astype(np.float32)


def apart(corners, side):
    return all(max(abs(a[0] - b[0]), abs(a[1] - b[1])) >= side for a, b in itertools.combinations(corners, 2))


@pytest.mark.parametrize("side", [16, 20, 33, 96])
@pytest.mark.parametrize("count", [1, 4, 100])
def test_crops_lie_inside_and_apart(rng, side, count):
    found = choose_crops(settled(spread=hidden(rng)), side, count)
    assert 1 <= len(found) <= count
    assert apart(found, side)
    assert all(0 <= top <= H - side and 0 <= left <= W - side for top, left in found)
    assert len(found) == count or len(found) <= (H // side) * (W // side)


def test_most_rain_comes_first(rng):
    spread = hidden(rng)
    found = choose_crops(settled(spread=spread), 32, 4)
    rain = [float(spread[top : top + 32, left : left + 32].sum()) for top, left in found]
    assert len(found) == 4
    assert rain == sorted(rain, reverse=True)
    assert found[0] == (64, 96)


def test_only_crops_that_can_be_trusted(rng):
    valid = np.ones((H, W), bool)
    valid[40:, 60:] = False
    found = choose_crops(settled(valid, hidden(rng)), 32, 10)
    assert found
    assert all(valid[top : top + 32, left : left + 32].mean() >= CROP_VALID for top, left in found)
    assert choose_crops(settled(np.zeros((H, W), bool), hidden(rng)), 32, 10) == []


def test_rain_where_nothing_can_be_trusted_does_not_count():
    spread, valid = np.zeros((H, W), np.float32), np.ones((H, W), bool)
    spread[:4, :4] = 100  # on things, 1.6 % of a crop
    valid[:4, :4] = False
    spread[64:, 64:] = 0.1
    assert choose_crops(settled(valid, spread), 32, 1)[0] >= (64, 64)


def test_crops_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match=r"crops of 97 pixels do not fit into frames of 96 x 128; .* smaller --crop"):
        choose_crops(settled(), 97, 1)


def test_rain_over_texture_comes_before_more_rain_over_a_blank_wall(rng):
    found = settled(spread=np.where(np.arange(W) < W // 2, 0.3, 0.2)[None].repeat(H, 0).astype(np.float32))
    assert choose_crops(found, 32, 1)[0][1] < W // 2
    found.estimate.image[:, W // 2 :] += rng.uniform(-0.05, 0.05, (H, W // 2, 1)).astype(np.float32)
    assert choose_crops(found, 32, 1)[0][1] >= W // 2 - 8  # a step


def test_what_is_darker_tells_what_the_rest_is_worth(rng):
    noise = rng.normal(0, 4, SCENE.shape)
    frame = np.clip(np.rint(streaks(0) + noise), 0, 255).astype(np.uint8)
    everywhere, none = np.ones((H, W), bool), np.zeros((H, W), bool)
    assert expected_psnr(frame, settled(), everywhere, none) == pytest.approx(20 * np.log10(255 / 4), abs=0.5)
    assert expected_psnr(streaks(0), settled(), everywhere, none) > 55


def test_what_an_aligned_frame_lacks_is_not_valid():
    far = Alignment(np.array([[1.0, 0, 12], [0, 1.0, 0]]), 1.0, 12.0)
    found = replace(settled(), alignments=(far,))
    np.testing.assert_array_equal(covered(found, 0)[:, : W - 14], True)
    np.testing.assert_array_equal(covered(found, 0)[:, W - 11 :], False)
    assert covered(settled(), 0).all()
