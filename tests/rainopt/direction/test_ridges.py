from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from rainopt.direction import ridges as module
from rainopt.direction.ridges import NONE, Ridges, find_ridges, gaussian_derivatives, turn
from tests.support.drawings import ANGLES, bar, busy, ridge


def find(*planes, sigma=1.0):
    colour = np.stack(planes).astype(np.float32)
    return find_ridges(colour, colour.mean(axis=0), sigma)


def same(one: Ridges, other: Ridges, atol=2e-3, least=12):
    """Every long ridge of either is in the other; returns their number."""
    for mine, theirs in ((one, other), (other, one)):
        for k in np.flatnonzero(mine.length >= least):
            distance = np.hypot(mine.row[k] - theirs.row, mine.column[k] - theirs.column)
            match = int(np.argmin(distance))
            assert distance[match] < 0.01
            assert abs(turn(mine.angle[k] - theirs.angle[match])) < 0.02
            for name in ("length", "width", "contrast", "step", "chroma"):
                assert getattr(mine, name)[k] == pytest.approx(getattr(theirs, name)[match], rel=atol, abs=atol), name
            assert mine.bend[k] == pytest.approx(theirs.bend[match], abs=0.02)
    return int((one.length >= least).sum())


def equal(one, other):
    for mine, theirs in zip(one, other, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.fixture
def half(monkeypatch):
    """Let ridges end where they have fallen to half the strength of a line of `bar`."""
    strength = 0.4 * 0.8 / np.hypot(1, 0.8) ** 3
    monkeypatch.setattr(module, "_threshold", lambda _: np.float32(strength / 2))


# Lines, drawn and found


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("length", [12, 30, 47.5])
def test_a_line_is_found_as_drawn(half, angle, length):
    shape, row, column = (75, 81), 36.3, 41.6
    image = 0.3 + bar(shape, row, column, angle, length)
    bright, _ = find(image)
    assert len(bright.angle) == 1
    assert abs(turn(bright.angle[0] - angle)) < 1.5 * 12 / length
    assert -90 < bright.angle[0] <= 90
    assert bright.length[0] == pytest.approx(length, abs=2.7)
    assert 1 <= bright.width[0] < 1.2
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    down, right = bright.row[0] - row, bright.column[0] - column
    assert abs(right * cos - down * sin) < 0.15
    assert abs(down * cos + right * sin) < 1.3
    assert bright.bend[0] < 3
    # Of 0.4, where the crest is half a pixel off, three quarters are left.
    assert 0.28 < bright.contrast[0] < 0.4
    # One side is nearer then.
    assert bright.step[0] < 0.07
    assert bright.chroma[0] == 1
    # The same, dark.
    bright_again, dark = find(0.7 - (image - 0.3))
    assert not (bright_again.length > length / 2).any()
    assert same(dark, bright, least=0) == 1


@pytest.mark.parametrize("column", range(20, 23))
def test_a_lone_uniform_line_is_found_wherever_it_is(column):
    # All its pixels are equally strong, so that none exceeds a quantile of them, and it may lie between the samples.
    for slope in (0, 1):
        bright, _ = find(ridge((61, 64), 30, column + slope, 45 * slope, 0.8, 0.3))
        assert bright.length.max() > (20 if slope else 60)
        assert abs(bright.angle[bright.length.argmax()] - 45 * slope) < 1
    image = np.full((60, 60), 0.5)
    image[:, column] += 0.2
    bright, _ = find(image)
    assert len(bright.angle) == 1
    assert bright.column[0] == pytest.approx(column)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("sign", [1, -1])
def test_contrast_step_and_colour_of_a_line_between_two_surfaces(half, sign, transposed):
    left, right, line = 0.25, 0.375, 0.5 + sign * 0.5
    colour = np.full((3, 20, 21), left, np.float32)
    colour[:, :, 11:] = right
    colour[:, :, 10] = np.array([line, line - 0.0625, line + 0.0625])[:, None]
    if transposed:
        colour = colour.transpose(0, 2, 1)
    found = find_ridges(colour, colour[0])[0 if sign > 0 else 1]
    height = sign * (line - (left + right) / 2)
    assert found.contrast == pytest.approx([height])
    assert found.step == pytest.approx([right - left])
    heights = height + sign * np.array([0, -0.0625, 0.0625])
    assert found.chroma == pytest.approx([heights.min() / heights.max()])
    assert turn(found.angle - (90 if transposed else 0)) == pytest.approx([0], abs=1e-4)
    assert found.length == pytest.approx([20])
    assert found.width == pytest.approx([1], abs=0.01)
    assert found.bend == pytest.approx([0], abs=1e-4)
    row, column = (found.column, found.row) if transposed else (found.row, found.column)
    assert (row, column) == (pytest.approx([9.5]), pytest.approx([10], abs=0.3))


def test_streaks_that_cross_stay_apart(half):
    shape = (90, 80)
    image = np.maximum(bar(shape, 45, 40, 35, 60), bar(shape, 45, 40, -25, 60))
    bright, _ = find(image)
    long = bright.length > 12
    for angle in (35, -25):
        # Each is cut in two where they cross, or goes through.
        ours = long & (np.abs(turn(bright.angle - angle)) < 3)
        assert 45 < bright.length[ours].sum() < 63
        assert bright.bend[ours].max() < 3
    assert (np.minimum(np.abs(bright.angle[long] - 35), np.abs(bright.angle[long] + 25)) < 3).all()


def test_an_edge_is_no_line_but_has_a_step(half):
    column = np.arange(60.0) + np.zeros((60, 1))
    for found in find(0.2 + 0.7 * special.ndtr((column - 30) / 0.8)):
        assert len(found.step) > 0
        assert (found.step > found.contrast).all()


def test_wide_lines_are_found_at_a_wide_scale(rng):
    image = 0.3 + 0.002 * rng.random((100, 100)) + bar((100, 100), 50, 50, -30, 50, width=3, height=0.4)
    fine, coarse = find(image)[0], find(image, sigma=3.0)[0]
    k = coarse.length.argmax()
    assert coarse.length[k] == pytest.approx(50, abs=8)
    assert coarse.angle[k] == pytest.approx(-30, abs=1)
    # Its sides are looked for further away.
    assert fine.contrast[fine.length.argmax()] < 0.2 < 0.3 < coarse.contrast[k]


def test_thresholds_follow_their_block_within_limits(rng):
    # Fine texture to the left, coarse in the middle, none to the right.
    side = module.BLOCK
    texture = rng.random((side, side))
    bright, _ = find(np.concatenate([scale * texture for scale in (0.1, 0.6, 1.0, 0.0)], axis=1))
    alone, _ = find(texture)

    def inside(found, block):
        column = found.column - block * side
        return int(((column > 8) & (column < side - 8)).sum())

    # As many as if there were no other block; or few, being faint beside the rest; or more, as there are faint blocks.
    assert inside(bright, 1) == pytest.approx(inside(alone, 0), rel=0.05)
    assert inside(bright, 0) < 0.3 * inside(alone, 0)
    assert inside(bright, 2) != inside(alone, 0)
    assert inside(bright, 3) == 0


def test_few_pixels_are_no_ridge(half):
    # A short line, and one of three pixels.
    assert len(find(bar((40, 40), 20, 20, 0, 8))[0].angle) == 1
    assert len(find(bar((40, 40), 20, 20, 0, 1.5))[0].angle) == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_rounding_is_no_ridge(sign):
    line = np.full((40, 40), 0.5, np.float32)
    for level, there in ((0.05, False), (0.2, True)):
        line[:, 21] = 0.5 + sign * level / 255
        found = find(line)[0 if sign > 0 else 1]
        assert (len(found.angle) == 1) is there


def test_level_lines_are_at_90_and_not_at_minus_90():
    for row in (4.1, 4.3, 4.7):
        for count in range(50, 1200, 46):
            bright, _ = find(ridge((9, count), row, count / 2, 90))
            k = bright.length.argmax()
            assert bright.length[k] > 0.9 * count
            assert abs(turn(bright.angle[k] - 90)) < 1e-4
            assert -90 < bright.angle[k] <= 90


# Invariances


def test_a_negated_image_swaps_bright_and_dark(rng):
    colour = rng.random((3, 90, 70)).astype(np.float32)
    luminance = colour.mean(axis=0)
    bright, dark = find_ridges(colour, luminance)
    other = find_ridges(-colour, -luminance)
    assert len(bright.angle) > 30
    equal(other[1], bright)
    equal(other[0], dark)


def test_ridges_move_with_the_image(rng):
    image = busy(rng)
    for kind, found in enumerate(find(image)):

        def expect(other, number, kind=kind, **fields):
            assert same(find(other)[kind], found._replace(**fields)) == number  # noqa: B023

        number = int((found.length >= 12).sum())
        assert number >= 4
        expect(image[:, ::-1], number, angle=-found.angle, column=99 - found.column)
        expect(image[::-1], number, angle=-found.angle, row=99 - found.row)
        expect(image.T, number, angle=90 - found.angle, row=found.column, column=found.row)
        # Added light changes nothing but rounding.
        expect(image + np.float32(0.2), number)


@pytest.mark.parametrize("scale", [0.25, 0.5, 2.0])
def test_brightness_scales_the_contrast_alone(rng, monkeypatch, scale):
    image = busy(rng)
    monkeypatch.setattr(module, "FAINTEST", 0.0)
    for found, other in zip(find(image), find(np.float32(scale) * image), strict=True):
        assert len(found.angle) > 10
        expected = found._replace(contrast=scale * found.contrast, step=scale * found.step)
        for mine, theirs in zip(other, expected, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_fields_are_in_their_ranges(seed):
    rng = np.random.default_rng(seed)
    image = np.round(3 * rng.random((3, 40, 53))).astype(np.float32) / 3
    for found in find_ridges(image, image.mean(axis=0)):
        assert len({len(field) for field in found}) == 1
        assert len(found.angle) > 5
        assert all(np.isfinite(field).all() for field in found)
        assert ((found.angle > -90) & (found.angle <= 90)).all()
        assert (found.length >= found.width).all()
        assert (found.width >= 1).all()
        assert ((found.row >= -0.5) & (found.row <= 39.5) & (found.column >= -0.5) & (found.column <= 52.5)).all()
        assert ((found.bend >= 0) & (found.bend <= 90)).all()
        assert (found.step >= 0).all()
        assert (found.chroma <= 1).all()


def test_the_number_of_threads_changes_nothing_even_to_many_callers_at_once(thread_count):
    images = [np.random.default_rng(k).random((1, 300, 50)).astype(np.float32) for k in range(12)]
    expected = [find_ridges(image, image[0]) for image in images]
    for count in (1, 2, 4):
        thread_count(count)
        with ThreadPoolExecutor(6) as callers:
            futures = [callers.submit(find_ridges, image, image[0]) for image in images]
            results = [future.result(timeout=60) for future in futures]
        for mine, theirs in zip(results, expected, strict=True):
            for kind in (0, 1):
                equal(mine[kind], theirs[kind])


def test_layout_in_memory_does_not_matter_and_the_input_is_kept(rng):
    base = rng.random((60, 50, 4)).astype(np.float32)
    kept = base.copy()
    colour, luminance = np.moveaxis(base, -1, 0)[:3], base[..., 3]
    expected = find_ridges(np.ascontiguousarray(colour), np.ascontiguousarray(luminance))
    for mine, theirs in zip(find_ridges(colour, luminance), expected, strict=True):
        equal(mine, theirs)
    np.testing.assert_array_equal(base, kept)


@pytest.mark.parametrize("shape", [(1, 1), (2, 50), (50, 1), (0, 5), (3, 3), (3, 40), (40, 40)])
def test_tiny_and_constant_images_have_no_ridges(rng, shape):
    for value in (0.0, 0.3, 1.0):
        for found in find(*np.full((3, *shape), value)):
            assert all(field.shape == (0,) for field in found)
    image = rng.random(shape).astype(np.float32)
    for sigma in (1.0, 2.0):
        found = find_ridges(image[None], image, sigma)
        assert min(shape) >= 3 or found == (NONE, NONE)
        assert all(np.isfinite(field).all() for kind in found for field in kind)


# Derivatives, and differences of directions


@pytest.mark.parametrize("sigma", [0.5, 0.8, 1.0, 1.7, 2.0, 3.3])
def test_derivatives_are_exact_on_polynomials_and_those_of_a_gaussian(sigma):
    taps = gaussian_derivatives(sigma).astype(float)
    assert taps.shape[1] % 2 == 1
    t = np.arange(taps.shape[1]) - taps.shape[1] // 2
    assert t[-1] >= 3 * sigma - 0.5
    at = 2.5
    for order, degree in ((0, 1), (1, 2), (2, 3)):
        for power in range(degree + 1):
            polynomial = np.poly1d([1.0] + [0.0] * power)
            expected = polynomial.deriv(order)(at) if order else polynomial(at)
            value = taps[order] @ polynomial(at + t)
            assert value == pytest.approx(expected, abs=2e-6 * (np.abs(taps[order]) @ np.abs(at + t) ** power + 1))
    if sigma >= 2:
        gauss = np.exp(-0.5 * (t / sigma) ** 2) / (np.sqrt(2 * np.pi) * sigma)
        expected = gauss, t / sigma**2 * gauss, (t**2 / sigma**4 - sigma**-2) * gauss
        np.testing.assert_allclose(taps, expected, atol=4e-3)


@given(st.floats(-1e4, 1e4))
def test_turns_are_the_same_line(angle):
    turned = turn(np.array(angle))
    assert -90 <= turned < 90
    assert np.cos(np.radians(2 * (turned - angle))) == pytest.approx(1)
