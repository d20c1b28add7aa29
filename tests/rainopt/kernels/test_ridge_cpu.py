from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from rainopt.direction import ridges as module
from rainopt.direction.ridges import FEWEST, REACH, TURN, find_ridges, gaussian_derivatives, turn
from rainopt.kernels import ridge_cpu as kernel
from tests.support.drawings import busy


def curved(image, sigma=1.0, bands=None):
    """Strength, cosine and sine of `curvature`, computed in bands."""
    out = [np.full(image.shape, np.nan, image.dtype) for _ in range(3)]
    taps = gaussian_derivatives(sigma).astype(image.dtype)
    for first, last in bands or [(0, len(image))]:
        kernel.curvature(image, taps, first, last, *out)
    return out


def crested(strength, cos2, sin2, sign=1.0, threshold=0.0, crests=kernel.crests, bands=None):
    """Crests and offsets; one threshold for all, or one for each block of 10 pixels."""
    crest, offset = np.empty(strength.shape, bool), np.full(strength.shape, np.nan, np.float32)
    block = 10_000 if np.ndim(threshold) == 0 else 10
    thresholds = np.atleast_2d(np.float32(threshold))
    for first, last in bands or [(0, len(strength))]:
        crests(strength, cos2, sin2, np.float32(sign), thresholds, block, first, last, crest, offset)
    return crest, offset


def linked(crest, cos2, sin2, least):
    owner = np.full(crest.shape, 99, np.int32)
    return kernel.link(crest, cos2, sin2, np.float32(least), owner), owner


def directions(rng, shape):
    theta = rng.uniform(0, 2 * np.pi, shape)
    return np.cos(theta).astype(np.float32), np.sin(theta).astype(np.float32)


def cos_sin(cos2, sin2):
    theta = np.arctan2(sin2.astype(float), cos2.astype(float)) / 2
    return np.cos(theta), np.sin(theta)


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
    # Single precision is kept, and near double.
    for single, double in zip(curved(image.astype(np.float32), sigma), (strength, cos2, sin2), strict=True):
        assert single.dtype == np.float32
        assert np.median(np.abs(single - double)) < 1e-4


@given(st.lists(st.integers(1, 29), unique=True, max_size=5), st.sampled_from([1.0, 2.0]))
def test_bands_change_nothing(cuts, sigma):
    image = np.random.default_rng(len(cuts)).random((30, 12)).astype(np.float32)
    bands = list(pairwise([0, *sorted(cuts), 30]))
    whole = curved(image, sigma)
    for mine, theirs in zip(curved(image, sigma, bands), whole, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    for mine, theirs in zip(crested(*whole, 1, 0.01, bands=bands), crested(*whole, 1, 0.01), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (6, 1), (3, 3), (14, 11)])
def test_crests_are_largest_across_their_ridge(rng, shape, sign):
    strength = rng.standard_normal(shape).astype(np.float32)
    cos2, sin2 = directions(rng, shape)
    crest, offset = crested(strength, cos2, sin2, sign, 0.2)
    interpreted, near = crested(strength, cos2, sin2, sign, 0.2, kernel.crests.py_func)
    np.testing.assert_array_equal(crest, interpreted)
    np.testing.assert_allclose(offset, near, atol=1e-5)

    cos, sin = cos_sin(cos2, sin2)
    kind = np.maximum(sign * strength.astype(float), 0)
    row, column = np.indices(shape)
    sides = []
    for side in (-1, 1):
        at = np.clip(np.array([row - side * sin, column + side * cos]), 0, np.array(shape)[:, None, None] - 1)
        sides.append(ndimage.map_coordinates(kind, at, order=1, mode="nearest"))
    before, after = sides
    np.testing.assert_array_equal(crest, (kind >= 0.2) & (kind >= before) & (kind >= after))
    # The crest of a parabola through the three.
    for i, j in zip(*np.nonzero(crest), strict=True):
        a, b, _ = np.polyfit([-1, 0, 1], [before[i, j], kind[i, j], after[i, j]], 2)
        assert offset[i, j] == pytest.approx(-b / (2 * a) if a < 0 else 0, abs=1e-4)
    assert np.all(np.abs(offset[crest]) <= 0.5)
    assert np.isnan(offset[~crest]).all()


