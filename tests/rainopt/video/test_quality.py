"""What a background is expected to be worth, judged by the frames alone, is near what it is worth."""

import functools
import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from scipy.stats import spearmanr

from data_tools import RainSpec, rain_video
from rainopt.video import quality
from rainopt.video.background import BackgroundEstimate, background_of_store, percentile_background
from rainopt.video.percentiles import percentile_layers
from rainopt.video.quality import ACCEPTED, Acceptance, assess, rain_angle, trusted
from tests.support.clips import stored, view

SHAPE, SMALL = (120, 180), (90, 135)
HEAVY = RainSpec(angle=5, density=15000, intensity=0.7, length=35, width=1.7)
LIGHT = RainSpec(angle=5, density=6000)


@functools.cache
def filmed(spec, count, name="coffee", shape=SHAPE):
    """A standing picture behind rain, with a little noise in every channel."""
    rng = np.random.default_rng(5)
    rain = rain_video(view(name, shape), spec, rng, count=count)
    frames = np.stack([255 * drawn.rainy + rng.normal(0, 1.5, (*shape, 3)) for drawn in rain])
    return np.clip(np.rint(frames), 0, 255).astype(np.uint8)


def judged(frames):
    return assess(store := stored(frames), background_of_store(store))


def at(frames, p):
    """Estimate the background by a percentile that was not voted for."""
    layers = percentile_layers(frames, p)
    return replace(percentile_background(frames), percentile=p, **layers._asdict())


def decibels(error):
    return -10 * math.log10(float(np.mean(np.square(error, dtype=np.float64))))


@pytest.fixture(scope="module")
def blind():
    """Leave out the direction of the rain, which takes most of the time."""

    def judge(frames, estimate):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(quality, "rain_angle", lambda *_: None)
            return assess(stored(frames), estimate)

    return judge


# What it expects, and what is true


@pytest.fixture(scope="module")
def outcomes(blind):
    """Return what was expected, what is reached over trusted pixels, and whether the percentile was voted for."""
    rows = []
    for name, density in itertools.product(("coffee", "astronaut"), (2000, 8000, 20000)):
        frames = filmed(RainSpec(angle=12, density=density), 40, name, SMALL)
        for count in (6, 40):
            some = frames[:count]
            voted = percentile_background(some)
            for estimate in (voted, *(at(some, p) for p in (0, 60, 85) if p != voted.percentile)):
                found = blind(some, estimate)
                error = (estimate.image - view(name, SMALL) / 255)[trusted(estimate)]
                rows.append((found.expected_psnr, decibels(error), estimate is voted))
    return np.asarray(rows, float)


def test_better_backgrounds_are_expected_to_be_better(outcomes):
    expected, reached, _ = outcomes.T
    assert len(expected) > 40
    # Not all alike.
    assert np.ptp(reached) > 20
    assert spearmanr(expected, reached).statistic >= 0.85


def test_decibels_are_near_the_truth(outcomes):
    expected, reached, voted = outcomes.T
    assert np.abs(expected - reached).max() < 8
    assert np.median(np.abs(expected - reached)) < 2.5
    # Of the percentile that was voted for it is not expected to be much better than it is.
    voted = voted == 1
    assert np.abs(expected - reached)[voted].max() < 6
    assert np.max(expected - reached, where=voted, initial=-99) < 3


def test_accepted_ones_are_good(outcomes):
    expected, reached, _ = outcomes.T
    assert np.any(expected >= ACCEPTED)
    assert np.any(expected < ACCEPTED)
    assert reached[expected >= ACCEPTED].min() > ACCEPTED - 2
    for decibel in (39.99, 40.0):
        found = Acceptance(decibel, 0.0, 0.0, 0.0, None, 1.0, None, 1.0)
        assert found.accepted == (decibel >= 40)


