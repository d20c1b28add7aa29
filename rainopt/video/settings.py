"""Settings of video: what a user asks of all frames, and what all frames of a scene share, so that nothing flickers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from rainopt.arrays import Array, namespace
from rainopt.direction.estimate import AngleEstimate, Direction, vote
from rainopt.direction.evidence import Evidence, gather
from rainopt.direction.planes import work_planes
from rainopt.geometry.lines import line_angle
from rainopt.geometry.warp import Upright
from rainopt.image import luminance, split_channels
from rainopt.optim.objectives import NO_PRIOR, RainPrior, UDGWeights
from rainopt.parallel.elsewhere import Elsewhere, here
from rainopt.parallel.threads import run_all
from rainopt.still.adaptive import Removal, solve_adaptive
from rainopt.still.colour import RainLight
from rainopt.still.derain import remove_rain
from rainopt.still.rain import Streaks, removals_from
from rainopt.still.rain_layer import rain_layers
from rainopt.still.settings import DerainSettings, LayerSettings
from rainopt.video.rain_light import light_of_rain

# Iterations of each frame's pilot. 40, as for photographs, is worth 0.2 dB and a fifth of the time.
PILOT_ITERATIONS = 20
# Duality gap, as a share of the energy, that frames are solved to. In light and medium rain 25 iterations reach it, in
# heavy rain 50 to 175; nearer to the optimum, five rendered clips were nearer to the truth by 0.5 dB at most or farther
# from it, for two to four times the time.
FRAME_TOL = 0.2
ACHROMATIC = (1.0, 1.0, 1.0)
COLOURED = 4  # frames, evenly among those looked at, that tell the colour of the rain
# Pixels, down and across, in the middle of large frames that tell how dense the rain is and how soon it is found.
LOOKED_AT = 800
TINY = 1e-12  # energy of a picture without anything in it
# Degrees within which directions of two frames are one.
PARALLEL = 8.0


@dataclass(frozen=True, kw_only=True)
class VideoSettings(DerainSettings):
    """What a user asks of all frames of a video.

    Attributes
    ----------
    background
        Whether the frames around one may help it, and the background that those of a still camera share.
    """

    background: bool = True


@dataclass(frozen=True)
class SceneSettings:
    """What is done to every frame of a scene alike.

    Attributes
    ----------
    rain
        The streaks of all directions, the strongest first, with how dense they are; empty where no rain is seen, and
        then frames stay as they are.
    layers
        How their layers are found where a frame is derained by itself; `max_iter` is the same for all, see
        `iterations_for`.
    gap
        The duality gap that such a frame has then, as a share of its energy; None where it was not measured.
    shares
        What the rain adds to each channel, over what it adds to luminance, in the light of its drops.
    hides
        How much its drops hide of what is behind them, in [0, 1], see `rainopt.still.colour.shares_over`.
    """

    rain: tuple[Streaks, ...] = ()
    layers: LayerSettings = field(default_factory=LayerSettings)
    gap: float | None = None
    shares: tuple[float, ...] = ACHROMATIC
    hides: float = 0.0

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions of the rain, the strongest first."""
        return tuple(streaks.direction for streaks in self.rain)

    @property
    def settled(self) -> LayerSettings:
        """How layers are found once iterations are counted: no frame stops before the others."""
        return self.layers if self.layers.max_iter is None else replace(self.layers, tol=0.0)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> SceneSettings:
        """Return the settings whose ``asdict`` has been to JSON and back."""
        layers = dict(values["layers"])
        if layers["weights"] is not None:
            layers["weights"] = UDGWeights(**layers["weights"])
        rain = tuple(
            Streaks(Direction(*direction), None if removal is None else Removal(*removal))
            for direction, removal in values["rain"]
        )
        light = tuple(values.get("shares", ACHROMATIC)), values.get("hides", 0.0)
        return cls(rain, LayerSettings(**layers), values["gap"], *light)