def test_each_block_has_its_threshold(rng):
    strength = rng.random((20, 30)).astype(np.float32)
    where = directions(rng, strength.shape)
    thresholds = np.array([[0.2, 0.9, 0.0], [np.inf, 0.5, 0.7]], np.float32)
    anywhere, _ = crested(strength, *where)
    expected = anywhere & (strength >= np.kron(thresholds, np.ones((10, 10))))
    np.testing.assert_array_equal(crested(strength, *where, 1, thresholds)[0], expected)


@pytest.mark.parametrize("least", [-2, -0.5, 0.3, 0.766, 0.99])
def test_links_are_the_components_of_a_graph(rng, least):
    # In a spiral arms meet late, so that many roots are joined.
    row, column = np.indices((41, 41)) - 20
    spiral = np.mod(np.hypot(row, column) - np.arctan2(row, column) * 4 / (2 * np.pi), 4) < 1.5
    drawn = [rng.random(shape) < share for shape in ((1, 20), (20, 1), (12, 17), (33, 40)) for share in (0.4, 0.8)]
    for crest in (np.zeros((1, 1), bool), np.ones((1, 1), bool), spiral, *drawn):
        cos2, sin2 = directions(rng, crest.shape)
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


def test_measures_are_sums_over_pixels(rng):
    shape, reach, count = (13, 17), 2.5, 4
    owner = rng.integers(-1, count, shape).astype(np.int32)
    cos2, sin2 = directions(rng, shape)
    offset = rng.uniform(-0.5, 0.5, shape).astype(np.float32)
    colour = rng.random((3, *shape)).astype(np.float32)
    luminance = rng.random(shape).astype(np.float32)
    sums = np.zeros((count, kernel.CHANNELS + 3))
    kernel.measure(owner, cos2, sin2, offset, luminance, colour, reach, sums)

    cos, sin = cos_sin(cos2, sin2)
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


@pytest.mark.parametrize("sign", [1, -1])
def test_ridges_have_the_second_moments_and_the_means_of_their_pixels(rng, monkeypatch, sign):
    image = busy(rng)
    monkeypatch.setattr(module, "_threshold", lambda _: np.float32(0.01))
    found = find_ridges(image[None], image)[0 if sign > 0 else 1]

    strength, cos2, sin2 = curved(image)
    crest, offset = crested(strength, cos2, sin2, sign, 0.01)
    count, owner = linked(crest, cos2, sin2, np.cos(2 * np.radians(TURN)))
    sums = np.zeros((count, kernel.CHANNELS + 1))
    kernel.measure(owner, cos2, sin2, offset, image, image[None], REACH, sums)
    ridges = [k for k in range(count) if (owner == k).sum() >= FEWEST]
    assert len(found.angle) == len(ridges) > 10
    cos, sin = cos_sin(cos2, sin2)
    i, j = np.indices(image.shape)
    for number, k in enumerate(ridges):
        ridge = found.select(np.array([number]))
        row, column = (i - sin * offset)[owner == k], (j + cos * offset)[owner == k]
        values, vectors = np.linalg.eigh(np.cov(row, column, bias=True))
        # A uniform line of n pixels has variance (n² - 1) / 12.
        assert ridge.width == pytest.approx([np.sqrt(12 * max(values[0], 0) + 1)], rel=1e-4)
        assert ridge.length == pytest.approx([np.sqrt(12 * values[1] + 1)], rel=1e-4)
        angle = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
        assert turn(ridge.angle - angle) == pytest.approx([0], abs=1e-2)
        local = np.degrees(np.arctan2(sums[k, kernel.SIN2], sums[k, kernel.COS2])) / 2
        assert ridge.bend == pytest.approx([abs(turn(angle - local))], abs=1e-2)
        assert ridge.row == pytest.approx([row.mean()], abs=1e-4)
        assert ridge.column == pytest.approx([column.mean()], abs=1e-4)
        assert ridge.contrast == pytest.approx([sign * sums[k, kernel.CONTRAST] / len(row)])
        assert ridge.step == pytest.approx([sums[k, kernel.STEP] / len(row)])
        # Of one channel, which is grey; where it has no contrast, it is no line of any colour.
        assert ridge.chroma == [1 if ridge.contrast > 0 else -1]
