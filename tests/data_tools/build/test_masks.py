"""What lives is in the mask of a frame, whatever its size; rain is not."""

import numpy as np
import pytest

from data_tools.build import masks
from data_tools.build.masks import LEAST_RUN, MOST_RUN, around, lives, run_of
from tests.support.clips import rained, stored, view

SHAPE, COUNT, AT = (120, 160), 9, 4
SCENE = view("coffee", SHAPE)


def box(top, left, height, width, colour):
    """Return what draws a block into a frame."""

    def draw(frame, by=0):
        frame[top : top + height, max(left + by, 0) : max(left + by + width, 0)] = colour

    return draw


def steps(pixels, thing):
    return lambda frame, k: thing(frame, round(pixels * (k - AT)))


def while_lit(frames, thing):
    return lambda frame, k: thing(frame) if k in frames else None


def flash(frame, k):
    if k in (AT, AT + 1):
        frame[:] = np.minimum(frame * 1.3 + 10, 255).astype(np.uint8)


LIVING = {
    "a person in a light coat": steps(0.5, box(60, 70, 16, 6, (235, 230, 215))),
    "a person in a dark coat": steps(2, box(40, 70, 32, 12, (25, 25, 35))),
    "a runner": steps(5, box(60, 70, 20, 8, (240, 235, 230))),
    "a headlamp": steps(9, box(80, 80, 6, 6, (255, 250, 230))),
    "a bird": steps(8, box(30, 80, 5, 5, (15, 15, 15))),
    "a lamp that blinks": while_lit(range(AT - 2, AT + 1), box(50, 90, 7, 7, (250, 90, 60))),
    "a digit": while_lit(range(AT, COUNT), box(10, 20, 16, 2, (255, 255, 255))),
    "a flash": flash,
}


def filmed(draw, preset, seed=3):
    """A scene with a thing in it, and the same under rain."""
    clean = [SCENE.copy() for _ in range(COUNT)]
    for k, frame in enumerate(clean):
        draw(frame, k)
    # As dense as the presets are in larger pictures.
    density = {} if preset is None else {"density": 3000.0}
    return clean, rained(clean, preset, COUNT, seed=seed, **density)


@pytest.mark.parametrize("preset", [None, "light", "medium"])
@pytest.mark.parametrize("name", LIVING)
def test_what_lives_is_not_valid(name, preset):
    clean, rainy = filmed(LIVING[name], preset)
    there = np.abs(clean[AT].astype(int) - SCENE).max(axis=-1) > 10
    assert there.any()
    found = lives(rainy, AT, SCENE / np.float32(255)).mask
    assert found[there].mean() >= 0.97
    # And is a part of the picture only, unless all of it has lit up.
    assert name == "a flash" or found.mean() < 0.3


@pytest.mark.parametrize("preset", ["light", "medium"])
def test_rain_is_valid(preset):
    _, rainy = filmed(lambda frame, k: None, preset)
    rain = (rainy[AT].astype(int) - SCENE).max(axis=-1) > 20
    found = lives(rainy, AT, SCENE / np.float32(255)).mask
    assert found.mean() < 0.2
    assert found[rain].mean() < 0.35


def test_bits_change_nothing():
    _, rainy = filmed(LIVING["a runner"], "light")
    deep = [frame.astype(np.uint16) * 257 for frame in rainy]
    background = SCENE / np.float32(255)
    np.testing.assert_array_equal(lives(rainy, AT, background).mask, lives(deep, AT, background).mask)


def test_denser_rain_needs_longer_runs():
    runs = [run_of(np.full((4, 4), 1 - hidden)) for hidden in (0.0, 0.1, 0.3, 0.5, 0.9)]
    assert runs == sorted(runs)
    assert (runs[0], runs[-1]) == (LEAST_RUN, MOST_RUN)


def test_frames_that_repeat_tell_nothing():
    frames = [np.full((8, 8, 3), level, np.uint8) for level in (1, 1, 5, 5, 5, 9, 9, 20)]
    window, at = around(stored(frames), 3, 2)
    assert [int(frame[0, 0, 0]) for frame in window] == [1, 5, 9, 20]
    assert at == 1


def test_bands_agree(monkeypatch):
    """Large frames are worked on in bands, each with its own noise, which is that of the whole."""
    _, rainy = filmed(LIVING["a person in a light coat"], "light")
    background = SCENE / np.float32(255)
    whole = lives(rainy, AT, background).mask
    monkeypatch.setattr(masks, "BAND_BYTES", 1)
    assert np.mean(lives(rainy, AT, background).mask == whole) > 0.98
