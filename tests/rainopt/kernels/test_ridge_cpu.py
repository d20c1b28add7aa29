from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from rainopt.direction.ridges import gaussian_derivatives, turn
from rainopt.kernels import ridge_cpu as kernel
from tests.support.drawings import ANGLES, grid, ridge


def curved(image, sigma=1.0, bands=None):
    """Strength, cosine and sine of `curvature`, computed in bands."""
    out = [np.full(image.shape, np.nan, image.dtype) for _ in range(3)]
    taps = gaussian_derivatives(sigma).astype(image.dtype)
    for first, last in bands or [(0, len(image))]:
        kernel.curvature(image, taps, first, last, *out)
    return out


def crested(strength, cos2, sin2, sign=1.0, threshold=0.0, crests=kernel.crests):
    crest, offset = np.empty(strength.shape, bool), np.full(strength.shape, np.nan, np.float32)
    thresholds = np.full((1, 1), threshold, np.float32)
    crests(strength, cos2, sin2, np.float32(sign), thresholds, 10_000, 0, len(strength), crest, offset)
    return crest, offset


def linked(crest, cos2, sin2, least):
    owner = np.full(crest.shape, 99, np.int32)
    return kernel.link(crest, cos2, sin2, np.float32(least), owner), owner


def directions(rng, shape):
    theta = rng.uniform(0, 2 * np.pi, shape)
    return np.cos(theta).astype(np.float32), np.sin(theta).astype(np.float32)


def degrees(cos2, sin2):
    return np.degrees(np.arctan2(sin2, cos2)) / 2


def equal(one, other):
    for mine, theirs in zip(one, other, strict=True):
        np.testing.assert_array_equal(mine, theirs)


# Curvature


@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.0])
@pytest.mark.parametrize("shape", [(3, 3), (1, 9), (17, 4), (24, 31)])
def test_curvature_is_the_largest_eigenvalue_of_the_hessian(rng, shape, sigma):
    image = rng.random(shape)
    strength, cos2, sin2 = curved(image, sigma)
    plain, first, second = gaussian_derivatives(sigma).astype(float)

    def derivative(down, across):
        return ndimage.correlate1d(ndimage.correlate1d(image, down, 0, mode="nearest"), across, 1, mode="nearest")

    rr, cc, rc = derivative(second, plain), derivative(plain, second), derivative(first, first)
    values, vectors = np.linalg.eigh(np.stack([np.stack([rr, rc], -1), np.stack([rc, cc], -1)], -1))
    steepest = np.abs(values).argmax(axis=-1)[..., None]
    np.testing.assert_allclose(strength, -np.take_along_axis(values, steepest, -1)[..., 0], atol=1e-10)
    # A ridge runs along the other eigenvector.
    along = np.take_along_axis(vectors, (1 - steepest)[..., None], -1)[..., 0]
    np.testing.assert_allclose(cos2, along[..., 0] ** 2 - along[..., 1] ** 2, atol=1e-7)
    np.testing.assert_allclose(sin2, 2 * along[..., 0] * along[..., 1], atol=1e-7)


def test_single_precision_is_kept_and_near_double(rng):
    image = rng.random((40, 33))
    for single, double in zip(curved(image.astype(np.float32)), curved(image), strict=True):
        assert single.dtype == np.float32
        assert np.quantile(np.abs(single - double), 0.99) < 1e-4


@given(st.lists(st.integers(1, 29), unique=True, max_size=5), st.sampled_from([1.0, 2.0]))
def test_bands_change_nothing(cuts, sigma):
    image = np.random.default_rng(len(cuts)).random((30, 12)).astype(np.float32)
    ends = [0, *sorted(cuts), 30]
    equal(curved(image, sigma, list(pairwise(ends))), curved(image, sigma))
    strength, cos2, sin2 = curved(image, sigma)
    crest, offset = np.empty(image.shape, bool), np.full(image.shape, np.nan, np.float32)
    for first, last in pairwise(ends):
        thresholds = np.full((1, 1), 0.01, np.float32)
        kernel.crests(strength, cos2, sin2, np.float32(1), thresholds, 10_000, first, last, crest, offset)
    equal((crest, offset), crested(strength, cos2, sin2, 1, 0.01))


@pytest.mark.parametrize("sigma", [1.0, 2.0])
@pytest.mark.parametrize("angle", ANGLES)
def test_ridges_have_their_direction_and_strength(angle, sigma):
    width = 1.5
    image = ridge((41, 45), 19.7, 22.4, angle, width)
    across = grid(image.shape, 19.7, 22.4, angle)[1]
    near = (np.abs(across) < 0.5) & (ndimage.distance_transform_edt(np.pad(np.ones((39, 43)), 1)) > 8)
    for sign in (1, -1):
        strength, cos2, sin2 = curved(sign * image, sigma)
        # What the filters' cut-off and sampling leave of a Gaussian's own derivatives.
        assert np.abs(turn(degrees(cos2, sin2) - angle))[near].max() < 0.8
        np.testing.assert_allclose(np.hypot(cos2, sin2)[near], 1, atol=1e-6)
        total = np.hypot(sigma, width)
        expected = width / total**3 * (1 - (across / total) ** 2) * np.exp(-0.5 * (across / total) ** 2)
        np.testing.assert_allclose(strength[near], sign * expected[near], rtol=0.07)


