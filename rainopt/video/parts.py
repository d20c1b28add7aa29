"""A part of a frame without its rain, as the frames around it tell: what cameras that stand still or move share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from rainopt.optim.objectives import RainPrior
from rainopt.video.aligned import Aligned, aligned, along
from rainopt.video.motion import Step
from rainopt.video.persistence import Rank
from rainopt.video.regions import Region
from rainopt.video.scene_part import TimeSettings
from rainopt.video.time_bound import bound_of, rain_share, without
from rainopt.video.tracks import Track, tracks_of
from rainopt.video.windows import Window

# Where less than this share of the pixels is in doubt, they are left as they are; more is worth a solution.
LITTLE = 2e-3
# Frames to either side, and how many times the errors of the alignment an excess must exceed, in what moves.
NEARBY, SURER = 2, 2.0
# Neighbours that must be believed before time has a say.
ENOUGH = 2
# Where a frame is as bright as its background within this, it shows it.
NEARLY = 8 / 255
# Pixels around a part, of frames of 480 rows: more than the means of `rain_share` reach, and solutions are led by.
MARGIN = 16

# Trust in what the frames around one say of its rain, in the energy, see `rainopt.optim.objectives.RainPrior`. Of a
# rank among few frames less: in dense rain it has left some.
TRUST, TRUST_OF_RANK = 0.1, 0.02

Solve = Callable[[np.ndarray, RainPrior], np.ndarray]


def margin_of(shape: tuple[int, ...]) -> int:
    """Return the pixels around each part of a frame (H, W, ...)."""
    return max(MARGIN, round(MARGIN * shape[0] / 480))


def known_of(excess: np.ndarray, where: np.ndarray, trust: float) -> RainPrior:
    """Return what is known of the rain of a frame (H, W) from its excess, where that can be believed."""
    return RainPrior(excess=np.maximum(excess, 0), trust=where.astype(np.float32) * np.float32(trust))


def aligned_around(window: Window, tracks: Mapping[int, Track], region: Region) -> list[Aligned]:
    """Return the frames that tracks lead to, as a part of the frame in question sees them."""
    here = window[0].guide
    return [
        aligned(window[number].pixels, tracks[number], here, window[number].guide, region) for number in sorted(tracks)
    ]


def along_tracks(
    window: Window,
    above: np.ndarray,
    steps: Mapping[int, Step],
    region: Region,
    settings: TimeSettings,
    angles: tuple[float, ...],
) -> np.ndarray:
    """Return a part of a frame less what is brighter in it than along the tracks of small things, given its excess
    ``above`` what lies behind it.
    """
    pixels = window[0].pixels[region.around]
    tracks = tracks_of(steps, NEARBY, fine=True, part=region.small)
    others = [
        along(window[number].pixels, track.flow, track.closed, region) for number, track in sorted(tracks.items())
    ]
    behind, excess, *_ = bound_of(pixels, others, Rank(NEARBY, NEARBY))
    share = rain_share(excess, angles, settings.height, SURER, rows=region.shape[0])
    # What stays is bright behind its rain as well; where its track shows no such thing, the track is wrong.
    share[above - excess <= NEARLY] = 0
    return without(pixels, behind, share)
