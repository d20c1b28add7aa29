import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rainopt.direction import ridges as module
from rainopt.direction.ridges import FAINTEST, STRONGEST, Ridges, gaussian_derivatives, turn
from rainopt.kernels import ridge_cpu as kernel

# Taps


@pytest.mark.parametrize("sigma", [0.5, 0.8, 1.0, 1.7, 2.0, 3.3])
def test_derivatives_are_exact_on_polynomials(sigma):
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


def test_taps_are_those_of_a_gaussian():
    t = np.arange(-6, 7)
    gauss = np.exp(-(t**2) / 8) / np.sqrt(8 * np.pi)
    expected = gauss, t / 4 * gauss, (t**2 / 16 - 1 / 4) * gauss
    np.testing.assert_allclose(gaussian_derivatives(2.0), expected, atol=4e-3)


# Thresholds


def test_thresholds_follow_their_block_within_limits(rng):
    # Fine texture to the left, coarse in the middle, none to the right.
    scale = np.repeat([0.1, 0.6, 1.0, 0.0], module.BLOCK)[None, :]
    strength = (rng.random((module.BLOCK, 4 * module.BLOCK)) * scale).astype(np.float32)
    (local,) = module._thresholds(strength)
    everywhere = module._threshold(strength[:: module.SAMPLE, :: module.SAMPLE])
    assert local[0] == pytest.approx(module.LOCAL * everywhere)
    assert local[1] == pytest.approx(0.6 * (1 - module.STRONGEST), rel=0.05)
    assert local[2] == local[3] == everywhere


def test_the_strongest_share_takes_part():
    strength = np.random.default_rng(0).permutation(np.linspace(-1, 1, 2001)).astype(np.float32)
    threshold = module._threshold(strength)
    assert threshold.dtype == np.float32
    assert (strength >= threshold).sum() == pytest.approx(STRONGEST * (strength > FAINTEST).sum(), abs=1)
    assert module._threshold(np.zeros(5, np.float32)) == np.inf
    assert module._threshold(np.full(5, 0.25, np.float32)) == 0.25


# Shapes


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("sign", [1, -1])
def test_contrast_and_step_of_a_line_between_two_surfaces(sign, transposed):
    left, right, line = 0.25, 0.375, 0.5 + sign * 0.25
    image = np.full((3, 20, 21), left, np.float32)
    image[:, :, 11:] = right
    image[:, :, 10] = np.array([line, line - 0.0625, line + 0.0625])[:, None]
    owner = np.full((20, 21), -1, np.int32)
    owner[4:15, 10] = 0
    cos2, sin2 = np.full((20, 21), -1.0 if transposed else 1.0, np.float32), np.zeros((20, 21), np.float32)
    if transposed:
        image, owner = np.ascontiguousarray(image.transpose(0, 2, 1)), np.ascontiguousarray(owner.T)
        cos2, sin2 = cos2.T.copy(), sin2.T.copy()
    sums = np.zeros((1, kernel.CHANNELS + 3))
    kernel.measure(owner, cos2, sin2, np.zeros(owner.shape, np.float32), image[0], image, 3.0, sums)
    found = module._shapes(sums, sign)
    height = sign * (line - (left + right) / 2)
    assert found.contrast == pytest.approx([height])
    assert found.step == pytest.approx([right - left])
    assert found.chroma == pytest.approx([(height - 0.0625) / (height + 0.0625)])
    assert found.angle == pytest.approx([90 if transposed else 0])
    assert found.length == pytest.approx([11])
    assert found.width == pytest.approx([1])
    assert found.bend == pytest.approx([0])
    row, column = (found.column, found.row) if transposed else (found.row, found.column)
    assert (row, column) == (pytest.approx([9]), pytest.approx([10]))


@given(st.integers(0, 2**32 - 1), st.integers(2, 30))
def test_shapes_are_the_second_moments(seed, count):
    rng = np.random.default_rng(seed)
    row, column = rng.normal(50, 5, count), rng.normal(40, 9, count)
    ones = np.ones(count)
    terms = [ones, row, column, row**2, column**2, row * column, 0.6 * ones, 0.8 * ones, 0.3 * ones, 0.1 * ones]
    sums = np.array([[term.sum() for term in (*terms, 0.2 * ones, 0.4 * ones, -0.1 * ones)]])
    found = module._shapes(sums, 1.0)
    values, vectors = np.linalg.eigh(np.cov(row, column, bias=True))
    assert found.width == pytest.approx([np.sqrt(12 * max(values[0], 0) + 1)], rel=1e-6)
    assert found.length == pytest.approx([np.sqrt(12 * values[1] + 1)], rel=1e-6)
    angle = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
    assert turn(found.angle - angle) == pytest.approx([0], abs=1e-4)
    assert -90 < found.angle[0] <= 90
    assert found.bend == pytest.approx(np.abs(turn(angle - np.degrees(np.arctan2(0.8, 0.6)) / 2)), abs=1e-4)
    assert found.row == pytest.approx([row.mean()])
    assert found.column == pytest.approx([column.mean()])
    assert found.contrast == pytest.approx([0.3])
    assert found.step == pytest.approx([0.1])
    assert found.chroma == pytest.approx([-0.25])


def test_where_no_channel_is_in_contrast_it_has_no_grey():
    sums = np.array([[4.0, 0, 0, 0, 20, 0, 4, 0, -1, 0, -1, 0, -2]])
    assert module._shapes(sums, 1.0).chroma == [-1]
    assert module._shapes(sums, -1.0).chroma == [0]


def test_level_lines_are_at_90_and_not_at_minus_90():
    for row in (0.1, 0.3, 0.7, 1.1, 20.6):
        for count in range(50, 1200, 23):
            column = np.arange(count)
            total = np.cumsum(np.column_stack([np.full(count, row), np.full(count, row * row), row * column]), axis=0)
            moments = [total[-1, 0], column.sum(), total[-1, 1], (column**2).sum(), total[-1, 2]]
            (angle,) = module._shapes(np.array([[count, *moments, -count, 0, 1, 0, 1]]), 1.0).angle
            assert abs(turn(angle - 90)) < 1e-6
            assert -90 < angle <= 90


# Selection and directions


def test_selecting():
    all_of = Ridges(*(np.arange(5.0) + k for k in range(len(Ridges._fields))))
    for keep in (np.array([True, False, True, False, False]), np.array([0, 2])):
        for k, field in enumerate(all_of.select(keep)):
            np.testing.assert_array_equal(field, [k, k + 2.0])


@given(st.floats(-1e4, 1e4))
def test_turns_are_the_same_line(angle):
    turned = turn(np.array(angle))
    assert -90 <= turned < 90
    assert np.cos(np.radians(2 * (turned - angle))) == pytest.approx(1)


def test_turns_of_a_half_circle():
    angles = np.array([-180, -90, -1, 0, 89.5, 90, 91, 180, 270])
    np.testing.assert_array_equal(turn(angles), [0, -90, -1, 0, 89.5, -90, -89, 0, -90])
