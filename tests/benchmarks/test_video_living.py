"""Scenes with something alive in them, and what is measured there."""

import json

import numpy as np
import pytest

from benchmarks.video import living, scenes
from benchmarks.video.motion import LEARNING, compare_events, firing
from benchmarks.video.things import Thing, blinking, box, lamp, on_for, standing, straight
from tests.support.processes import call


@pytest.fixture
def small(monkeypatch):
    """Clips of a few small frames."""
    for name, value in {"HEIGHT": 72, "WIDTH": 96}.items():
        monkeypatch.setattr(scenes, name, value)
    for module in (scenes, living):
        monkeypatch.setattr(module, "FRAMES", 6)


def test_a_thing_is_where_its_course_says_with_all_of_its_light():
    white = Thing("box", box(3, 5, (1.0, 0.5, 0.0)), straight((10.25, 20.5), (0.5, 3.0)))
    rows, columns = np.mgrid[:40, :60]
    for frame in (0, 7):
        cover, light = white.cover(frame, (40, 60))
        assert cover.sum() == pytest.approx(15, rel=1e-4)
        assert light.sum(axis=(0, 1)) == pytest.approx([15, 7.5, 0], rel=1e-4)
        # The shutter is open for half a frame: four places, 0 to 3/8 of a step.
        assert (cover * rows).sum() / 15 == pytest.approx(10.25 + 0.5 * (frame + 3 / 16), abs=0.02)
        assert (cover * columns).sum() / 15 == pytest.approx(20.5 + 3 * (frame + 3 / 16), abs=0.02)


def test_what_is_not_lit_covers_nothing_and_all_ends_are_looked_at():
    lit = Thing("lamp", lamp(4), standing(10, 10), blinking(3, 6))
    assert [bool(lit.cover(k, (20, 20))[0].any()) for k in range(10)] == [*3 * [True], *6 * [False], True]
    looked = living._looked_at(on_for(lit, 21, 3))
    assert looked == [21, 22, 23]


def test_contrast_kept_is_all_for_the_clean_frame_and_none_for_the_bare_one():
    rng = np.random.default_rng(0)
    bare = rng.integers(60, 200, (20, 20, 3)).astype(np.uint8)
    clean, cover = bare.copy(), np.zeros((20, 20))
    clean[5:9, 5:9], clean[9:13, 5:9], cover[5:13, 5:9] = 255, 0, 1
    half = ((bare.astype(int) + clean) // 2).astype(np.uint8)
    kept = [living.contrast_kept(result, clean, bare, cover) for result in (clean, bare, half)]
    assert kept == pytest.approx([1, 0, 0.5], abs=0.01)
    assert living.contrast_kept(clean, bare, bare, cover) is None


def test_events_by_rain_and_lost_ones_are_told_apart():
    still = np.full((LEARNING + 10, 40, 60, 3), 90, np.uint8)
    walks, rains = still.copy(), still.copy()
    for k in range(LEARNING, LEARNING + 10):
        walks[k, 10:20, 5 * (k - LEARNING) : 5 * (k - LEARNING) + 6] = 250
    rains[LEARNING + 3, 5:30, 40:44] = 200
    nothing, walker, rain = firing(still), firing(walks), firing(rains)
    assert compare_events(walker, walker) == (0, 0)
    assert compare_events(nothing, walker) == (0, 1)
    assert compare_events(rain, nothing) == (0.1, 0)


def test_scenes_are_twenty_and_things_are_in_them(small):
    assert len(scenes.SCENES) == 20
    assert any(scene.night for scene in scenes.SCENES.values())
    for scene in scenes.SCENES.values():
        assert scene.things or scene.events
        for thing in scene.things:
            assert any(thing.cover(k, (216, 384))[0].max() > 0.3 for k in range(0, 100, 5))


def test_a_seed_makes_the_same_clip_and_rain_adds_light(small, monkeypatch):
    scene = scenes.SCENES["night_headlights_coming"]
    one, again, other = (scenes.clip_of(scene, seed) for seed in (1, 1, 2))
    assert (one.rainy == again.rainy).all()
    assert (one.clean != other.clean).any()
    assert one.rainy.mean() > one.clean.mean() + 1


def test_living_tells_of_each_thing(small, tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.video.motion.LEARNING", 2)
    here = Thing("seconds", box(6, 6, (1.0, 1.0, 1.0)), standing(20, 30), burnt_in=True)
    monkeypatch.setitem(scenes.SCENES, "day_clock", scenes.Scene(things=(here,)))
    target = tmp_path / "living.json"
    status, out, _ = call(living.main, "--only", "day_clock", "--save", tmp_path, "--json", target)
    assert status == 0
    assert "worst contrast kept" in out
    found = json.loads(target.read_text())["scenes"]["day_clock"]
    assert 0 <= found["things"]["seconds"]["least"] <= found["things"]["seconds"]["mean"] < 1.3
    assert (tmp_path / "day_clock.png").exists()
    status, _, error = call(living.main, "--only", "nobody")
    assert status == 2
    assert "'nobody' is none of day_walker_dark" in error