def test_a_picture_that_drifts_is_expected_to_be_worse_and_one_that_stands_is_not(blind):
    frames = filmed(LIGHT, 24)
    still = blind(frames, percentile_background(frames))
    # Every frame differs from its neighbours by next to nothing, so that every other one tells nothing.
    moved = np.stack([ndimage.shift(frame, (0, k / 12, 0), order=1, mode="nearest") for k, frame in enumerate(frames)])
    found = blind(moved, percentile_background(moved))
    assert still.departure < 1e-3
    assert found.departure > 5 * still.departure
    assert 0.2 < found.drift < 1.5
    assert found.expected_psnr < still.expected_psnr - 5
    assert found.agreement < 2 * still.agreement + 2e-3


@pytest.mark.parametrize("noise", [1, 2, 4])
def test_agreement_is_the_standard_error(rng, blind, noise):
    # Of the median of N normal values it is √(π / 2N) standard deviations.
    scene = rng.integers(60, 180, (60, 80))
    frames = np.round(257 * (scene + rng.normal(0, noise, (100, 60, 80)))).astype(np.uint16)
    estimate = at(frames, 50)
    found = blind(frames, estimate)
    assert found.agreement == pytest.approx(np.sqrt(np.pi / 200) * noise / 255, rel=0.15)
    true = np.sqrt(np.mean((estimate.image - scene / 255) ** 2))
    assert found.agreement == pytest.approx(true, rel=0.15)


def test_bias_is_the_distance_from_the_mode(rng):
    scene = rng.integers(60, 180, (20, 30, 1), np.uint8)
    frames = np.broadcast_to(scene, (40, 20, 30, 3)).copy()
    frames[:8] += 20
    assert judged(frames).bias == 0
    assert judged(frames).expected_psnr > 55
    estimate = percentile_background(frames)
    for offset in (0.01, -0.02, 0.1):
        found = assess(stored(frames), replace(estimate, image=estimate.image + np.float32(offset)))
        assert found.bias == pytest.approx(abs(offset), abs=1e-6)
        assert found.agreement == 0
        # Within 4/255, the frames' own middle tells the same once more.
        near = abs(offset) <= 4 / 255
        assert found.centring == pytest.approx(abs(offset) if near else 0, abs=1e-6)
        assert found.expected_psnr == pytest.approx(-10 * math.log10(offset**2 * (1 + near)), abs=1e-3)


def test_where_rain_saturates_the_mode_says_nothing(rng):
    # Half of the picture is white in most frames; its mode is the rain.
    frames = rng.integers(99, 102, (40, 20, 30), np.uint8)
    frames[:, :, 15:] = 230
    frames[10:, :, 15:] = 255
    estimate = at(frames, 20)
    estimate = replace(estimate, seen=np.ones_like(estimate.seen))
    assert np.all(estimate.mode[:, 15:] == 1)
    assert assess(stored(frames), estimate).bias < 2 / 255


# Rain


@functools.cache
def slanted(angle):
    return filmed(RainSpec(angle=angle, density=6000, intensity=0.6, angle_spread=1), 20)


@pytest.mark.parametrize("angle", [-70, -45, 12, 45])
def test_the_angle_is_that_of_the_rain_and_a_good_background_has_none_left(angle):
    found = judged(slanted(angle))
    assert -90 < found.angle <= 90
    assert abs(found.angle - angle) < 2
    assert 0 <= found.residual < 0.05


def test_angles_near_the_horizontal_are_not_averaged_across_it():
    spec = RainSpec(angle=89.5, density=6000, intensity=0.6, angle_spread=3)
    store = stored(filmed(spec, 20, shape=(160, 240)))
    found = rain_angle(store, background_of_store(store).image)
    assert found is not None
    assert min(abs(found - 89.5), abs(found + 180 - 89.5)) < 2
    assert -90 < found <= 90


def test_residual_is_all_of_a_frame():
    frames = slanted(-45)
    # Two frames by turns: each half is one of them.
    assert judged(frames[[0, 1, 0, 1, 0, 1]]).residual == pytest.approx(1, abs=1e-5)
    # The brightest of each half keeps what rain there was.
    assert assess(stored(frames), replace(percentile_background(frames), percentile=100)).residual == 1


