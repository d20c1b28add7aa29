"""The light of a scene: gains are found where it changes, and rain and walkers are no change."""

import numpy as np
import pytest

from rainopt.video.frames import FrameStore
from rainopt.video.light import EvenlyLit, gains_of
from rainopt.video.settings import VideoSettings
from rainopt.video.stretches import derained, stretch_settings
from tests.support.clips import noisy, rained, stored, view

COUNT = 24
SCENE = view("coffee", (96, 128))
RAMP = np.linspace(0.75, 1.25, COUNT)


def under(gains, rng, preset=None):
    """Frames in rain or in none, lit so many times as brightly, not so that they are cut off."""
    dim = (SCENE * 0.7).astype(np.uint8)
    frames = rained(dim, preset, COUNT) if preset else [dim] * COUNT
    return list(noisy((frame / 255 * gain for frame, gain in zip(frames, gains, strict=True)), rng))


@pytest.mark.parametrize("preset", [None, "medium"])
def test_a_ramp_is_found(rng, preset):
    found = gains_of(stored(under(RAMP, rng, preset)))
    assert found.shape == (COUNT,)
    assert np.abs(found / RAMP - np.median(found / RAMP)).max() < 0.03
    # The middle is 1.
    assert abs(np.median(found) - 1) < 0.03


def test_a_flash_is_found_and_all_other_frames_stay_as_they_are(rng):
    gains = np.ones(COUNT)
    gains[[7, 8]] = 1.3
    found = gains_of(stored(under(gains, rng)))
    np.testing.assert_allclose(found, gains, rtol=0, atol=0.015)


def test_a_lamp_that_is_switched_on_is_found(rng):
    gains = np.where(np.arange(COUNT) < 10, 0.8, 1.1)
    found = gains_of(stored(under(gains, rng)))
    np.testing.assert_allclose(found / found[-1], gains / gains[-1], rtol=0, atol=0.06)


def test_the_densest_rain_is_hardly_a_change():
    assert np.abs(gains_of(stored(rained(SCENE, "heavy", COUNT))) - 1).max() < 0.02


@pytest.mark.parametrize("preset", ["light", "medium", None])
def test_rain_and_somebody_who_walks_by_are_no_change(preset):
    frames = [frame.copy() for frame in rained(SCENE, preset, COUNT)]
    np.testing.assert_array_equal(gains_of(stored(frames)), np.ones(COUNT))
    for k, frame in enumerate(frames):
        frame[20:90, 4 * k : 4 * k + 25] = (210, 30, 40)
    np.testing.assert_array_equal(gains_of(stored(frames)), np.ones(COUNT))


@pytest.mark.parametrize("value", [0, 255])
def test_what_is_black_or_cut_off_tells_nothing(value, rng):
    frames = [np.full((96, 128, 3), value, np.uint8)] * COUNT
    np.testing.assert_array_equal(gains_of(stored(frames)), np.ones(COUNT))


def test_16_bits_and_large_frames_have_the_same_gains(rng):
    frames = under(RAMP, rng)
    found = gains_of(stored(frames))
    np.testing.assert_allclose(gains_of(stored([frame.astype(np.uint16) * 257 for frame in frames])), found, rtol=2e-3)
    large = [frame.repeat(3, axis=0).repeat(3, axis=1) for frame in frames]
    np.testing.assert_allclose(gains_of(stored(large)), found, rtol=5e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_frames_are_divided_by_their_gains(rng, dtype):
    full = np.iinfo(dtype).max
    frames = [rng.integers(0, full + 1, (10, 12, 3)).astype(dtype) for _ in range(4)]
    frames[1][0] = full
    gains = np.array([0.5, 1.25, 1.0, 2.0])
    store = stored(frames)
    even = EvenlyLit(store, gains)
    assert (len(even), even.shape, even.dtype) == (4, (10, 12, 3), dtype)
    for number, (frame, gain) in enumerate(zip(frames, gains, strict=True)):
        got = even[number]
        assert got.dtype == dtype
        expected = np.where(frame == full, full, np.clip(frame / gain, 0, full))
        np.testing.assert_allclose(got.astype(float), expected, rtol=1e-6, atol=0.51)
    np.testing.assert_array_equal(np.stack(list(even)), np.stack([even[k] for k in range(4)]))
    np.testing.assert_array_equal(even.band(slice(2, 5)), np.stack(list(even))[:, 2:5])
    np.testing.assert_array_equal(even.band(slice(2, 5), slice(1, None, 2)), np.stack(list(even))[1::2, 2:5])
    # The store keeps its own.
    np.testing.assert_array_equal(np.stack(list(store)), np.stack(frames))


@pytest.mark.parametrize("memory", [None, 0])
def test_frames_that_were_lit_by_gains_come_back_from_memory_and_from_a_file(rng, memory):
    gains = np.round(RAMP, 2)
    lit = [np.rint(np.minimum(SCENE * gain * 0.7, 255)).astype(np.uint8) for gain in gains]
    with FrameStore() if memory is None else FrameStore(memory) as store:
        for frame in lit:
            store.append(frame)
        for frame in EvenlyLit(store, gains):
            np.testing.assert_allclose(frame, SCENE * 0.7, rtol=0, atol=1.2)
        band = EvenlyLit(store, gains).band(slice(0, 4))
        np.testing.assert_allclose(band, np.broadcast_to(SCENE[:4] * 0.7, band.shape), rtol=0, atol=1.2)


@pytest.mark.slow
def test_light_that_changes_makes_no_step_from_stretch_to_stretch():
    length = 10
    gains = np.linspace(0.8, 1.0, 2 * length)
    lit, truth = (
        [
            np.rint(f * light).astype(np.uint8)
            for f, light in zip(rained(SCENE, preset, 2 * length, scale=0.2), gains, strict=True)
        ]
        for preset in ("light", None)
    )
    first, second = stored(lit[:length]), stored(lit[length:])
    wishes = VideoSettings(max_iter=10)
    before = stretch_settings(first, wishes)
    begun = list(derained(first, before))
    # Whether it is a stretch of its own or treated as the one before.
    for last in (None, before):
        results = [*begun, *derained(second, stretch_settings(second, wishes, last))]
        shown = np.array([result.mean() / frame.mean() for result, frame in zip(results, truth, strict=True)])
        assert np.abs(np.diff(shown)).max() < 0.015
        assert abs(shown[:length].mean() - shown[length:].mean()) < 0.01
        far = [
            np.mean([np.square(one.astype(float) - other).mean() for one, other in zip(frames, truth, strict=True)])
            for frames in (lit, results)
        ]
        assert far[1] < far[0] / 3
