"""Rain over video: every frame is its own truth, drops move as fast as their streaks are long, and any frame is had."""

import itertools

import numpy as np
import pytest
from scipy import ndimage

from data_tools import RainLayer, RainSpec, add_rain, compose, rain_video
from data_tools.rain.drops import Drops

# One size of drops, so that all move alike.
ALIKE = {"angle_spread": 0.0, "variation": 0.0, "layers": 1, "composition": "additive"}


def seeded(seed=3):
    return np.random.default_rng(seed)


def moved(layer, rows, columns):
    """The layer shifted by parts of pixels, by its spectrum."""
    return np.fft.ifft2(ndimage.fourier_shift(np.fft.fft2(layer), (rows, columns))).real


def movement(first, second):
    """Whole pixels (rows, columns) that the second layer has moved by: the peak of the cross-correlation."""
    a, b = (np.fft.fft2(layer - layer.mean()) for layer in (first, second))
    peak = np.unravel_index(np.argmax(np.fft.ifft2(np.conj(a) * b).real), first.shape)
    return [(k + n // 2) % n - n // 2 for k, n in zip(peak, first.shape, strict=True)]


@pytest.mark.parametrize("composition", ["additive", "screen"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_every_frame_is_its_own_truth(composition, dtype):
    scale = 255 if dtype == np.uint8 else 1
    clip = [(scale * seeded(k).random((48, 64, 3))).astype(dtype) for k in range(4)]
    spec = RainSpec(density=20000, veil=0.2, texture=0.3, composition=composition)
    frames = list(rain_video(clip, spec, seeded()))
    assert len(frames) == 4
    for frame, clean in zip(frames, clip, strict=True):
        rainy, rain, returned = frame
        assert returned is spec
        assert rainy.dtype == rain.dtype == np.float32
        np.testing.assert_array_equal(rainy, compose(clean, rain, composition))
        assert frame.mask.any()


def test_the_first_frame_is_the_picture_with_the_same_seed():
    image, spec = seeded(0).random((60, 80)), RainSpec(angle=15, veil=0.1, texture=0.4)
    video = next(rain_video(image, spec, seeded()))
    still = add_rain(image, spec, seeded())
    np.testing.assert_array_equal(video.rainy, still.rainy)
    np.testing.assert_array_equal(video.rain, still.rain)


@pytest.mark.parametrize("angle", [-35.0, 0.0, 20.0, 70.0])
@pytest.mark.parametrize(("fps", "exposure"), [(25.0, 1 / 25), (30.0, 1 / 50)])
def test_rain_moves_along_its_streaks_by_length_over_exposure_and_rate(angle, fps, exposure):
    spec = RainSpec(angle=angle, length=14, width=3.0, density=3000, **ALIKE)
    video = rain_video(np.zeros((192, 192)), spec, seeded(), fps=fps, exposure=exposure, start=5, count=3)
    way = 14 / (exposure * fps)
    expected = way * np.cos(np.deg2rad(angle)), way * np.sin(np.deg2rad(angle))
    for one, two in itertools.pairwise(frame.rain for frame in video):
        np.testing.assert_allclose(movement(one, two), expected, atol=1.0)
        # Away from the borders, where drops enter, one frame is the other moved, to a small part of a pixel.
        inside = np.s_[40:-40, 40:-40]
        shifted = moved(one, *expected)[inside]
        assert np.abs(shifted - two[inside]).max() < 0.05 * two.max()
        further = moved(one, expected[0] * 1.03, expected[1] * 1.03)[inside]
        assert np.std(further - two[inside]) > 3 * np.std(shifted - two[inside])


def test_near_layers_move_faster_in_proportion_to_their_length():
    spec = RainSpec(layers=(RainLayer(length=2.0, distance=0.5), RainLayer(length=0.5, distance=2.0)), variation=0.0)
    drops = Drops.draw((200, 200), spec, seeded())
    before, after = drops.streaks(0.0), drops.streaks(0.01)
    moved = np.hypot(after.row - before.row, after.column - before.column)
    for distance, length in ((0.5, 80.0), (2.0, 20.0)):
        assert np.median(moved[before.distance == distance]) == pytest.approx(0.01 * length)


@pytest.mark.parametrize("angle", [0.0, 30.0, -80.0])
def test_a_drop_in_the_picture_keeps_course_size_and_brightness(angle):
    drops = Drops.draw((120, 160), RainSpec(angle=angle, angle_spread=10, density=20000), seeded())
    for time in (0.0, 7.3, 400.0):
        one, two = drops.streaks(time), drops.streaks(time + 0.1)
        direction = np.deg2rad(one.angle)
        step = np.where(np.hypot(two.row - one.row, two.column - one.column) < 20)[0]
        inside = (abs(one.row - 60) < 60) & (abs(one.column - 80) < 80)
        assert inside.sum() > 100
        # Only drops outside of the picture are moved to its other side and replaced.
        assert np.isin(np.where(inside)[0], step).all()
        for name in ("angle", "length", "sigma", "peak", "distance"):
            np.testing.assert_array_equal(getattr(one, name)[inside], getattr(two, name)[inside])
        way = (two.row - one.row) * np.cos(direction) + (two.column - one.column) * np.sin(direction)
        across = (two.column - one.column) * np.cos(direction) - (two.row - one.row) * np.sin(direction)
        np.testing.assert_allclose(across[inside], 0, atol=1e-6)
        assert (way[inside] > 0).all()


def test_nothing_appears_or_vanishes_inside_the_picture():
    spec = RainSpec(angle=25, angle_spread=15, density=20000, composition="additive", intensity=0.2)
    drops = Drops.draw((64, 64), spec, seeded())
    step = 1e-4
    for time in np.linspace(0, 50, 40):
        one, two = drops.streaks(time), drops.streaks(time + step)
        jumped = np.hypot(two.row - one.row, two.column - one.column) > 2 * step * one.length.max()
        for streaks in (one, two):
            # The box around a streak, cut-off included, is outside of the picture whenever the drop is replaced.
            half, radius = streaks.length / 2, 4 * streaks.sigma
            c, s = abs(np.cos(np.deg2rad(streaks.angle))), abs(np.sin(np.deg2rad(streaks.angle)))
            rows, columns = c * half + s * radius, s * half + c * radius
            visible = (streaks.row + rows > 0) & (streaks.row - rows < 63)
            visible &= (streaks.column + columns > 0) & (streaks.column - columns < 63)
            assert not (visible & jumped).any()


def test_rain_is_as_dense_at_all_times_and_never_returns():
    spec = RainSpec(angle=0, angle_spread=0, density=30000, layers=1, variation=0.5)
    frames = list(rain_video(np.zeros((96, 96)), spec, seeded(), count=60))
    means = np.array([frame.rain.mean() for frame in frames])
    assert means[30:].mean() == pytest.approx(means[:30].mean(), rel=0.1)
    assert means.std() < 0.15 * means.mean()
    first = frames[0].rain - means[0]
    for frame in frames[5:]:
        later = frame.rain - frame.rain.mean()
        assert np.sum(first * later) < 0.5 * np.sqrt(np.sum(first**2) * np.sum(later**2))


@pytest.mark.parametrize("start", [1, 4, 1000])
def test_a_frame_does_not_depend_on_those_before_it(start):
    image, spec = np.full((40, 50), 0.3), RainSpec(angle=-10, veil=0.1, texture=0.5, density=20000)
    whole = list(rain_video(image, spec, seeded(), start=max(0, start - 3), count=6))
    alone = next(rain_video(image, spec, seeded(), start=start, count=1))
    np.testing.assert_array_equal(alone.rainy, whole[start - max(0, start - 3)].rainy)


def test_the_generator_is_drawn_from_at_once_and_no_more():
    rng = seeded()
    video = rain_video(np.zeros((30, 30)), RainSpec(), rng)
    state = rng.bit_generator.state
    next(video), next(video)
    assert rng.bit_generator.state == state


def test_frames_are_taken_one_at_a_time():
    taken = []

    def clip():
        for k in range(100):
            taken.append(k)
            yield np.full((20, 20), 0.5, np.float32)

    video = rain_video(clip(), RainSpec(), seeded())
    next(video), next(video)
    assert len(taken) <= 3


def test_a_clip_ends_and_a_picture_does_not():
    clip = np.full((5, 20, 30, 3), 0.5, np.float32)
    assert len(list(rain_video(clip, RainSpec(), seeded()))) == 5
    assert len(list(rain_video(clip, RainSpec(), seeded(), count=3))) == 3
    assert len(list(rain_video(iter(clip), RainSpec(), seeded(), count=9))) == 5
    assert len(list(itertools.islice(rain_video(clip[0], RainSpec(), seeded()), 12))) == 12
    assert list(rain_video([], RainSpec(), seeded())) == []
    assert list(rain_video(clip, RainSpec(), seeded(), count=0)) == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"fps": 0}, ValueError, "`fps` must be"),
        ({"exposure": 0.1}, ValueError, r"`exposure` must be a number in \(0, 0.04\], got 0.1"),
        ({"start": -1}, ValueError, "`start` must be a whole number"),
        ({"count": 2.5}, ValueError, "`count` must be a whole number"),
        ({"frames": 3}, TypeError, "`frames` must be a picture or an iterable"),
        ({"frames": [np.zeros((2, 3, 4, 5))]}, ValueError, "`frames` must be .*got shape"),
    ],
)
def test_bad_arguments_are_named_at_once(arguments, error, message):
    call = {"frames": np.zeros((20, 20)), "spec": RainSpec(), "rng": seeded(), **arguments}
    with pytest.raises(error, match=message):
        rain_video(**call)


def test_frames_of_another_shape_are_named_when_they_come():
    video = rain_video([np.zeros((20, 20)), np.zeros((20, 21))], RainSpec(), seeded(), start=4)
    next(video)
    with pytest.raises(ValueError, match=r"`frames` must be of one shape, \(20, 20\), got \(20, 21\) as frame 5"):
        next(video)
