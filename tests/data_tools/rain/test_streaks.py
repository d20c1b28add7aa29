"""Streaks as drawn: where they run, how much light they hold, how they are spread, and what is nearer."""

import dataclasses
import itertools

import numpy as np
import pytest

from benchmarks.layer_angle import layer_angle
from data_tools import RainDirection, RainLayer, RainSpec, Streaks, draw_streaks, ground_depth, render_streaks
from rainopt.kernels import streaks_cpu


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def one_streak(row=40.0, column=40.0, angle=0.0, length=30.0, sigma=0.6, fade=5.0, peak=0.5):
    return Streaks(*(np.array([v]) for v in (row, column, angle, length, sigma, fade, peak)))


def streaks_without_veil(angle, seed=0, shape=(256, 256), **fields):
    spec = RainSpec(angle=angle, angle_spread=0, **fields)
    return render_streaks(draw_streaks(shape, spec, np.random.default_rng(seed)), shape)


@pytest.mark.parametrize("composition", ["additive", "screen"])
def test_the_compiled_loop_is_the_loop_as_written(composition, rng, monkeypatch):
    streaks = draw_streaks((40, 50), RainSpec(angle=33, angle_spread=30, density=8000, texture=0.5), rng)
    depth = ground_depth((40, 50))
    compiled = render_streaks(streaks, (40, 50), composition, depth)
    monkeypatch.setattr(streaks_cpu, "draw", streaks_cpu.draw.py_func)
    np.testing.assert_allclose(compiled, render_streaks(streaks, (40, 50), composition, depth), atol=1e-6)


@pytest.mark.parametrize("texture", [0.0, 0.6])
@pytest.mark.parametrize("angle", [-60, -30, 0, 12, 45])
def test_streaks_run_at_the_angle_of_the_spec(angle, texture):
    assert layer_angle(streaks_without_veil(angle, shape=(384, 384), texture=texture)) == pytest.approx(angle, abs=0.5)


def test_positive_angle_moves_right_going_down_and_negative_is_the_mirror_image():
    layer = render_streaks(one_streak(angle=30.0), (81, 81))
    i, j = 10 * np.cos(np.pi / 6), 10 * np.sin(np.pi / 6)
    assert layer[round(40 + i), round(40 + j)] > 0.3
    assert layer[round(40 - i), round(40 - j)] > 0.3
    assert layer[round(40 + i), round(40 - j)] < 1e-3
    np.testing.assert_allclose(render_streaks(one_streak(angle=-30.0), (81, 81))[:, ::-1], layer, atol=1e-6)


def test_each_direction_has_its_share_of_streaks(rng):
    directions = (RainDirection(turn=-25, share=1), RainDirection(share=2), RainDirection(turn=25, share=1))
    spec = RainSpec(angle=10, angle_spread=0, directions=directions, density=20000)
    angles, counts = np.unique(draw_streaks((500, 500), spec, rng).angle, return_counts=True)
    np.testing.assert_array_equal(angles, [-15, 10, 35])
    np.testing.assert_allclose(counts / counts.sum(), [0.25, 0.5, 0.25], atol=0.02)
    turned = streaks_without_veil(5, directions=(RainDirection(35),))
    np.testing.assert_array_equal(turned, streaks_without_veil(40))


@pytest.mark.parametrize("angle", [0.0, 12.0, 45.0, 90.0])
def test_half_a_pixel_changes_no_light(angle):
    spec = RainSpec(angle=angle, angle_spread=0, length=6, width=0.3, layers=1, density=1e6, variation=0)
    finest = draw_streaks((1, 1), spec, np.random.default_rng(0))
    streak = one_streak(angle=angle, length=finest.length[0], sigma=finest.sigma[0], fade=finest.fade[0])
    light = [
        render_streaks(dataclasses.replace(streak, row=streak.row + dy, column=streak.column + dx), (81, 81)).sum()
        for dy in (0, 0.25, 0.5)
        for dx in (0, 0.25, 0.5)
    ]
    assert max(light) < 1.01 * min(light)


