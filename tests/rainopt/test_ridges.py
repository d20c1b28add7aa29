from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, sparse, special
from scipy.sparse import csgraph

from rainopt import ridges as module
from rainopt.kernels import ridge_cpu as kernel
from rainopt.ridges import FAINTEST, NONE, STRONGEST, Ridges, find_ridges, gaussian_derivatives, turn

ANGLES = (-89, -71.3, -60, -45, -33, -10, -1, 0, 0.4, 7, 20, 30, 45, 58.2, 77, 89.5, 90)


def grid(shape, row, column, angle):
    """Distance from a point along and across a direction, at every pixel."""
    down, right = np.indices(shape) - np.array([row, column])[:, None, None]
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return down * cos + right * sin, right * cos - down * sin


def ridge(shape, row, column, angle, width=1.0, height=1.0):
    """Draw a straight ridge across the whole image: a Gaussian of the distance from it."""
    return height * np.exp(-0.5 * (grid(shape, row, column, angle)[1] / width) ** 2)


def bar(shape, row, column, angle, length, width=0.8, height=0.4):
    """Draw a line of one length: a Gaussian across, a blurred box along."""
    along, across = grid(shape, row, column, angle)
    ends = [special.ndtr((length / 2 + sign * along) / width) for sign in (-1, 1)]
    return height * (ends[0] + ends[1] - 1) * np.exp(-0.5 * (across / width) ** 2)


def find(*planes, sigma=1.0):
    colour = np.stack(planes).astype(np.float32)
    return find_ridges(colour, colour.mean(axis=0), sigma)


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


def busy(rng, shape=(100, 100)):
    """Lines far enough apart not to touch, in every direction, on a faint texture; sides of 3n + 1 pixels.

    The threshold looks at every third pixel, which are the same ones in a mirrored image of that size.
    """
    image = 0.4 + 0.01 * rng.random(shape)
    for i, row in enumerate((18, 50, 82)):
        for j, column in enumerate((17, 49, 81)):
            down, right = rng.uniform(-2, 2, 2)
            image += bar(
                shape,
                row + down,
                column + right,
                rng.uniform(-90, 90),
                rng.uniform(16, 22),
                height=(-1) ** (i + j) * 0.3,
            )
    return image.astype(np.float32)


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


def test_thresholds_follow_their_block_within_limits(rng):
    # Fine texture to the left, coarse in the middle, none to the right.
    scale = np.repeat([0.1, 0.6, 1.0, 0.0], module.BLOCK)[None, :]
    strength = (rng.random((module.BLOCK, 4 * module.BLOCK)) * scale).astype(np.float32)
    (local,) = module._thresholds(strength)
    everywhere = module._threshold(strength[:: module.SAMPLE, :: module.SAMPLE])
    assert local[0] == pytest.approx(module.LOCAL * everywhere)
    assert local[1] == pytest.approx(0.6 * (1 - module.STRONGEST), rel=0.05)
    assert local[2] == local[3] == everywhere


def test_a_lone_line_between_the_samples_is_found():
    for column in range(20, 23):
        image = np.full((60, 60), 0.5, np.float32)
        image[:, column] += 0.2
        bright, _ = find_ridges(image[None], image)
        assert len(bright.angle) == 1
        assert bright.column[0] == pytest.approx(column)


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


@pytest.mark.parametrize("column", range(20, 29))
@pytest.mark.parametrize("slope", [0, 1])
def test_a_lone_uniform_line_is_found_wherever_it_is(column, slope):
    # All its pixels are equally strong, so that none exceeds a quantile of them.
    image = ridge((61, 64), 30, column + slope, 45 * slope, 0.8, 0.3)
    bright, _ = find(image)
    assert bright.length.max() > (20 if slope else 60)
    assert abs(bright.angle[bright.length.argmax()] - 45 * slope) < 1


def test_an_edge_is_no_line_but_has_a_step(half):
    column = np.arange(60.0) + np.zeros((60, 1))
    bright, dark = find(0.3 + 0.4 * special.ndtr((column - 30) / 0.8))
    for found in (bright, dark):
        assert (found.step > found.contrast).all()
    # With a line along it there is both.
    bright, _ = find(0.3 + 0.2 * special.ndtr((column - 30) / 0.3) + bar((60, 60), 30, 30, 0, 30))
    k = bright.length.argmax()
    assert bright.length[k] > 20
    assert bright.step[k] == pytest.approx(0.2, abs=0.03)
    assert bright.contrast[k] > bright.step[k]


def test_a_ring_is_bent_and_not_a_line(half):
    row, column = np.indices((60, 60)) - 30
    bright, _ = find(0.4 * np.exp(-0.5 * ((np.hypot(row, column) - 15) / 0.8) ** 2))
    assert (np.maximum(bright.width, bright.bend) > 3).any()
    k = bright.length.argmax()
    assert bright.length[k] < 3 * bright.width[k]
    # A uniform ring of radius r has the second moment r² / 2 in every direction.
    assert bright.length[k] == pytest.approx(np.sqrt(6) * 15, rel=0.05)
    assert bright.width[k] == pytest.approx(np.sqrt(6) * 15, rel=0.05)


@pytest.mark.parametrize(
    ("heights", "chroma"),
    [((0.4, 0.4, 0.4), 1), ((0.4, 0.2, 0.4), 0.5), ((0.15, 0.3, 0.6), 0.25), ((0.6, 0.6, -0.3), -0.5)],
)
def test_the_colour_of_a_line_is_seen(half, heights, chroma):
    planes = [0.35 + bar((60, 60), 30, 30, 20, 30, height=height) for height in heights]
    bright, _ = find(*planes)
    k = bright.length.argmax()
    assert bright.length[k] > 20
    assert bright.chroma[k] == pytest.approx(chroma, abs=0.02)
    assert bright.contrast[k] == pytest.approx(0.9 * np.mean(heights), rel=0.1)