@pytest.mark.slow
def test_residual_rises_with_the_rain_that_is_left():
    frames = slanted(45)
    estimate = percentile_background(frames)
    rising = [assess(stored(frames), replace(estimate, percentile=p)).residual for p in (30, 50, 70, 80)]
    assert rising[0] < 0.05 < rising[1] < 0.2 < rising[2] < 0.6 < rising[3]


def test_no_rain_has_no_direction_and_no_residual(rng):
    frames = np.round(view("coffee", SHAPE) + rng.normal(0, 1.5, (12, *SHAPE, 3))).clip(0, 255).astype(np.uint8)
    found = judged(frames)
    assert found.angle is None
    assert found.residual is None
    assert found.accepted
    assert found.valid > 0.99


@pytest.mark.slow
def test_grey_and_sixteen_bits_are_judged_alike():
    frames = slanted(12)
    colour, fine = judged(frames), judged(frames.astype(np.uint16) * 257)
    assert fine.expected_psnr == pytest.approx(colour.expected_psnr, abs=1)
    assert fine.angle == pytest.approx(colour.angle, abs=0.1)
    assert fine.valid == pytest.approx(colour.valid, abs=1e-3)
    grey = judged(frames[..., 1])
    assert grey.angle == pytest.approx(12, abs=1)
    same = judged(frames[..., 1:2])
    assert same == grey


# Sharpness


def test_a_blurred_background_is_less_sharp(blind):
    frames = filmed(LIGHT, 20)
    estimate = percentile_background(frames)
    sharp = blind(frames, estimate).sharpness
    assert sharp == pytest.approx(1, abs=0.05)
    last = sharp
    for sigma in (0.5, 1, 2):
        blurred = ndimage.gaussian_filter(estimate.image, (sigma, sigma, 0))
        found = blind(frames, replace(estimate, image=blurred)).sharpness
        assert found < last - 0.03
        last = found
    assert last < 0.6
    middle = replace(estimate, image=np.median(frames, axis=0).astype(np.float32) / 255)
    assert blind(frames, middle).sharpness == pytest.approx(1, abs=1e-5)


# Few frames


@pytest.mark.parametrize("count", [1, 2, 3])
def test_of_fewer_than_four_frames_nothing_is_known(count):
    found = judged(filmed(LIGHT, 20)[:count])
    assert found.expected_psnr == 0
    assert not found.accepted
    assert found.residual is None
    assert found.angle is None
    assert 0 <= found.valid <= 1


def test_of_four_frames_something_is(rng):
    found = judged(np.broadcast_to(rng.integers(0, 255, (20, 30, 3), np.uint8), (4, 20, 30, 3)))
    # Rounding to 8 bits is all that can be wrong.
    assert found.expected_psnr == pytest.approx(10 * math.log10(12 * 255**2))
    assert found.accepted


# What can be trusted


def drawn_before(frames, value, stand):
    """Have a square stand for some frames, and walk off; also return where it stood and where it went."""
    frames, there = frames.copy(), np.zeros(SHAPE, bool)
    stood = np.zeros_like(there)
    stood[50:70, 40:60] = True
    for k, frame in enumerate(frames):
        left = 40 if k < stand else 60 + 2 * (k - stand)
        frame[50:70, left : left + 20] = value
        there[50:70, left : left + 20] = True
    return frames, stood, there & ~stood


@pytest.mark.parametrize(
    ("value", "spec", "stand"),
    [
        *((10, *case) for case in ((LIGHT, 20), (LIGHT, 25), (HEAVY, 10))),
        *((235, *case) for case in ((LIGHT, 10), (LIGHT, 25), (HEAVY, 10), (HEAVY, 25))),
    ],
)
def test_a_thing_is_not_trusted_where_it_is_in_the_background(value, spec, stand):
    frames, stood, passed = drawn_before(filmed(spec, 60), value, stand)
    estimate = percentile_background(frames)
    wrong = np.abs(estimate.image - view("coffee", SHAPE) / 255).max(-1) > 10 / 255
    valid, anywhere = trusted(estimate), stood | passed
    assert (valid & wrong)[anywhere].mean() < 0.02
    if value == 10:
        # It was taken for the background where it stood.
        assert wrong[stood].mean() > 0.95
        assert (spec is LIGHT) == (np.median(estimate.seen) > 0.5)
    # Rain elsewhere is trusted, however dense.
    assert valid[~anywhere].mean() > 0.98


