import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rainopt import derain
from rainopt.arrays import to_numpy
from rainopt.image import LUMA, luminance
from rainopt.kernels import colour_votes_cpu, remove_layer_cpu
from rainopt.still.colour import (
    CELL,
    SIDE,
    SLACK,
    RainLight,
    cells_behind,
    colour_of_rain,
    colour_votes,
    common_shares,
    decided,
    remove_layer,
    shares_over,
)

UNIT = st.floats(0, 1, width=32)
RAIN = hnp.arrays(np.float64, (4, 5), elements=UNIT)
SHARES = hnp.arrays(np.float64, (3, 1, 1), elements=st.floats(0.25, 2, width=32))
ORANGE = np.array([1.5, 0.9, 0.2]) / np.dot(LUMA, [1.5, 0.9, 0.2])


def streaks(rng, shape=(96, 120), slant=0, height=0.2):
    """A layer (H, W) float32 of thin streaks that move ``slant`` columns a row."""
    layer = np.zeros(shape)
    for _ in range(60):
        i, j = rng.integers(0, shape[0] - 20), rng.integers(0, shape[1])
        for k in range(20):
            layer[i + k, (j + slant * k) % shape[1]] = height * rng.uniform(0.5, 1)
    return layer.astype(np.float32)


def rained(rng, layer, shares=ORANGE, level=0.3):
    """A smooth coloured scene (3, H, W) float32 with a layer of one colour over it, and the scene."""
    rows, columns = np.mgrid[: layer.shape[0], : layer.shape[1]] / 200
    scene = np.stack([level + 0.2 * rows, level + 0.1 * columns, level + 0.1 * rows * columns])
    return (scene + shares[:, None, None] * layer).astype(np.float32), scene


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(hnp.arrays(np.float64, (3, 4, 5), elements=UNIT), RAIN, SHARES)
def test_the_luminance_falls_by_what_was_taken_and_that_is_what_keeps_every_channel(dtype, colour, rain, shares):
    colour, rain = colour.astype(dtype), rain.astype(dtype)
    shares = (shares / luminance(shares)).astype(dtype)
    clean, taken = remove_layer(colour, rain, shares)
    np.testing.assert_allclose(luminance(clean), luminance(colour) - taken, atol=1e-6)
    assert clean.dtype == taken.dtype == dtype
    assert np.all((clean >= 0) & (clean <= colour))
    assert np.all((taken >= 0) & (taken <= rain))
    # Where less was taken than was found, the darkest channel is used up.
    np.testing.assert_allclose(clean.min(axis=0)[taken < rain], 0, atol=1e-12 if dtype == np.float64 else 1e-6)


@given(hnp.arrays(np.float64, (1, 4, 5), elements=UNIT), RAIN)
def test_grey_images_are_plain_subtraction(grey, rain):
    rain = np.minimum(rain, grey[0])
    shares = colour_of_rain(grey, rain, (0.0,)).shares
    np.testing.assert_array_equal(shares, 1)
    clean, taken = remove_layer(grey, rain, shares.astype(np.float64))
    np.testing.assert_array_equal(taken, rain)
    np.testing.assert_array_equal(clean[0], grey[0] - rain)
    # And so are three equal channels.
    three = np.repeat(grey, 3, axis=0)
    np.testing.assert_allclose(colour_of_rain(three, rain, (0.0,)).shares, 1, atol=1e-5)
    np.testing.assert_array_equal(remove_layer(three, rain)[0], np.repeat(grey - rain, 3, axis=0))


def test_drops_that_hide_what_is_behind_them_leave_it(rng, xp):
    """The screen composition, and light that is neither white nor as bright, over patches of some cells."""
    scene = rng.uniform(0.1, 0.6, (3, 3, 4)).repeat(3 * CELL, axis=1).repeat(3 * CELL, axis=2)
    covered = streaks(rng, scene.shape[1:], height=0.5)
    rows, columns = np.mgrid[: scene.shape[1], : scene.shape[2]] // CELL
    inside = (rows % 3 == 1) & (columns % 3 == 1)
    for light in (np.ones(3), np.array([1.2, 1.1, 0.9])):
        rainy, bright = scene + covered * (light[:, None, None] - scene), float(luminance(light))
        planes, rain = (xp.asarray(field) for field in (rainy, luminance(rainy) - luminance(scene)))
        known = RainLight(tuple(light / bright), 1 / bright)
        clean = to_numpy(remove_layer(planes, rain, shares_over(known, cells_behind(planes, rain)))[0])
        plain = to_numpy(remove_layer(planes, rain, shares_over(known._replace(hides=0.0), planes))[0])
        off = [np.abs(each - scene)[:, inside].max() for each in (clean, plain)]
        # But for what softens the shares, and for grey light being taken off what is behind first.
        assert off[0] < 0.2 * off[1]