def test_a_negated_image_swaps_the_signs_alone(rng):
    image = rng.random((30, 25)).astype(np.float32)
    strength, cos2, sin2 = curved(image)
    negated = curved(-image)
    equal(negated, (-strength, cos2, sin2))


def test_curvature_turns_with_the_image(rng):
    image = rng.random((30, 25))
    strength, cos2, sin2 = curved(image)
    for other, expected in (
        (image[:, ::-1], (strength[:, ::-1], cos2[:, ::-1], -sin2[:, ::-1])),
        (image[::-1], (strength[::-1], cos2[::-1], -sin2[::-1])),
        (image.T, (strength.T, -cos2.T, sin2.T)),
        (np.rot90(image), (np.rot90(strength), -np.rot90(cos2), -np.rot90(sin2))),
    ):
        for mine, theirs in zip(curved(np.ascontiguousarray(other)), expected, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-9)


def test_planes_and_ramps_have_no_curvature():
    row, column = np.indices((25, 30)) / 30
    inner = (slice(6, -6), slice(6, -6))
    assert np.abs(curved(np.full((25, 30), 0.7))[0]).max() < 1e-6
    assert np.abs(curved(0.3 * row - 0.8 * column)[0][inner]).max() < 1e-6


# Crests


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (6, 1), (3, 3), (14, 11)])
def test_crests_are_largest_across_their_ridge(rng, shape, sign):
    strength = rng.standard_normal(shape).astype(np.float32)
    cos2, sin2 = directions(rng, shape)
    crest, offset = crested(strength, cos2, sin2, sign, 0.2)
    interpreted, near = crested(strength, cos2, sin2, sign, 0.2, kernel.crests.py_func)
    np.testing.assert_array_equal(crest, interpreted)
    np.testing.assert_allclose(offset, near, atol=1e-5)

    theta = np.radians(degrees(cos2.astype(float), sin2.astype(float)))
    kind = np.maximum(sign * strength.astype(float), 0)
    row, column = np.indices(shape)
    sides = []
    for side in (-1, 1):
        at = np.array([row - side * np.sin(theta), column + side * np.cos(theta)])
        at = np.clip(at, 0, np.array(shape)[:, None, None] - 1)
        sides.append(ndimage.map_coordinates(kind, at, order=1, mode="nearest"))
    before, after = sides
    np.testing.assert_array_equal(crest, (kind >= 0.2) & (kind >= before) & (kind >= after))
    # The crest of a parabola through the three.
    for i, j in zip(*np.nonzero(crest), strict=True):
        a, b, _ = np.polyfit([-1, 0, 1], [before[i, j], kind[i, j], after[i, j]], 2)
        assert offset[i, j] == pytest.approx(-b / (2 * a) if a < 0 else 0, abs=1e-4)
    assert np.all(np.abs(offset[crest]) <= 0.5)
    assert np.isnan(offset[~crest]).all()


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("shift", [-0.4, 0.0, 0.25, 0.5])
def test_crests_lie_on_the_ridge_between_the_pixels(angle, shift):
    shape, cos, sin = (41, 41), np.cos(np.radians(angle)), np.sin(np.radians(angle))
    image = ridge(shape, 20 - shift * sin, 20 + shift * cos, angle, 1.2)
    strength, cos2, sin2 = curved(image)
    crest, offset = crested(strength, cos2, sin2, 1, 0.1)
    inner = np.zeros(shape, bool)
    inner[8:-8, 8:-8] = True
    crest &= inner
    assert crest.sum() >= 25
    across = grid(shape, 20 - shift * sin, 20 + shift * cos, angle)[1]
    # Strength between four pixels is flatter than it is between two.
    assert np.abs(across + offset)[crest].max() < (0.04 if angle in (0, 90) else 0.15)
    assert abs((across + offset)[crest].mean()) < 0.04


def test_each_block_has_its_threshold(rng):
    strength = rng.random((20, 30)).astype(np.float32)
    where = directions(rng, strength.shape)
    thresholds = np.array([[0.2, 0.9, 0.0], [2.0, 0.5, 0.7]], np.float32)
    crest, offset = np.empty(strength.shape, bool), np.empty(strength.shape, np.float32)
    kernel.crests(strength, *where, np.float32(1), thresholds, 10, 0, 20, crest, offset)
    anywhere, _ = crested(strength, *where)
    np.testing.assert_array_equal(crest, anywhere & (strength >= np.kron(thresholds, np.ones((10, 10)))))


