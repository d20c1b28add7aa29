"""Rendered rain as cameras see it."""

import cv2
import numpy as np
import pytest

from data_tools import RainSpec
from rainnet.data.camera import Camera
from rainnet.data.start import drawn_streaks, layer_of
from rainopt.image import LUMA


@pytest.fixture
def clean(rng):
    """A picture of soft spots of colour, uint8."""
    few = rng.integers(30, 200, (6, 6, 3)).astype(np.uint8)
    return cv2.resize(few, (80, 64), interpolation=cv2.INTER_CUBIC)


def test_a_camera_that_does_nothing_shows_the_scene(clean, rng):
    camera, unit = Camera(), clean / np.float32(255)
    assert np.array_equal(camera.scene(clean, 0.0, rng), unit)
    spec = RainSpec()
    assert camera.rain(spec, rng) == spec
    (seen,) = camera.files([unit], rng)
    np.testing.assert_array_equal(seen, unit)


def test_the_light_of_the_rain_has_the_luminance_of_white(rng):
    for tinted in (0.0, 1.0):
        lights = np.stack([Camera(tinted=tinted).tint(rng) for _ in range(50)])
        np.testing.assert_allclose(lights @ np.asarray(LUMA), 1, atol=1e-5)
        spread = lights.std(axis=0).mean()
        assert (spread < 0.12) == (tinted == 0)


@pytest.mark.parametrize("composition", ["additive", "screen"])
def test_rain_adds_its_own_colour_and_never_more_than_white(clean, rng, composition):
    scene, tint = np.full((64, 80, 3), 0.25, np.float32), np.array([1.5, 0.9, 0.4], np.float32)
    rainy = Camera().over(scene, RainSpec(composition=composition, intensity=0.3, density=2e4), tint, rng)
    added = rainy - scene
    assert (added >= 0).all()
    assert rainy.max() <= 1
    wet = (added[..., 1] > 0.02) & (rainy.max(axis=-1) < 1)
    np.testing.assert_allclose(
        added[wet] / added[wet][:, 1:2], np.broadcast_to(tint / tint[1], added[wet].shape), rtol=1e-3
    )


def test_near_streaks_are_wider_and_a_downpour_denser_and_brighter(rng):
    spec = RainSpec(intensity=0.4)
    near = Camera(near=1.0).rain(spec, rng).depth_layers
    assert len(near) == len(spec.depth_layers) + 1
    assert near[0].width >= 1.5
    assert near[0].share < 0.1 * sum(each.share for each in spec.depth_layers)
    poured = Camera(downpour=1.0).rain(spec, rng)
    assert spec.density < poured.density <= 2 * spec.density
    assert spec.intensity < poured.intensity <= 1
    assert Camera(other_composition=1.0).rain(spec, rng).composition == "additive"
    assert Camera(beaded=1.0).rain(spec, rng).texture >= 0.5
    even = Camera(even=1.0).rain(spec, rng)
    assert even.taper <= 0.3 < spec.taper
    assert even.texture <= 0.3
    drawn = {len(Camera(shallow=1.0).rain(spec, rng).depth_layers) for _ in range(20)}
    assert drawn == {1, 2}


def test_noise_is_the_same_in_the_rainy_and_the_clean_picture(clean, rng):
    unit = 0.2 + clean * np.float32(0.5 / 255)
    rain = np.zeros_like(unit)
    rain[:, 40] = 0.2
    rainy, truth = Camera(noise=1.0, noises=(0.02, 0.02)).files([unit + rain, unit], rng)
    np.testing.assert_allclose(rainy - truth, rain, atol=1.01 / 255)
    assert 0.005 < np.std(truth - unit) < 0.03


def test_edges_are_softened_and_sharpened_in_both_pictures_alike(rng):
    scene = np.full((40, 60, 3), 0.3, np.float32)
    scene[:, 20:] = 0.5
    rain = np.zeros_like(scene)
    rain[:, 45:47] = 0.2
    rainy, truth = Camera(soft=1.0).files([scene + rain, scene], rng)
    assert 0 < rainy[0, 44, 0] - truth[0, 44, 0] < rainy[0, 45, 0] - truth[0, 45, 0] < 0.2
    assert 0.3 < truth[0, 20, 0] < 0.5
    rainy, truth = Camera(sharpened=1.0).files([scene + rain, scene], rng)
    # A dark rim beside what is bright, in the scene and beside a streak.
    assert truth[0, 19, 0] < 0.3 < 0.5 < truth[0, 20, 0]
    assert rainy[0, 44, 0] < truth[0, 44, 0]
    assert rainy[0, 45, 0] > truth[0, 45, 0] + 0.2


def test_files_have_256_levels_and_jpeg_hurts_a_little(clean, rng):
    unit = clean / np.float32(255)
    (seen,) = Camera(jpeg=1.0, qualities=(60.0, 60.0)).files([unit], rng)
    assert np.array_equal(np.rint(seen * 255), seen * np.float32(255))
    assert 0 < np.abs(seen - unit).mean() < 0.03


def test_scenes_get_lamps_that_clip_and_bars(clean, rng):
    unit = clean / np.float32(255)
    lamps, bars = (Camera(**{name: 1.0}) for name in ("lamps", "bars"))
    assert max(lamps.scene(clean, 0.0, rng).max() for _ in range(8)) == 1
    changed = [np.mean(bars.scene(clean, 10.0, rng) != unit) for _ in range(20)]
    assert 0 < np.mean(changed) < 0.5
    bent = Camera(gamma=1.0, gammas=(2.0, 2.0)).scene(clean, 0.0, rng)
    np.testing.assert_allclose(bent, unit**2, rtol=1e-5)


@pytest.mark.parametrize(
    "wrong", [{"near": 1.5}, {"gammas": (2.0, 1.0)}, {"qualities": (0.0, 50.0)}, {"noise": -0.1}, {"jpeg": True}]
)
def test_shares_and_ranges_are_checked(wrong):
    with pytest.raises((ValueError, TypeError), match=f"`{next(iter(wrong))}` must be"):
        Camera(**wrong)


def test_the_estimate_that_is_drawn_names_all_directions_the_strongest_first(rng):
    spec = RainSpec.sample("multi", rng)
    streaks = drawn_streaks(spec, 1.0, rng)
    assert len(streaks) == len(spec.directions)
    shares = [each.direction.share for each in streaks]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)
    strongest = max(spec.directions, key=lambda each: each.share)
    assert streaks[0].direction.angle == pytest.approx(spec.angle + strongest.turn + 1.0)
    assert all(0 < each.removal.height <= 1 for each in streaks)


def test_the_layer_of_a_region_lies_where_its_rain_does(clean, rng):
    spec = RainSpec(angle=15.0, intensity=0.5, density=6000)
    scene = np.full((96, 120, 3), 0.3, np.float32)
    rainy = Camera().over(scene, spec, np.ones(3, np.float32), rng)
    layer = layer_of(rainy, drawn_streaks(spec, 0.0, rng))
    assert layer.shape == (96, 120)
    assert np.corrcoef(layer.ravel(), (rainy - scene).mean(axis=-1).ravel())[0, 1] > 0.7
