import numpy as np
import pytest

from rainopt.direction import tilt_window
from rainopt.direction.ridges import turn
from rainopt.direction.tilt import TiltStatus, lean, tilt
from rainopt.direction.tilt_window import pyramid
from rainopt.geometry.lines import line_angle
from rainopt.optim.robust_pca import robust_pca

ANGLES = (-44, -8.3, 0, 0.4, 12.3, 44.5)
STEEP = (-63.2, -50, 51, 85, 90)
TRANSFORMS = pytest.mark.parametrize("transform", ["rotation", "shear"])
# BLAS splits larger matrices among threads, which wait for each other where the cores are busy: hundreds of times as
# long as the work takes.
WINDOW = 40


def stripes(angle, kind="random", shape=(150, 150), share=0.05):
    """Draw stripes of a direction, exact at every pixel: a band-limited function of the distance across them."""
    row, column = (np.arange(n) - (n - 1) / 2 for n in shape)
    radians = np.radians(angle)
    across = column[None, :] * np.cos(radians) - row[:, None] * np.sin(radians)
    if kind == "periodic":
        return 0.5 + 0.3 * np.cos(2 * np.pi * across / 9)
    rng = np.random.default_rng(0)
    waves = zip(rng.uniform(1 / 40, 1 / 6, 12), rng.uniform(0.2, 1, 12), rng.uniform(0, 2 * np.pi, 12), strict=True)
    image = sum(height * np.cos(2 * np.pi * pace * across + phase) for pace, height, phase in waves)
    if kind == "corrupt":
        image = np.where(rng.random(shape) < share, rng.uniform(-5, 5, shape), image)
    return image