def test_wide_lines_are_found_at_a_wide_scale(rng):
    image = 0.3 + 0.002 * rng.random((100, 100)) + bar((100, 100), 50, 50, -30, 50, width=3, height=0.4)
    fine, coarse = find(image)[0], find(image, sigma=3.0)[0]
    k = coarse.length.argmax()
    assert coarse.length[k] == pytest.approx(50, abs=8)
    assert coarse.angle[k] == pytest.approx(-30, abs=1)
    assert fine.contrast[fine.length.argmax()] < coarse.contrast[k]


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
        expect(np.rot90(image), number, angle=90 + found.angle, row=99 - found.column, column=found.row)
        expect(image[::-1, ::-1], number, row=99 - found.row, column=99 - found.column)


@pytest.mark.parametrize("scale", [0.25, 0.5, 2.0])
def test_brightness_scales_the_contrast_alone(rng, monkeypatch, scale):
    image = busy(rng)
    monkeypatch.setattr(module, "FAINTEST", 0.0)
    for found, other in zip(find(image), find(np.float32(scale) * image), strict=True):
        assert len(found.angle) > 10
        expected = found._replace(contrast=scale * found.contrast, step=scale * found.step)
        for mine, theirs in zip(other, expected, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


def test_added_light_changes_nothing_but_rounding(rng):
    image = busy(rng)
    for found, other in zip(find(image), find(image + np.float32(0.2)), strict=True):
        assert same(found, other) >= 4


@pytest.mark.parametrize("seed", range(5))
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


@pytest.mark.parametrize("turns", range(4))
def test_a_line_along_the_border_is_inside(turns):
    image = np.zeros((40, 40))
    image[:, 0] = 0.5
    bright, _ = find(np.rot90(image, turns))
    k = bright.length.argmax()
    assert bright.length[k] == pytest.approx(40, abs=1)
    for place in (bright.row[k], bright.column[k]):
        assert -0.5 - 1e-6 <= place <= 39.5 + 1e-6
        assert min(place, 39 - place, abs(place - 19.5)) < 1e-3


# Threads


def test_the_number_of_threads_changes_nothing(rng, thread_count):
    colour = rng.random((3, 300, 60)).astype(np.float32)
    luminance = colour.mean(axis=0)
    results = []
    for count in (1, 2, 4):
        thread_count(count)
        results.append(find_ridges(colour, luminance))
    for other in results[1:]:
        for mine, theirs in zip(other, results[0], strict=True):
            equal(mine, theirs)


@pytest.mark.parametrize("count", [1, 2])
def test_many_callers_at_once_agree_and_end(thread_count, count):
    thread_count(count)
    images = [np.random.default_rng(k).random((1, 140, 50)).astype(np.float32) for k in range(12)]
    expected = [find_ridges(image, image[0]) for image in images]
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


# What there is none of


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (2, 50), (50, 1), (0, 5)])
def test_tiny_images_have_no_ridges(rng, shape):
    image = rng.random(shape).astype(np.float32)
    assert find_ridges(image[None], image) == (NONE, NONE)


@pytest.mark.parametrize("sigma", [1.0, 2.0])
@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 40)])
def test_small_images_are_no_failure(rng, shape, sigma):
    image = rng.random(shape).astype(np.float32)
    for found in find_ridges(image[None], image, sigma):
        assert all(np.isfinite(field).all() for field in found)


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("count", [1, 3])
def test_constant_images_have_no_ridges(value, count):
    for found in find(*np.full((count, 40, 40), value)):
        assert all(field.shape == (0,) for field in found)


@pytest.mark.parametrize("sign", [1, -1])
def test_rounding_is_no_ridge(sign):
    line = np.full((40, 40), 0.5, np.float32)
    for level, there in ((0.05, False), (0.2, True)):
        line[:, 21] = 0.5 + sign * level / 255
        found = find(line)[0 if sign > 0 else 1]
        assert (len(found.angle) == 1) is there


def test_the_strongest_share_takes_part():
    strength = np.random.default_rng(0).permutation(np.linspace(-1, 1, 2001)).astype(np.float32)
    threshold = module._threshold(strength)
    assert threshold.dtype == np.float32
    assert (strength >= threshold).sum() == pytest.approx(STRONGEST * (strength > FAINTEST).sum(), abs=1)
    assert module._threshold(np.zeros(5, np.float32)) == np.inf
    assert module._threshold(np.full(5, 0.25, np.float32)) == 0.25


def test_few_pixels_are_no_ridge(half):
    # A short line, and one of three pixels.
    assert len(find(bar((40, 40), 20, 20, 0, 8))[0].angle) == 1
    assert len(find(bar((40, 40), 20, 20, 0, 1.5))[0].angle) == 0


def test_selecting():
    all_of = Ridges(*(np.arange(5.0) + k for k in range(len(Ridges._fields))))
    for keep in (np.array([True, False, True, False, False]), np.array([0, 2])):
        kept = all_of.select(keep)
        equal(kept, [np.array([k, k + 2.0]) for k in range(len(Ridges._fields))])


@given(st.floats(-1e4, 1e4))
def test_turns_are_the_same_line(angle):
    turned = turn(np.array(angle))
    assert -90 <= turned < 90
    assert np.cos(np.radians(2 * (turned - angle))) == pytest.approx(1)


def test_turns_of_a_half_circle():
    angles = np.array([-180, -90, -1, 0, 89.5, 90, 91, 180, 270])
    np.testing.assert_array_equal(turn(angles), [0, -90, -1, 0, 89.5, -90, -89, 0, -90])