def scene_settings(
    frames: Sequence[np.ndarray],
    settings: DerainSettings,
    directions: tuple[Direction, ...] | None = None,
    elsewhere: Elsewhere = here,
) -> SceneSettings:
    """Choose how the frames of a scene are derained, from some of them.

    A direction counts where at least half of the frames show it. Its angle, and what its layer is found with, are the
    medians over those frames.

    Parameters
    ----------
    frames
        Some frames of the scene, (H, W, 3) uint8 or uint16, apart from one another.
    settings
        What is asked of all frames.
    directions
        Those of the rain, where they are known already.
    elsewhere
        Where frames are solved.

    Raises
    ------
    ValueError
        If there is no frame.
    """
    if not len(frames):
        raise ValueError("`frames` must hold at least one frame, got none")
    layers = LayerSettings(weights=settings.weights, max_iter=settings.max_iter, tol=settings.tol)
    if settings.strength == 0:
        return SceneSettings(layers=layers)
    evidence = []
    if settings.weights is None or (settings.angle is None and directions is None):
        evidence = run_all(_evidence, [(frame,) for frame in frames])
    if settings.angle is not None:
        directions = settings.directions
    elif directions is None:
        directions = common_directions([vote(seen) for seen in evidence])
    if settings.weights is not None:
        rain = tuple(map(Streaks, directions))
    else:
        steady = (
            _steady_removal(frames, evidence, directions, k, settings.strength, elsewhere)
            for k in range(len(directions))
        )
        rain = tuple(map(Streaks, directions, steady))
    scene = SceneSettings(rain, layers)
    if not rain:
        return scene
    if settings.max_iter is None:
        count, gap = elsewhere(partial(iterations_for, scene=scene), frames[len(frames) // 2])
        scene = replace(scene, layers=replace(layers, max_iter=count), gap=gap)
    return replace(scene, **light_in(frames, scene, elsewhere)._asdict())


def light_in(frames: Sequence[np.ndarray], scene: SceneSettings, elsewhere: Elsewhere = here) -> RainLight:
    """Return the light of the rain of a scene, from some of its frames together.

    A frame shows few streaks, and what is found from them alone would differ from frame to frame.
    """
    seen = [frames[k][_middle_of(frames[k].shape)] for k in _few(len(frames))]
    layers = run_all(partial(elsewhere, partial(_layer, scene=scene)), [(frame,) for frame in seen])
    planes = [split_channels(frame).colour for frame in seen]
    return light_of_rain(planes, layers, [direction.angle for direction in scene.directions])


def _few(count: int) -> list[int]:
    return sorted({round(k) for k in np.linspace(0, count - 1, COLOURED)})


def _layer(frame: Array, scene: SceneSettings) -> Array:
    """Return the rain of a frame on luminance."""
    return rain_layers(luminance(split_channels(frame).colour), scene.rain, scene.settled)[0]


def _evidence(frame: np.ndarray) -> Evidence:
    return gather(work_planes(frame))


def iterations_for(frame: Array, scene: SceneSettings) -> tuple[int, float]:
    """Return the iterations after which the layer of a frame is within its tolerance, and the gap that it has then, as
    a share of its energy.

    All frames of a scene run as many, or they would differ by where each happens to stop.
    """
    layers = scene.layers if scene.layers.tol is not None else replace(scene.layers, tol=FRAME_TOL)
    frame = frame[_middle_of(frame.shape)]
    solution = remove_rain(frame, scene.rain[:1], layers, frame.dtype).solution
    return solution.iterations, float(solution.gap) / max(float(solution.energy), TINY)


def derain_frame(frame: Array, scene: SceneSettings, known: RainPrior = NO_PRIOR) -> Array:
    """Return a frame (H, W, 3) uint8 or uint16 without the rain, in its dtype: by itself, or by what the frames
    around it let be known of its rain.
    """
    if not scene.rain:
        return frame
    light = RainLight(scene.shares, scene.hides)
    return remove_rain(frame, scene.rain, scene.settled, frame.dtype, known=known, light=light).background


def _middle_of(shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the rows and columns in the middle of a large frame (H, W, ...) that tell its rain well enough."""
    lost = [max(side - LOOKED_AT, 0) for side in shape[:2]]
    rows, columns = (slice(n // 2, side - n + n // 2) for n, side in zip(lost, shape, strict=False))
    return rows, columns


def common_directions(estimates: Sequence[AngleEstimate]) -> tuple[Direction, ...]:
    """Return the directions that at least half of the frames show, the strongest first; shares add up to 1."""
    found = [(number, d) for number, estimate in enumerate(estimates) for d in estimate.directions]
    kept: list[list[Direction]] = []
    while found:
        # Around the direction that has most company.
        company = [sum(other.share for _, other in found if _parallel(other, d)) for _, d in found]
        centre = found[company.index(max(company))][1]
        group = [(number, d) for number, d in found if _parallel(d, centre)]
        # A frame that shows two of them counts once.
        if 2 * len({number for number, _ in group}) >= len(estimates):
            kept.append([d for _, d in group])
        found = [(number, d) for number, d in found if not _parallel(d, centre)]
    shares = [sum(d.share for d in group) for group in kept]
    middles = [_middle(group) for group in kept]
    ordered = sorted(zip(shares, middles, strict=True), reverse=True)
    return tuple(Direction(angle, share / sum(shares)) for share, angle in ordered)


def _parallel(one: Direction, other: Direction) -> bool:
    return abs(line_angle(one.angle - other.angle)) <= PARALLEL


def _middle(group: list[Direction]) -> float:
    first = group[0].angle
    return line_angle(first + float(np.median([line_angle(d.angle - first) for d in group])))


def _steady_removal(
    frames: Sequence[np.ndarray],
    evidence: Sequence[Evidence],
    directions: tuple[Direction, ...],
    place: int,
    strength: float,
    elsewhere: Elsewhere,
) -> Removal:
    """Return the median over the frames of what a direction's layer is found with."""
    height, width = frames[0].shape[:2]
    each = [removals_from(seen, directions, strength, height, width)[place] for seen in evidence]
    high = float(np.median([removal.height for removal in each]))
    parallel = float(np.median([removal.parallel for removal in each]))
    steady = Removal(high, strength, None, parallel, PILOT_ITERATIONS)
    middles = [frame[_middle_of(frame.shape)] for frame in frames]
    upright = Upright(directions[place].angle, *middles[0].shape[:2])

    def density_of(frame: Array) -> float:
        straight = upright.forward(luminance(split_channels(frame).colour))
        xp = namespace(straight)
        return solve_adaptive(xp.maximum(straight, xp.zeros_like(straight)), steady, 1, 0.0)[1]

    dense = float(np.median(run_all(partial(elsewhere, density_of), [(frame,) for frame in middles])))
    return steady._replace(dense=dense)