@pytest.fixture
def two_levels(monkeypatch):
    """Give windows of 40 pixels a coarser level, as those of 48 have."""
    monkeypatch.setattr(tilt_window, "COARSEST", WINDOW // 2)


def require_found(found, angle, within=0.005):
    assert found.status is TiltStatus.CONVERGED, angle
    assert abs(turn(found.angle - angle)) <= within, angle
    assert -90 < found.angle <= 90


# Where there are stripes


@TRANSFORMS
@pytest.mark.parametrize("kind", ["periodic", "random"])
def test_stripes_are_found_exactly_by_the_search(two_levels, kind, transform):
    for angle in ANGLES:
        found = tilt(stripes(angle, kind), window=WINDOW, transform=transform)
        require_found(found, angle)
        assert found.objective == pytest.approx(1, abs=0.005)
        assert np.linalg.norm(found.low_rank + found.sparse) == pytest.approx(1, abs=1e-3)
        assert abs(lean(found.low_rank)) < 0.1


@TRANSFORMS
def test_stripes_are_found_exactly_from_a_start_or_by_a_search_that_tells_down_from_across(two_levels, transform):
    for angle in (-70, 10, 60, 90):
        require_found(tilt(stripes(angle), search=90, window=WINDOW, transform=transform), angle)
    for k, angle in enumerate((*ANGLES, *STEEP)):
        start = line_angle(angle + (-2, 1.5)[k % 2])
        require_found(tilt(stripes(angle), start=start, window=WINDOW, transform=transform), angle)


def test_stripes_are_found_exactly_with_the_defaults():
    # Two levels as shipped, 24 and 48 pixels.
    found = tilt(stripes(12.3, shape=(70, 68)))
    require_found(found, 12.3)
    assert found.low_rank.shape == (48, 48)


@TRANSFORMS
def test_gross_errors_in_a_twentieth_of_the_pixels_do_not_matter(two_levels, transform):
    for angle in (-31.7, 5, 40):
        image = stripes(angle, "corrupt")
        require_found(tilt(image, start=angle + 1.5, window=WINDOW, transform=transform, blur=0), angle, 0.01)


@pytest.mark.parametrize("angle", [-1, -0.4, 0.4, 1])
def test_wrong_pixels_do_not_lock_the_angle_to_the_grid(angle):
    image = stripes(angle, "corrupt", share=0.1)
    assert abs(turn(tilt(image, start=angle + 0.5, window=WINDOW).angle - angle)) <= 0.1


@pytest.mark.parametrize(("kind", "angle", "off"), [("periodic", -12, 40), ("periodic", 5, -40), ("corrupt", 5, 40)])
def test_the_search_escapes_a_far_start(two_levels, kind, angle, off):
    image = stripes(angle, kind)
    stuck = tilt(image, start=angle + off, window=WINDOW)
    assert abs(turn(stuck.angle - angle)) > 10
    assert stuck.status is not TiltStatus.CONVERGED
    found = tilt(image, start=angle + off, search=45, window=WINDOW)
    require_found(found, angle, 0.1)
    assert found.objective < stuck.objective


@TRANSFORMS
def test_what_is_claimed_is_so(transform):
    for angle in (-12, 60):
        for off in (-40, -10, 20):
            found = tilt(stripes(angle), start=line_angle(angle + off), window=24, transform=transform)
            if found.status is TiltStatus.CONVERGED:
                require_found(found, angle, 0.01)
    # Lines across are none.
    found = tilt(stripes(60), start=-30.5, window=WINDOW)
    assert found.status is TiltStatus.ASKEW
    assert found.angle == pytest.approx(-30, abs=0.005)


# What must not matter


@TRANSFORMS
def test_mirrored_and_transposed_images_have_mirrored_angles(transform):
    image = stripes(17.3, "corrupt", shape=(150, 140))
    found = tilt(image, start=16, window=(WINDOW, 32), transform=transform)
    for mirrored in (image[:, ::-1], image[::-1]):
        other = tilt(mirrored, start=-16, window=(WINDOW, 32), transform=transform)
        assert other.angle == pytest.approx(-found.angle, abs=2e-3)
        assert other.objective == pytest.approx(found.objective, rel=1e-3)
    square, turned = (
        tilt(picture, start=start, window=WINDOW, transform=transform)
        for picture, start in ((image, 16), (image.T, 74))
    )
    assert turned.angle == pytest.approx(90 - square.angle, abs=2e-3)


def test_brightness_does_not_matter():
    image = stripes(-22.2, "corrupt")
    found = tilt(image, start=-21, window=WINDOW)
    for scale, offset in ((1e-4, 0), (255, 0), (0.5, 10), (-1, 1)):
        other = tilt(scale * image + offset, start=-21, window=WINDOW)
        assert other.angle == pytest.approx(found.angle, abs=2e-3), (scale, offset)
        assert other.objective == pytest.approx(found.objective, rel=1e-3), (scale, offset)
    rounded = (40 * image + 100).clip(0, 255).astype(np.uint8)
    assert tilt(rounded, start=-21, window=WINDOW).angle == pytest.approx(found.angle, abs=0.1)


# The window


def test_the_centre_and_the_shape_of_the_window_are_as_asked():
    image = np.concatenate([stripes(-10, shape=(100, 100)), stripes(25, shape=(100, 100))], axis=1)
    for centre, angle in (((49.5, 49.5), -10), ((49.5, 149.5), 25)):
        found = tilt(image, centre=centre, window=(30, 40), start=angle + 2)
        require_found(found, angle)
        assert found.low_rank.shape == found.sparse.shape == (30, 40)
    # Part of this one lies outside, where the edge is repeated.
    assert abs(turn(tilt(image, centre=(5, 30), window=40).angle + 10)) < 5


def test_levels_halve_the_samples_while_24_are_left():
    image = stripes(10)
    for side, spacings in ((24, [1]), (47, [1]), (48, [2, 1]), (100, [4, 2, 1])):
        levels = pyramid(image, (74.5, 74.5), (side, side), "rotation", 10.0, 0.7)
        assert [one.spacing for one in levels] == spacings
        for one in levels:
            assert one.window(0.0, False).shape == (side // one.spacing,) * 2
    # Blur leaves nothing of fine stripes, and a level without contrast is none.
    fine = np.cos(2 * np.pi * np.arange(150) / 4) + np.zeros((150, 1))
    assert [one.spacing for one in pyramid(fine, (74.5, 74.5), (100, 100), "rotation", 0.0, 0.7)] == [1]


@pytest.mark.parametrize("transposed", [False, True])
@TRANSFORMS
def test_the_derivative_is_that_of_the_normalised_window(transform, transposed):
    finest = pyramid(stripes(20), (74.5, 74.5), (32, 32), transform, 20, 0.7)[-1]
    angle, step = (62.0 if transposed else 23.0), 1e-3
    D, J = finest.linearise(angle, transposed)
    assert np.linalg.norm(D) == pytest.approx(1)
    assert abs(np.vdot(D, J)) < 1e-12 * np.linalg.norm(J)
    ahead, behind = (finest.linearise(angle + sign * step, transposed)[0] for sign in (1, -1))
    np.testing.assert_allclose(J, (ahead - behind) / (2 * step), atol=1e-4 * np.abs(J).max())


@pytest.mark.parametrize(
    ("transform", "transposed", "angle"), [("rotation", False, 20.0), ("shear", False, 20.0), ("shear", True, 70.0)]
)
def test_the_windows_of_both_transforms_are_what_they_say(transform, transposed, angle):
    side = np.arange(32) - 15.5
    down = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    across = np.array([-down[1], down[0]])
    if transform == "shear":
        down /= down[1 if transposed else 0]
        across = np.array([1, 0] if transposed else [0, 1])
    # Pictures of the row and of the column, which the pyramid scales to a range of 1.
    for picked, coordinate in enumerate(np.indices((150, 150)) - 74.5):
        finest = pyramid(coordinate, (74.5, 74.5), (32, 32), transform, angle, 0.0)[-1]
        window = 149 * finest.window(angle, transposed)
        expected = down[picked] * side[:, None] + across[picked] * side[None, :]
        np.testing.assert_allclose(window, expected, atol=0.05)


# How it ends


@pytest.mark.parametrize(("words", "gap"), [({}, 1e-3), ({"inner_tol": 1e-2}, 1e-2)])
def test_the_last_split_is_certified(words, gap):
    found = tilt(stripes(12, "corrupt"), start=11, window=WINDOW, **words)
    energy = np.linalg.norm(found.low_rank, "nuc") + np.abs(found.sparse).sum() / np.sqrt(WINDOW)
    assert found.objective == pytest.approx(energy, rel=1e-9)
    assert 0 <= found.gap <= gap * found.objective
    # What was split is the upright window: at its angle nothing much better exists.
    window = found.low_rank + found.sparse
    assert robust_pca(window, tol=1e-6).objective == pytest.approx(found.objective, rel=3 * gap)


def test_too_few_linearisations_are_owned_up_to():
    found = tilt(stripes(12), start=10, window=32, max_iter=1)
    assert found.status is TiltStatus.MAX_ITER
    assert found.iterations == 1


def test_constant_windows_have_a_status():
    image = stripes(10)
    image[20:130, 20:130] = 0.3
    for picture in (np.full((60, 60), 0.7), image):
        found = tilt(picture, start=3.0, window=32)
        assert found.status is TiltStatus.CONSTANT
        assert found.angle == 3.0
        assert found.low_rank.shape == (32, 32)
    rings = np.cos(np.hypot(*(np.indices((101, 101)) - 50.0)) / 3)
    assert tilt(rings, window=32).status in (TiltStatus.CONSTANT, TiltStatus.ASKEW)
    assert tilt(stripes(90), window=32, transform="shear").status in (TiltStatus.CONSTANT, TiltStatus.ASKEW)


@pytest.mark.parametrize(
    ("image", "settings", "message"),
    [
        (np.ones(50), {}, "`image` must be"),
        (np.ones((50, 50, 3)), {}, "`image` must be"),
        (np.ones((50, 50), complex), {}, "`image` must be"),
        (np.full((50, 50), np.nan), {}, "finite"),
        (np.ones((50, 50)), {"transform": "affine"}, "`transform`"),
        (np.ones((50, 50)), {"window": 51}, "larger than the image"),
        (np.ones((50, 40)), {"window": (40, 41)}, "larger than the image"),
        (np.ones((50, 50)), {"window": 7}, "at least 8"),
        (np.ones((10, 10)), {}, "at least 8"),
        (np.ones((50, 50)), {"window": 20.5}, "whole number"),
        (np.ones((50, 50)), {"window": (20, 20, 20)}, "`window`"),
        (np.ones((50, 50)), {"centre": (50, 10)}, "`centre`"),
        (np.ones((50, 50)), {"centre": (10,)}, "`centre`"),
        (np.ones((50, 50)), {"start": -90.0}, "`start`"),
        (np.ones((50, 50)), {"start": np.nan}, "`start`"),
        (np.ones((50, 50)), {"search": 91}, "`search`"),
        (np.ones((50, 50)), {"blur": -1.0}, "`blur`|blur"),
        (np.ones((50, 50)), {"max_iter": 0}, "`max_iter`"),
        (np.ones((50, 50)), {"tol": 0}, "`tol`"),
        (np.ones((50, 50)), {"inner_tol": 0}, "`inner_tol`"),
    ],
)
def test_wrong_input_is_refused(image, settings, message):
    with pytest.raises(ValueError, match=message):
        tilt(image, **settings)