@pytest.mark.parametrize("angle", [0.0, 33.0, 90.0])
def test_light_of_a_streak_is_the_integral_of_its_profile(angle):
    light = render_streaks(one_streak(angle=angle, sigma=1.3), (81, 81)).sum()
    # A smooth ramp averages one half, so the two ends together count as one.
    assert light == pytest.approx(0.5 * np.sqrt(2 * np.pi) * 1.3 * (30.0 - 5.0), rel=2e-3)


@pytest.mark.parametrize("change", [{"blur": 3.0}, {"width": 0.2}])
def test_neither_defocus_nor_pixels_change_the_light(change):
    def light(layer):
        spec = RainSpec(layers=(layer,), variation=0)
        s = draw_streaks((200, 200), spec, np.random.default_rng(0))
        return np.mean(s.peak * s.sigma * (s.length - s.fade))

    assert light(RainLayer(**change)) == pytest.approx(light(RainLayer()) * change.get("width", 1.0), rel=1e-6)


def test_brightness_stays_below_intensity_where_streaks_do_not_cross(rng):
    streaks = draw_streaks((300, 300), RainSpec(intensity=0.4, variation=0.5, width=4, layers=1), rng)
    assert streaks.peak.max() <= 0.4
    assert streaks.peak.min() >= 0.2


def test_texture_dims_between_all_and_none_of_its_part():
    plain = one_streak(fade=2.5, length=60)
    textured = dataclasses.replace(plain, texture=np.array([0.4]), beat=np.array([12.0]))
    ratio = (render_streaks(textured, (81, 81)) / np.maximum(render_streaks(plain, (81, 81)), 1e-9))[15:66, 40]
    assert ratio.min() == pytest.approx(0.6, abs=0.01)
    assert ratio.max() == pytest.approx(1.0, abs=0.01)
    np.testing.assert_allclose(ratio[12:], ratio[:-12], atol=1e-6)


def test_density_counts_streaks_in_a_megapixel():
    spec = RainSpec(density=5000, layers=2)
    streaks = draw_streaks((1000, 500), spec, np.random.default_rng(0))
    inside = (streaks.row > -0.5) & (streaks.row < 999.5) & (streaks.column > -0.5) & (streaks.column < 499.5)
    assert inside.sum() == pytest.approx(2500, rel=0.05)


def test_the_border_is_as_rainy_as_the_middle():
    layer = np.mean([streaks_without_veil(30, seed, (128, 128), density=20000) for seed in range(20)], axis=0)
    edge = np.mean([layer[:8].mean(), layer[-8:].mean(), layer[:, :8].mean(), layer[:, -8:].mean()])
    assert edge == pytest.approx(layer.mean(), rel=0.05)


def test_nearer_layers_are_longer_wider_and_sparser():
    for near, far in itertools.pairwise(RainSpec(layers=4).depth_layers):
        assert near.share < far.share
        assert near.length > far.length
        assert near.width > far.width
        assert near.blur >= far.blur
    assert RainSpec(layers=1).depth_layers == (RainLayer(),)


def test_a_scene_between_two_layers_shows_the_nearer_one_alone():
    shape, layers = (96, 128), (RainLayer(distance=0.5), RainLayer(distance=2.0))
    both = draw_streaks(shape, RainSpec(layers=layers, density=20000, variation=0), np.random.default_rng(2))
    first = Streaks(*(getattr(both, f.name)[both.distance == 0.5] for f in dataclasses.fields(both)))
    seen = render_streaks(both, shape, depth=np.ones(shape, np.float32))
    np.testing.assert_array_equal(seen, render_streaks(first, shape))


def test_longer_streaks_of_a_layer_are_nearer(rng):
    streaks = draw_streaks((300, 300), RainSpec(layers=(RainLayer(distance=3.0),), length=50, taper=0.5), rng)
    np.testing.assert_allclose(streaks.length * streaks.distance, 150)


def test_a_ground_beyond_all_numbers_is_infinitely_far():
    assert np.isinf(ground_depth((24, 32), horizon=0.5, foreground=1e308)).all()
