import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rainopt.arrays import to_numpy
from rainopt.still.haze import DARKNESS, MAX_VEIL, RISE_UP, SPANS, estimate_veil, remove_veil


def covered(scene, veil):
    return (scene + veil * (1 - scene)).astype(scene.dtype)


def texture(rng, height=128, width=192, channels=3):
    """Return blocks of 4 pixels of random brightness, one in four of them black."""
    blocks = rng.uniform(0.2, 1, (channels, height // 4, width // 4))
    rows, columns = np.indices(blocks.shape[1:])
    blocks[:, (rows + columns) % 4 == 0] = 0
    return np.kron(blocks, np.ones((1, 4, 4))).astype(np.float32)


def ramp(scene, top):
    height, width = scene.shape[-2:]
    return np.broadcast_to(np.linspace(top, 0, height)[:, None], (height, width))


@given(
    hnp.arrays(np.float64, (3, 4, 5), elements=st.floats(0, 1)),
    hnp.arrays(np.float64, (4, 5), elements=st.floats(0, 0.9)),
)
def test_removal_inverts_the_screen_composition(scene, veil):
    np.testing.assert_allclose(remove_veil(scene + veil * (1 - scene), veil), scene, atol=1e-14)


def test_removal_keeps_the_range_and_what_has_no_veil(rng):
    colour = rng.random((3, 6, 8)).astype(np.float32)
    veil = np.zeros((6, 8), np.float32)
    veil[:3] = 0.5
    clear = remove_veil(colour, veil)
    assert clear.dtype == np.float32
    np.testing.assert_array_equal(clear[:, 3:], colour[:, 3:])
    assert np.all(clear[:, :3] <= colour[:, :3])
    # What is darker than the veil cannot have been behind it.
    assert clear.min() == 0
    assert not clear[:, :3][colour[:, :3] < 0.5].any()


@pytest.mark.parametrize("strength", [0.0, 0.05, 0.2, 0.3])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_known_veil_over_black_things_is_found(rng, strength, channels):
    scene = texture(rng, channels=channels)
    veil = estimate_veil(covered(scene, np.float32(strength)))
    assert veil.shape == scene.shape[1:]
    assert veil.dtype == np.float32
    np.testing.assert_allclose(veil, strength, atol=0.02 if strength else 0)


def test_a_veil_that_thickens_towards_the_horizon_is_followed(rng):
    scene = texture(rng)
    truth = ramp(scene, 0.3)
    colour = covered(scene, truth)
    veil = estimate_veil(colour)
    # The darkest of a window is where the veil is thinnest, half the height of a window below its middle.
    lag = 0.3 * (192 / SPANS) / 128 + DARKNESS
    assert np.abs(veil - truth).mean() < lag
    assert np.abs(veil - truth).max() < lag + 0.01
    before, after = (np.mean((a - scene) ** 2) for a in (colour, remove_veil(colour, veil)))
    assert after < before / 10


def test_what_is_bright_or_coloured_is_not_a_veil(rng):
    scene = texture(rng)
    sky, wall = scene.copy(), scene.copy()
    sky[:, :40] = 0.9
    wall[:, :, :60] = 0.8
    assert estimate_veil(sky).max() <= RISE_UP * 40 / 192 + 0.01
    assert estimate_veil(wall).max() < 0.02
    np.testing.assert_allclose(estimate_veil(covered(wall, np.float32(0.2))), 0.2, atol=0.03)
    # Saturated colours are dark in a channel, though no pixel is black.
    grass = np.stack([np.full((64, 96), 0.3), np.full((64, 96), 0.8), np.zeros((64, 96))])
    assert not estimate_veil(grass).any()


def test_single_dark_pixels_are_noise(rng):
    scene = covered(texture(rng, 528, 792), np.float32(0.2))
    dead = scene.copy()
    rows, columns = rng.integers(0, 528, 20), rng.integers(0, 792, 20)
    dead[:, rows, columns] = 0
    np.testing.assert_allclose(estimate_veil(dead), estimate_veil(scene), atol=0.01)
    noisy = np.clip(scene + rng.normal(0, 0.03, scene.shape), 0, 1).astype(np.float32)
    np.testing.assert_allclose(estimate_veil(noisy), 0.2, atol=0.05)


def test_one_value_everywhere():
    for value, veil in ((0, 0), (DARKNESS, 0), (DARKNESS + 0.2 * (1 - DARKNESS), 0.2), (1, MAX_VEIL)):
        np.testing.assert_allclose(estimate_veil(np.full((3, 20, 30), value, np.float32)), veil, atol=1e-6)


@given(hnp.arrays(np.float32, (3, 40, 60), elements=st.floats(0, 1, width=32), fill=st.floats(0, 1, width=32)))
def test_any_picture_gets_a_smooth_veil_in_range_and_below_what_is_seen(colour):
    veil = estimate_veil(colour).astype(np.float64)
    assert veil.min() >= 0
    assert veil.max() <= MAX_VEIL + 1e-6
    # Nodes rise by at most RISE_UP / SPANS from one to the next; the nodes here lie 4 pixels apart.
    step = 1.01 * RISE_UP / SPANS / 4 + 1e-6
    assert np.abs(np.diff(veil, axis=0)).max() <= step
    assert np.abs(np.diff(veil, axis=1)).max() <= step
    # It stays below the darkest of each window, and so of each pixel. The spline, between nodes, lifts it by less than
    # they may differ.
    assert np.all(veil <= colour.min(axis=0) + RISE_UP / SPANS)


@pytest.mark.parametrize("times", [2, 3])
def test_a_larger_picture_has_the_same_veil(rng, times):
    # Large enough that cells are means of pixels, and a number that they do not divide.
    scene = texture(rng, 352, 516)
    colour = covered(scene, ramp(scene, 0.3))
    large = np.kron(colour, np.ones((1, times, times), np.float32))
    np.testing.assert_allclose(estimate_veil(large)[::times, ::times], estimate_veil(colour), atol=0.01)


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (2, 3), (17, 600)])
def test_narrow_pictures(rng, shape):
    colour = rng.random((3, *shape)).astype(np.float32)
    veil = estimate_veil(colour)
    assert veil.shape == shape
    assert np.all((veil >= 0) & (veil <= MAX_VEIL))
    assert remove_veil(colour, veil).shape == colour.shape