def test_a_bright_thing_that_hides_the_background_too_often_is_not_trusted():
    # What half of the frames leave of it, rain hides too.
    frames, stood, _ = drawn_before(filmed(LIGHT, 60), 235, 32)
    valid = trusted(percentile_background(frames))
    assert valid[stood].mean() < 0.05
    assert valid[~stood].mean() > 0.9


@pytest.mark.parametrize("value", [10, 120, 235])
def test_what_is_parked_most_of_the_time_is_trusted(value):
    frames, stood, _ = drawn_before(filmed(LIGHT, 60), value, 52)
    estimate = percentile_background(frames)
    valid = trusted(estimate)
    assert np.median(np.abs(estimate.image[stood] - value / 255)) < 0.01
    assert valid[stood].mean() > 0.95


def drawn(seen, darker, frames=60):
    seen, darker = (np.atleast_2d(np.asarray(a, np.float32)) for a in (seen, darker))
    blank = np.zeros_like(seen)
    return BackgroundEstimate(blank, 20, np.zeros(101, np.int64), seen, darker, blank, blank, frames)


def test_trust_by_hand():
    # A majority is trusted whatever else there is.
    assert trusted(drawn([0.51, 0.9, 1.0], [0.49, 0.1, 0.0])).all()
    # In dense rain 0.6 of what is usual, and little that is darker.
    seen, darker = [0.4, 0.4, 0.4, 0.4, 0.25, 0.23, 0.4, 0.25], [0.0] * 6 + [0.11, 0.09]
    expected = [True, True, True, True, True, False, False, True]
    assert trusted(drawn(seen, darker)).tolist() == [expected]
    # In two frames at least.
    few = drawn([0.05, 0.05, 0.05, 0.03], [0.0] * 4, frames=50)
    assert trusted(few).tolist() == [[True, True, True, False]]
    assert not trusted(drawn([0.05] * 4, [0.0] * 4, frames=30)).any()


def test_where_nothing_is_trusted_all_is_judged(rng):
    frames = rng.integers(0, 255, (30, 12, 15), np.uint8)
    estimate = replace(percentile_background(frames), seen=np.zeros((12, 15), np.float32))
    found = assess(stored(frames), estimate)
    assert found.valid == 0
    assert not found.accepted
    assert 0 < found.agreement < 1


def test_only_trusted_pixels_are_judged(rng):
    frames = np.broadcast_to(rng.integers(50, 99, (20, 30), np.uint8), (30, 20, 30)).copy()
    frames[:, :5] = rng.integers(0, 255, (30, 5, 30))
    found = judged(frames)
    assert found.valid == pytest.approx(0.75, abs=0.01)
    everywhere = replace(percentile_background(frames), seen=np.ones((20, 30), np.float32))
    assert assess(stored(frames), everywhere).agreement > max(0.01, 5 * found.agreement)


# What is flat, and what is small


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1, 3), (2, 2), (20, 30), (20, 30, 3)])
def test_flat_clips_are_judged(shape, dtype, value):
    scale = 1 if dtype == "uint8" else 257
    found = judged(np.full((8, *shape), value * scale, dtype))
    assert found.valid == 1
    assert found.accepted
    assert found.angle is None
    assert found.residual is None
    assert found.sharpness == pytest.approx(1)
    assert found.agreement == 0
    # Of 16 bits the mode is known to the middle of one level of 256.
    assert found.bias <= (0 if dtype == "uint8" else 0.5 / 255)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1, 3), (3, 3), (20, 30), (20, 30, 3)])
def test_noise_is_not_accepted(rng, shape):
    found = judged(rng.integers(0, 255, (8, *shape), np.uint8))
    assert not found.accepted
    assert all(math.isfinite(a) for a in (found.expected_psnr, found.agreement, found.bias, found.sharpness))
    assert 0 <= found.valid <= 1