def test_means_of_cells_are_of_the_pixels_that_are_there(rng, xp):
    planes, rain = rng.random((3, 13, 17)), rng.random((13, 17)) / 4
    means = to_numpy(cells_behind(xp.asarray(planes), xp.asarray(rain)))
    left = np.maximum(planes - rain, 0)
    for i, j in ((0, 0), (1, 0), (0, 2), (1, 2)):
        part = left[:, CELL * i : CELL * (i + 1), CELL * j : CELL * (j + 1)]
        np.testing.assert_allclose(means[:, i, j], part.mean(axis=(1, 2)))


@pytest.mark.parametrize(("angle", "slant"), [(0.0, 0), (45.0, 1), (-45.0, -1)])
def test_rain_of_a_known_colour_is_taken_off_in_that_colour(rng, angle, slant):
    layer = streaks(rng, slant=slant)
    rainy, scene = rained(rng, layer)
    found = colour_of_rain(rainy, layer, (angle,))
    np.testing.assert_allclose(found.common, ORANGE, atol=0.05)
    near = found.confidence > 0.8
    assert near.mean() > 0.3
    np.testing.assert_allclose(found.shares[:, near], np.repeat(ORANGE[:, None], near.sum(), axis=1), atol=0.05)
    np.testing.assert_allclose(luminance(found.shares), 1, atol=1e-6)
    error, achromatic = (np.abs(remove_layer(rainy, layer, s)[0] - scene).max() for s in (found.shares, None))
    assert error < 0.15 * achromatic


def test_light_that_differs_from_place_to_place_gives_streaks_of_each_their_own_colour(rng):
    layer = streaks(rng)
    left, right = rained(rng, layer)[0], rained(rng, layer, ORANGE[::-1] / luminance(ORANGE[::-1]))[0]
    rainy = np.where(np.arange(layer.shape[1]) < 60, left, right)
    found = colour_of_rain(rainy, layer, (0.0,))
    sure = found.confidence > 0.85
    sure[:, 6:9] = False
    for half, shares in ((slice(0, 6), ORANGE), (slice(9, None), ORANGE[::-1] / luminance(ORANGE[::-1]))):
        here = found.shares[:, :, half][:, sure[:, half]]
        np.testing.assert_allclose(here.mean(axis=1), shares, atol=0.15)


def test_few_streaks_are_achromatic_and_a_place_without_has_the_colour_of_the_picture(rng):
    layer = np.zeros((96, 120), np.float32)
    layer[40:48, 60] = 0.02
    found = colour_of_rain(rained(rng, layer)[0], layer, (0.0,))
    np.testing.assert_allclose(found.shares, 1, atol=0.2)
    assert found.confidence.max() < 0.5
    layer = streaks(rng)
    layer[:, 64:] = 0
    found = colour_of_rain(rained(rng, layer)[0], layer, (0.0,))
    np.testing.assert_array_equal(found.confidence[:, 9:], 0)
    np.testing.assert_allclose(found.shares[:, :, 9:], np.broadcast_to(found.common[:, None, None], (3, 12, 6)), 1e-6)
    nothing = colour_of_rain(rained(rng, layer)[0], np.zeros_like(layer), (0.0,))
    np.testing.assert_array_equal(nothing.common, 1)


@pytest.mark.parametrize("light", [(1.0, 0.08, 0.0), (0.05, 0.2, 1.0)])
def test_streaks_in_the_light_of_a_lamp_go_where_a_channel_is_at_0(rng, light):
    """Red of a tail-lamp, and blue, over black."""
    layer = streaks(rng, height=0.3)
    rainy = np.rint(255 * np.array(light)[:, None, None] * layer).astype(np.uint8)
    rain = luminance(rainy.astype(np.float32) / 255)
    clean, taken = remove_layer(
        rainy.astype(np.float32) / 255, rain, colour_of_rain(rainy, rain, (0.0,), 1 / 255).shares
    )
    assert np.mean(clean.max(axis=0)[rain > 0]) < 0.1 * np.mean(rainy.max(axis=0)[rain > 0] / 255)
    np.testing.assert_allclose(luminance(clean), rain - taken, atol=1e-6)
    # And the lamp itself stays under grey rain: what has no blue cannot have been covered by it.
    lamp = np.zeros((3, *layer.shape), np.float32)
    lamp[0] = 0.8
    assert (lamp - remove_layer(lamp, layer)[0]).max() <= SLACK + 1e-6


def test_a_channel_that_is_at_its_end_keeps_it(rng):
    layer = streaks(rng)
    scene = np.stack([np.full(layer.shape, level) for level in (0.4, 0.6, 1.0)])
    rainy = np.minimum(scene + layer, 1).astype(np.float32)
    seen = luminance(rainy) - luminance(scene)
    clean = remove_layer(rainy, seen, colour_of_rain(rainy, seen, (0.0,)).shares)[0]
    # Blue had no room for rain, so that all that is seen of it is red and green.
    assert np.abs(clean - scene).max() < 0.5 * np.abs(remove_layer(rainy, seen)[0] - scene).max()


