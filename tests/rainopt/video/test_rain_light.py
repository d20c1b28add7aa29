"""The light of the rain of a scene: what its frames have in common has no say, and what drops hide is seen."""

import numpy as np
import pytest

from rainopt.image import luminance
from rainopt.still.colour import colour_of_rain
from rainopt.video.rain_light import light_of_rain

SHAPE = (90, 125)
WARM = np.array([1.2, 1.0, 0.7]) / luminance(np.array([1.2, 1.0, 0.7]))


def scene_of(rng, shape=SHAPE):
    """A picture (3, H, W) of coloured patches."""
    patches = rng.uniform(0.1, 0.6, (3, -(-shape[0] // 15), -(-shape[1] // 15)))
    return patches.repeat(15, axis=1).repeat(15, axis=2)[:, : shape[0], : shape[1]]


def streaks(rng):
    """How long drops were before each pixel, (H, W) in [0, 1]: upright lines."""
    covered = np.zeros(SHAPE)
    for _ in range(50):
        row, column = rng.integers(0, SHAPE[0] - 20), rng.integers(0, SHAPE[1])
        covered[row : row + 20, column] = rng.uniform(0.1, 0.3)
    return covered


def frames(rng, scenes, light, brightness=None):
    """Planes and layers of frames in rain that adds light alone, or that has a brightness and hides what is behind."""
    planes, layers = [], []
    for scene in scenes:
        covered = streaks(rng)
        drop = light[:, None, None] if brightness is None else brightness * light[:, None, None] - scene
        planes.append((scene + covered * drop).astype(np.float32))
        layers.append((luminance(planes[-1]) - luminance(scene)).astype(np.float32))
    return planes, layers


@pytest.mark.parametrize(("brightness", "hides"), [(None, 0.0), (1.6, 1 / 1.6), (1.1, 1 / 1.1)])
@pytest.mark.parametrize("light", [np.ones(3), WARM])
def test_light_and_what_it_hides_are_found(rng, brightness, hides, light):
    found = light_of_rain(*frames(rng, [scene_of(rng)] * 4, light, brightness), (0.0,))
    assert found.hides == pytest.approx(hides, abs=0.05)
    np.testing.assert_allclose(found.shares, light, atol=0.03)


@pytest.mark.parametrize(("brightness", "hides"), [(None, 0.0), (1.6, 1 / 1.6)])
def test_no_more_is_hidden_where_the_camera_moves(rng, brightness, hides):
    """Detail that differs from frame to frame is noise."""
    wide = scene_of(rng, (SHAPE[0], SHAPE[1] + 60))
    scenes = [wide[:, :, 20 * k : 20 * k + SHAPE[1]] for k in range(4)]
    found = light_of_rain(*frames(rng, scenes, WARM, brightness), (0.0,))
    assert 0 <= found.hides < hides + 0.05
    np.testing.assert_allclose(found.shares, WARM, atol=0.15)


def test_detail_of_the_scene_in_the_layers_of_a_still_camera_has_no_say(rng):
    scene, fence = scene_of(rng), np.zeros(SHAPE)
    fence[:, ::12] = 0.15
    green = np.array([0.3, 1.2, 0.3])[:, None, None]
    planes, layers = frames(rng, [scene + green * fence] * 3, WARM, 1.25)
    mistaken = [(layer + fence * luminance(green)).astype(np.float32) for layer in layers]
    found = light_of_rain(planes, mistaken, (0.0,))
    np.testing.assert_allclose(found.shares, WARM, atol=0.03)
    assert found.hides == pytest.approx(0.8, abs=0.05)
    # It would decide for a frame alone.
    assert light_of_rain(planes[:1], mistaken[:1], (0.0,)).shares[1] > WARM[1] + 0.1


def test_frames_that_cannot_tell_have_rain_that_hides_nothing(rng):
    # One frame has the colour of a photograph's rain.
    planes, layers = frames(rng, [scene_of(rng)], WARM, 1.2)
    found = light_of_rain(planes, layers, (0.0,))
    assert found.hides == 0
    np.testing.assert_allclose(found.shares, colour_of_rain(planes[0], layers[0], (0.0,)).common, atol=1e-6)
    # Over one colour all rain has one.
    grey = np.full((3, *SHAPE), 0.4)
    found = light_of_rain(*frames(rng, [grey] * 3, WARM, 1.2), (0.0,))
    assert found.hides < 0.2
    seen = (1.2 * WARM - 0.4) / (1.2 - 0.4)
    np.testing.assert_allclose((np.array(found.shares) - found.hides * 0.4) / (1 - found.hides * 0.4), seen, atol=0.03)
    # Where nothing rains, nothing is known.
    dry = light_of_rain([scene_of(rng).astype(np.float32)] * 3, [np.zeros(SHAPE, np.float32)] * 3, (0.0,))
    assert dry.hides == 0
    np.testing.assert_allclose(dry.shares, 1)