def test_mirrored_pictures_have_mirrored_veils(rng):
    colour = covered(texture(rng), np.float32(0.1))
    colour[:, :, 100:] = np.maximum(colour[:, :, 100:], 0.25)
    np.testing.assert_allclose(estimate_veil(colour[:, :, ::-1])[:, ::-1], estimate_veil(colour), atol=1e-3)


def test_backends_agree_and_inputs_are_kept(xp, rng):
    colour = rng.uniform(0.1, 1, (3, 300, 530)).astype(np.float32)
    colour[:, :100] = covered(colour[:, :100], np.float32(0.2))
    kept = colour.copy()
    veil = estimate_veil(colour)
    there = estimate_veil(xp.asarray(colour))
    assert there.dtype == xp.float32
    np.testing.assert_allclose(to_numpy(there), veil, atol=1e-6)
    clear = remove_veil(xp.asarray(colour), there)
    np.testing.assert_allclose(to_numpy(clear), remove_veil(colour, veil), atol=1e-6)
    np.testing.assert_array_equal(colour, kept)
    assert estimate_veil(xp.asarray(colour.astype(np.float64))).dtype == xp.float64


@pytest.mark.parametrize("shape", [(4, 5), (2, 4, 5), (4, 4, 5), (1, 3, 4, 5), (3, 0, 5)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="`colour` must"):
        estimate_veil(np.zeros(shape, np.float32))
    with pytest.raises(ValueError, match="`colour` must"):
        remove_veil(np.zeros(shape, np.float32), np.zeros(shape[-2:], np.float32))


def test_other_values_are_refused(torch, rng):
    colour = rng.random((3, 300, 520)).astype(np.float32)
    veil = np.zeros((300, 520), np.float32)
    for wrong in (np.nan, np.inf, -np.inf):
        holed = colour.copy()
        holed[1, -1, -1] = wrong
        with pytest.raises(ValueError, match="`colour` must be finite"):
            estimate_veil(holed)
        with pytest.raises(ValueError, match="`veil` must be finite"):
            remove_veil(colour, np.full_like(veil, wrong))
    for wrong in (-0.1, 1.0):
        with pytest.raises(ValueError, match=r"`veil` must lie in \[0, 1\)"):
            remove_veil(colour, np.full_like(veil, wrong))
    with pytest.raises(ValueError, match=r"`veil` must be \(H, W\)"):
        remove_veil(colour, veil.T)
    with pytest.raises(TypeError, match="`colour` must be float32 or float64"):
        estimate_veil((colour * 255).astype(np.uint8))
    with pytest.raises(TypeError, match="`veil` must be float32 or float64"):
        remove_veil(colour, veil.astype(np.int64))
    with pytest.raises(TypeError, match="one library"):
        remove_veil(torch.as_tensor(colour), veil)
    with pytest.raises(TypeError, match="arrays of one library"):
        estimate_veil([[[0.0]]])