def test_a_band_of_rows_is_cut_out_of_the_whole(rng, xp):
    layer = streaks(rng)
    arrays = [xp.asarray(a) for a in (rained(rng, layer)[0], layer)]
    shares = colour_of_rain(*arrays, (0.0,)).shares
    whole = to_numpy(remove_layer(*arrays, shares)[0])
    for first, last in ((0, 10), (10, 43), (43, 96)):
        band = remove_layer(arrays[0][:, first:last, :], arrays[1][first:last, :], shares, first)[0]
        np.testing.assert_array_equal(to_numpy(band), whole[:, first:last])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_votes_are_the_sums_of_products_of_what_rises_across_the_rain(as_written, rng, xp, dtype):
    full = 1 if dtype == np.float32 else np.iinfo(dtype).max
    planes, rain = (full * rng.random((3, 19, 23))).astype(dtype), rng.random((19, 23), dtype=np.float32)
    rain[rain < 0.4] = 0
    expected = np.zeros((3, 3, 3))
    d, far = round(SIDE), lambda k, n: min(max(k, 0), n - 1)
    for i in range(19):
        for j in range(23):
            for di, dj in ((0, d), (-d, 0)):
                a, b = ((far(i + s * di, 19), far(j + s * dj, 23)) for s in (1, -1))

                def rise(f, a=a, b=b, here=(i, j)):
                    return float(f[here]) - (float(f[a]) + float(f[b])) / 2

                if rain[i, j] > 0:
                    for c in range(3):
                        expected[c, i // CELL, j // CELL] += rise(rain) * rise(planes[c] / full)
    written = colour_votes(xp.asarray(planes), xp.asarray(rain), (0.0, 90.0), 1 / full)
    np.testing.assert_allclose(to_numpy(written), expected, atol=1e-4)
    offsets = np.array([[0, d], [-d, 0]])
    kernel = colour_votes_cpu.colour_votes(planes, rain, offsets, 1 / full, 0.01, CELL)
    np.testing.assert_allclose(kernel, to_numpy(written), atol=1e-4)
    assert kernel.dtype == to_numpy(written).dtype == np.float32


def test_the_kernel_takes_off_what_the_operation_as_written_does(as_written, rng):
    colour, rain = rng.random((3, 70, 23), dtype=np.float32), rng.random((70, 23), dtype=np.float32) / 2
    rain[40:44] = 0
    shares = rng.uniform(0.2, 2, (3, 10, 3)).astype(np.float32)
    fast = remove_layer_cpu.remove_layer(colour, rain, shares, CELL, 5, SLACK, LUMA)
    for mine, written in zip(fast, remove_layer(colour, rain, shares, 5), strict=True):
        np.testing.assert_allclose(mine, written, atol=1e-6)
        assert (mine.dtype, mine.shape) == (written.dtype, written.shape)


def test_backends_agree_and_no_rain_leaves_every_bit(xp, rng):
    layer = streaks(rng)
    layer[50:] = 0
    arrays = rained(rng, layer)[0], layer
    there = remove_layer(*(xp.asarray(a) for a in arrays), colour_of_rain(*map(xp.asarray, arrays), (0.0,)).shares)
    here = remove_layer(*arrays, colour_of_rain(*arrays, (0.0,)).shares)
    for mine, theirs in zip(there, here, strict=True):
        np.testing.assert_allclose(to_numpy(mine), theirs, atol=1e-5)
    np.testing.assert_array_equal(to_numpy(there[0])[:, 50:], arrays[0][:, 50:])
    assert not to_numpy(there[1])[50:].any()


def test_frames_of_a_scene_vote_together(rng):
    one, other = (colour_votes(*(rained(rng, layer)[0], layer), (0.0,)) for layer in (streaks(rng), streaks(rng)))
    together = common_shares(one.sum(axis=(1, 2)) + other.sum(axis=(1, 2)))
    np.testing.assert_allclose(together, decided(np.concatenate([one, other], axis=1)).common, atol=1e-5)


@pytest.mark.parametrize("scale", [1.0, 1 / 16])
def test_derain_finds_the_colour_and_says_it(rng, scale):
    layer = streaks(rng, (128, 160))
    rainy = rained(rng, layer)[0]
    found = derain(np.moveaxis(rainy * np.float32(scale), 0, -1), angle=0.0)
    assert found.colour is not None
    np.testing.assert_allclose(found.colour.common, ORANGE, atol=0.15)
    still = to_numpy(found.rain) == 0
    np.testing.assert_array_equal(found.background[still], np.moveaxis(rainy * np.float32(scale), 0, -1)[still])
    assert derain(np.moveaxis(rainy, 0, -1), angle=0.0, strength=0).colour is None
