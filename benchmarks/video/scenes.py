"""Twenty scenes with something alive in each, by day and by night, seen by a camera that stands still, under rain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from benchmarks.common import large_photograph
from benchmarks.video.things import (
    Thing,
    bird,
    blinking,
    box,
    car,
    flag,
    lamp,
    on_for,
    person,
    standing,
    straight,
    text,
)
from data_tools import RainSpec, rain_video

HEIGHT, WIDTH, FRAMES = 216, 384, 100
NOISE = 1.2  # levels, of the camera
NIGHT = 0.2  # brightness, by day 1

Light = Callable[[int], np.ndarray | float]  # frame → what the scene's light is multiplied by, in places or all over


@dataclass(frozen=True)
class Scene:
    """A scene: what is behind, what lives in it, and how its light changes.

    Attributes
    ----------
    night
        Whether it is night: the scene is dark, and so is the rain.
    things
        What lives in it.
    light
        What the light is multiplied by in each frame.
    events
        Names of changes of the light, and the frames in which they are looked at.
    """

    night: bool = False
    things: tuple[Thing, ...] = ()
    light: Light = lambda frame: 1.0
    events: dict[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Clip:
    """Frames (N, H, W, 3) uint8 of a scene.

    Attributes
    ----------
    rainy, clean
        Under rain and without it, with the same noise of the camera.
    again
        Without rain, with other noise.
    bare
        Without rain and without anything that lives in the scene.
    """

    rainy: np.ndarray
    clean: np.ndarray
    again: np.ndarray
    bare: np.ndarray


def clip_of(scene: Scene, seed: int | list[int]) -> Clip:
    """Return the frames of a scene; a seed gives it another background, and other rain and noise."""
    rng = np.random.default_rng(seed)
    still = background(scene.night, rng)
    lit = [np.clip(still * scene.light(k), 0, 1) for k in range(FRAMES)]
    live = [_with(lit[k], k, [thing for thing in scene.things if not thing.burnt_in]) for k in range(FRAMES)]
    spec = RainSpec(
        angle=float(rng.uniform(-18, 18)),
        density=float(rng.uniform(5000, 9000)),
        intensity=0.3 if scene.night else 0.6,
        length=float(rng.uniform(22, 34)),
        width=float(rng.uniform(1.3, 1.8)),
    )
    wet = [one.rainy for one in rain_video(live, spec, rng)]
    grain = rng.normal(0, NOISE / 255, (FRAMES, HEIGHT, WIDTH, 1)).astype(np.float32)
    burnt = [thing for thing in scene.things if thing.burnt_in]

    def frames_of(pictures: list[np.ndarray], drawn: list[Thing], grain: np.ndarray = grain) -> np.ndarray:
        whole = (_with(picture + grain[k], k, drawn) for k, picture in enumerate(pictures))
        return np.stack([np.rint(np.clip(one, 0, 1) * 255).astype(np.uint8) for one in whole])

    again = frames_of(live, burnt, grain[:, ::-1, ::-1])
    return Clip(frames_of(wet, burnt), frames_of(live, burnt), again, frames_of(lit, []))


def _with(picture: np.ndarray, frame: int, things: list[Thing]) -> np.ndarray:
    for thing in things:
        cover, light = thing.cover(frame, picture.shape[:2])
        picture = picture * (1 - cover[..., None]) + light
    return picture.astype(np.float32)


def background(night: bool, rng: np.random.Generator) -> np.ndarray:
    """Return a picture (H, W, 3) in [0, 1] to live in: a part of a photograph, grey and textured, a street below."""
    import cv2

    wide = large_photograph(2 * HEIGHT, 3 * WIDTH).astype(np.float32) / 255
    top, left = rng.integers(HEIGHT), rng.integers(2 * WIDTH)
    part = wide[top : top + HEIGHT, left : left + WIDTH]
    part = 0.25 + 0.4 * (0.4 * part + 0.6 * part.mean(axis=-1, keepdims=True))
    street = HEIGHT * 5 // 9
    grain = cv2.GaussianBlur(rng.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 1.2)
    part[street:] = 0.34 + 0.1 * (part[street:] - 0.45) + 0.05 * grain[street:, :, None]
    return np.asarray(np.clip(part * (NIGHT if night else 1.0), 0, 1), np.float32)


def clock(frame: int) -> str:
    """Return the time of day as a camera burns it in; a second has 25 frames."""
    return f"2026-03-14 14:23:{46 + frame // 25:02d}"


def _flashes(at: tuple[int, ...], gain: float) -> Light:
    return lambda frame: gain if frame in at else 1.0


def _sweep(frame: int) -> np.ndarray:
    """Return the light that the headlights of a car out of the picture throw, as it turns."""
    columns = np.arange(WIDTH)
    middle = -80 + 6.0 * frame
    beam = 1 + 2.5 * np.exp(-0.5 * ((columns - middle) / 50) ** 2)
    return np.broadcast_to(beam[None, :, None], (HEIGHT, WIDTH, 1))


def _clouds(frame: int) -> float:
    return 1 + 0.12 * np.sin(2 * np.pi * frame / 60)


STREET, WALK, SKY = 150.0, 170.0, 50.0  # rows
_seconds = text(lambda frame: clock(frame)[-2:], 20)
_date = text(lambda frame: clock(0)[:-2], 20)

SCENES: dict[str, Scene] = {
    "day_walker_dark": Scene(things=(Thing("walker 16", person(16, 0.12, 0.08), straight((WALK, 60), (0, 2.0))),)),
    "day_walker_light": Scene(
        things=(
            Thing("walker 16", person(16, 0.9, 0.8), straight((WALK, 60), (0, 2.0))),
            Thing("child 10", person(10, 0.95, 0.9), straight((WALK + 20, 330), (0, -1.3))),
        )
    ),
    "day_runner": Scene(things=(Thing("runner 26", person(26, 0.95, 0.2), straight((WALK, -30), (0.05, 5.0))),)),
    "day_crowd": Scene(
        things=(
            Thing("walker 60", person(60, 0.7, 0.1), straight((165, 40), (0, 1.5))),
            Thing("walker 40", person(40, 0.1, 0.2), straight((160, 330), (0, -3.0))),
            Thing("walker 24", person(24, 0.9, 0.3), straight((140, 160), (0.1, 0.5))),
            Thing("standing 12", person(12, 0.95, 0.6), standing(130, 300)),
        )
    ),
    "day_cars": Scene(
        things=(
            Thing("white car 60", car(60, 0.95), straight((WALK, -60), (0, 12.0))),
            Thing("dark car 48", car(48, 0.1), straight((STREET - 10, 420), (0, -6.0))),
        )
    ),
    "day_birds_white": Scene(
        things=(
            Thing("gull 6", bird(6, 0.98), straight((30, 10), (0.4, 4.0))),
            Thing("gull 8", bird(8, 0.98), straight((60, 380), (-0.3, -8.0))),
            Thing("gull 10", bird(10, 0.95), straight((85, -20), (0.2, 12.0))),
        )
    ),
    "day_birds_dark": Scene(
        things=(
            Thing("crow 5", bird(5, 0.05), straight((40, 380), (0.3, -5.0))),
            Thing("crow 9", bird(9, 0.05), straight((70, 0), (0.1, 9.0))),
        )
    ),
    "day_thin_upright": Scene(
        things=(
            Thing("white stick 2x20", box(20, 2, (0.95, 0.95, 0.95)), straight((WALK, 80), (0, 1.0))),
            Thing("pole 3x40, carried", box(40, 3, (0.9, 0.9, 0.85)), straight((160, 330), (0, -2.5))),
        )
    ),
    "day_sign": Scene(
        things=(
            on_for(Thing("walk sign 10x5", box(10, 5, (1.0, 1.0, 1.0)), standing(60, 300)), 30, 25),
            on_for(Thing("panel 12x40", text(lambda frame: "STOP 3", 14), standing(40, 120)), 20, 60),
        )
    ),
    "day_clock": Scene(
        things=(
            Thing("date", _date, standing(16, 100), burnt_in=True),
            Thing("seconds", _seconds, standing(16, 196), burnt_in=True),
        )
    ),
    "day_flag_and_clouds": Scene(things=(Thing("flag 16x26", flag(16, 26), standing(60, 200)),), light=_clouds),
    "day_lightning": Scene(light=_flashes((40, 41, 70), 1.45), events={"flash": (40, 70)}),
    "night_lightning": Scene(True, light=_flashes((35, 60, 62), 3.0), events={"flash": (35, 60, 62)}),
    "night_sweep": Scene(True, light=_sweep, events={"sweep": tuple(range(30, 70, 5))}),
    "night_headlights_coming": Scene(
        True,
        (
            Thing("headlight 4", lamp(4), straight((STREET, 250), (1 / 6, 0))),
            Thing("headlight 4, right", lamp(4), straight((STREET, 263), (1 / 6, 0))),
        ),
    ),
    "night_car_passing": Scene(
        True,
        (
            Thing("car 52", car(52, 0.3), straight((WALK, -40), (0, 12.0))),
            Thing("headlight 6", lamp(6), straight((WALK + 4, -12), (0, 12.0))),
            Thing("tail light 4", lamp(4, (0.95, 0.15, 0.1)), straight((STREET, 400), (0, -7.0))),
        ),
    ),
    "night_blinkers": Scene(
        True,
        (
            Thing("lamp 4, 12 of 25", lamp(4), standing(60, 80), blinking(12, 13)),
            Thing("lamp 6, 5 of 10", lamp(6, (1.0, 0.6, 0.1)), standing(120, 200), blinking(5, 5)),
            Thing("lamp 8, 3 of 9", lamp(8, (0.3, 0.5, 1.0)), standing(90, 320), blinking(3, 6)),
        ),
    ),
    "night_signs": Scene(
        True,
        (
            Thing("neon 12x50", text(lambda frame: "HOTEL", 16, 0.9), standing(40, 90), blinking(20, 5)),
            Thing("board, changing", text(lambda frame: f"BUS {3 + frame // 25} MIN", 12, 0.8), standing(70, 280)),
            Thing("lamp 5", lamp(5), standing(100, 180)),
        ),
    ),
    "night_clock": Scene(
        True,
        (
            Thing("date", _date, standing(200, 100), burnt_in=True),
            Thing("seconds", _seconds, standing(200, 196), burnt_in=True),
        ),
    ),
    "night_walker_torch": Scene(
        True,
        (
            Thing("walker 22", person(22, 0.35, 0.3), straight((WALK, 330), (0, -2.0))),
            Thing("torch 4", lamp(4), straight((WALK, 320), (0, -2.0))),
            Thing("cyclist's lamp 5", lamp(5), straight((STREET, -10), (0.1, 6.0))),
        ),
    ),
}


def ramp_clip(seed: int) -> Clip:
    """Return 240 frames whose light rises by a quarter, in a picture of 120 x 200 pixels."""
    rng = np.random.default_rng(seed)
    still = background(False, rng)[:120, :200]
    live = [still * np.float32(0.8 + 0.2 * k / 240) for k in range(240)]
    spec = RainSpec(angle=8, density=7000, intensity=0.6, length=24, width=1.4)
    grain = rng.normal(0, NOISE / 255, (240, 120, 200, 1)).astype(np.float32)
    wet = [one.rainy for one in rain_video(live, spec, rng)]
    rainy, clean = (np.rint(np.clip(np.stack(part) + grain, 0, 1) * 255).astype(np.uint8) for part in (wet, live))
    return Clip(rainy, clean, clean, clean)