def test_nothing_reaches_an_infinite_threshold(rng):
    strength = rng.random((8, 9)).astype(np.float32)
    assert not crested(strength, *directions(rng, strength.shape), 1, np.inf)[0].any()


# Links


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4, 0.6, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (1, 20), (20, 1), (33, 40)])
def test_where_all_directions_agree_links_are_connected_components(rng, shape, share):
    crest = rng.random(shape) < share
    count, owner = linked(crest, *directions(rng, shape), -2)
    expected, components = ndimage.label(crest, np.ones((3, 3)))
    assert count == components
    np.testing.assert_array_equal(owner >= 0, crest)
    # Each as the other's, and in the order of their first pixels.
    pairs = set(zip(owner[crest], expected[crest], strict=True))
    assert len(pairs) == count
    _, first = np.unique(owner[crest], return_index=True)
    assert len(first) == count
    assert (np.diff(first) > 0).all()


@pytest.mark.parametrize("least", [-0.5, 0.3, 0.766, 0.99])
def test_links_are_the_components_of_a_graph(rng, least):
    for shape in ((1, 15), (9, 2), (12, 17)):
        crest = rng.random(shape) < 0.8
        cos2, sin2 = directions(rng, shape)
        if least == 0.99:
            cos2, sin2 = (np.round(4 * a) / 4 for a in (cos2, sin2))
        pixels = np.argwhere(crest)
        near = np.abs(pixels[:, None] - pixels[None]).max(axis=-1) == 1
        agree = np.outer(cos2[crest], cos2[crest]) + np.outer(sin2[crest], sin2[crest]) >= np.float32(least)
        components, expected = csgraph.connected_components(sparse.csr_array(near & agree), directed=False)
        count, owner = linked(crest, cos2, sin2, least)
        assert count == components
        # Both number them by their first pixels.
        np.testing.assert_array_equal(owner[crest], expected)
        assert (owner[~crest] == -1).all()


def test_a_spiral_is_one_ridge():
    # Where arms meet late, many roots are joined.
    row, column = np.indices((41, 41)) - 20
    radius, turned = np.hypot(row, column), np.arctan2(row, column)
    crest = np.mod(radius - turned * 4 / (2 * np.pi), 4) < 1.5
    ones, zeros = np.ones(crest.shape, np.float32), np.zeros(crest.shape, np.float32)
    assert linked(crest, ones, zeros, 0.9)[0] == ndimage.label(crest, np.ones((3, 3)))[1]


# Measures


def test_measures_are_sums_over_pixels(rng):
    shape, reach, count = (13, 17), 2.5, 4
    owner = rng.integers(-1, count, shape).astype(np.int32)
    cos2, sin2 = directions(rng, shape)
    offset = rng.uniform(-0.5, 0.5, shape).astype(np.float32)
    colour = rng.random((3, *shape)).astype(np.float32)
    luminance = rng.random(shape).astype(np.float32)
    sums = np.zeros((count, kernel.CHANNELS + 3))
    kernel.measure(owner, cos2, sin2, offset, luminance, colour, reach, sums)

    theta = np.radians(degrees(cos2.astype(float), sin2.astype(float)))
    cos, sin = np.cos(theta), np.sin(theta)
    i, j = np.indices(shape)
    row, column = i - sin * offset, j + cos * offset

    def side(plane, sign):
        at = np.rint(i - sign * reach * sin).astype(int), np.rint(j + sign * reach * cos).astype(int)
        return plane[at[0].clip(0, shape[0] - 1), at[1].clip(0, shape[1] - 1)].astype(float)

    def height(plane):
        return plane - (side(plane, 1) + side(plane, -1)) / 2

    step = np.abs(side(luminance, 1) - side(luminance, -1))
    terms = [np.ones(shape), row, column, row**2, column**2, row * column, cos2, sin2, height(luminance), step]
    terms += [height(plane) for plane in colour]
    expected = [[term[owner == k].sum() for term in terms] for k in range(count)]
    np.testing.assert_allclose(sums, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("reach", [1.5, 2.5, 3.0, 3.49, 3.5])
@pytest.mark.parametrize("cosine", [1.0, -1.0])
def test_neither_side_is_nearer(reach, cosine):
    # Half a pixel is rounded, and to the same distance on both sides.
    distance = np.abs(np.indices((21, 21)) - 10)[0 if cosine < 0 else 1].astype(np.float32)
    owner = np.where(distance == 0, 0, -1).astype(np.int32)
    flat = np.zeros((21, 21), np.float32)
    sums = np.zeros((1, kernel.CHANNELS + 1))
    kernel.measure(owner, flat + np.float32(cosine), flat, flat, distance, distance[None], reach, sums)
    assert sums[0, kernel.STEP] == 0
