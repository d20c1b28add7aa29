"""A window of a video: frames spread over it, and the sequences of those that show one scene."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from data_tools.build.marks import MANY_SAMPLES, Mark, mark_of_scene
from data_tools.build.notes import Window
from data_tools.build.pairs import choose_crops
from data_tools.build.plan import VideoJob
from data_tools.build.sequence_frames import SequenceFrame, choose_sequence
from data_tools.build.settings import SequenceSettings
from data_tools.build.spread import SpreadFrames
from data_tools.build.still_parts import ScenePart, parts_of_scene
from data_tools.build.written import parts_of, source_of, written
from data_tools.manifest.record import PairRecord
from data_tools.verify.fingerprints import fingerprint
from rainopt.image import frame_luminance
from rainopt.io.video.read import VideoFrame
from rainopt.video.adaptive_background import Settled
from rainopt.video.background import background_of_store
from rainopt.video.frames import FrameStore
from rainopt.video.quality import LEAST_FRAMES, assess, trusted
from rainopt.video.registration.register import STATIC

# Frames that are looked at, more than half of them where a window has as many: so many times those asked for, because
# some are left out, and so many at least, because it takes one or two dozen to tell whether the camera moves.
TIMES, LOOKED_AT = 3, 80
LEAST = 2  # frames of a sequence


class _Made(NamedTuple):
    """What came of a part of a scene: records, or why there are none; and what is known of its background, if it has
    one.
    """

    records: list[PairRecord]
    reason: str
    facts: dict[str, Any] | None = None
    fingerprint: int = 0


def sequence_window(
    job: VideoJob, settings: SequenceSettings, first: VideoFrame, scene: Iterator[VideoFrame], number: int
) -> Window:
    """Make sequences of the frames of a scene from one on, write their files, and return what came of it.

    Each still part of the window gives a sequence; where the camera moves, or no rain is seen, is said.

    Parameters
    ----------
    job, settings
        What is built, and how.
    first, scene
        A frame, and those that follow it; they are read as far as the seconds of a sequence go.
    number
        Of the scene.
    """

    def watched() -> Iterator[VideoFrame]:
        for frame in chain([first], scene):
            yield frame
            if frame.time >= first.time + Fraction(str(settings.every)):
                return

    with SpreadFrames(watched(), max(TIMES * settings.frames, LOOKED_AT)) as spread:
        facts: dict[str, Any] = {
            "start": first.index,
            "next": spread.read + 1,
            "scene": number,
            "frames": len(spread.store),
        }
        count = len(spread.store)
        if count < LEAST_FRAMES:
            reason = f"only {count} frame{'s' if count != 1 else ''}, and {LEAST_FRAMES} are needed to tell the rain"
            return Window(**facts, accepted=False, expected_psnr=0.0, static=True, reason=reason)
        parts = parts_of_scene(spread.store)
        made = [_sequence(job, settings, spread, part, number) for part in parts]
    best = max(made, key=lambda one: (len(one.records), one.facts is not None))
    prints = [one.fingerprint for one in made if one.records and one.fingerprint]
    return Window(
        **facts | {"expected_psnr": 0.0} | (best.facts or {}),
        accepted=bool(best.records),
        static=all(part.moves is None for part in parts),
        reason=_reasons(spread, parts, made),
        fingerprint=prints[0] if prints else 0,
        records=tuple(record.model_dump() for one in made for record in one.records),
        also=tuple(prints[1:]),
    )


def _reasons(spread: SpreadFrames, parts: Sequence[ScenePart], made: Sequence[_Made]) -> str:
    """Say why there is no sequence, or why not all of the frames are in one."""
    if len({one.reason for one in made}) == 1:
        return made[0].reason
    return "; ".join(
        f"frames {spread.numbers[part.places.start]} to {spread.numbers[part.places.stop - 1]}: {one.reason}"
        for part, one in zip(parts, made, strict=True)
        if one.reason
    )


def _sequence(job: VideoJob, settings: SequenceSettings, spread: SpreadFrames, part: ScenePart, number: int) -> _Made:
    """Make a sequence of a part of a scene."""
    if part.moves is not None:
        return _Made([], _movement(part.moves))
    if len(part.places) < LEAST_FRAMES:
        return _Made([], f"only {len(part.places)} frames show one background")
    with FrameStore() as store:
        for place in part.places:
            store.append(spread.store[place])
        numbers = tuple(spread.numbers[place] for place in part.places)
        estimate = background_of_store(store)
        settled = Settled(estimate, assess(store, estimate), trusted(estimate), numbers, static=True)
        mark, worth = mark_of_scene(settled, store, MANY_SAMPLES), settled.acceptance
        facts = {
            "expected_psnr": round(worth.expected_psnr, 2),
            "sharpness": round(mark.sharpness, 3),
            "drift": round(worth.drift, 3),
        }
        if mark.status == "refused":
            return _Made([], "; ".join(mark.doubts), facts)
        if worth.angle is None:
            return _Made([], "no rain is seen in the frames", facts)
        chosen, left_out = choose_sequence(settled, store, settings.frames)
        if len(chosen) < LEAST:
            return _Made([], "; ".join(left_out[:1]) or "no frame", facts)
        records = _write_frames(job, settings, spread, part, settled, store, chosen, mark, number)
    if not records:
        return _Made([], f"no crop of {settings.crop} pixels can be trusted", facts)
    why = [part.begins] if part.begins else []
    if left_out and len(chosen) < settings.frames:
        more = f", and {len(left_out) - 1} more are left out" if len(left_out) > 1 else ""
        why.append(f"only {len(chosen)} frames can be used: {left_out[0]}{more}")
    return _Made(records, ", ".join(why), facts, fingerprint(frame_luminance(np.asarray(estimate.image))) or 0)


def _movement(pixels: float) -> str:
    if pixels <= STATIC:
        return "no background is seen that stays: the camera stands still, but too much moves before it"
    how = f"by up to {pixels:.1f} pixels" if math.isfinite(pixels) else "further than can be measured"
    return f"the camera moves {how}"


def _write_frames(
    job: VideoJob,
    settings: SequenceSettings,
    spread: SpreadFrames,
    part: ScenePart,
    settled: Settled,
    store: FrameStore,
    chosen: list[SequenceFrame],
    mark: Mark,
    number: int,
) -> list[PairRecord]:
    height, width = settled.valid.shape
    worth, start = settled.acceptance, settled.numbers[0]
    corners = [] if settings.crop is None else choose_crops(settled, settings.crop, settings.crops)
    records = []
    for suffix, area in parts_of((height, width), settings.crop, corners).items():
        for frame in chosen:
            in_video = settled.numbers[frame.place]
            stem = f"{job.name}/{start:06}_{in_video:06}{suffix}"
            rainy = f"rainy/{stem}.png"
            records.append(
                PairRecord(
                    id=stem,
                    rainy=rainy,
                    # Whatever is trained on frames of one scene takes them to show one background: a crop is a scene of
                    # its own, and so is what was seen after the camera had moved.
                    scene=f"{job.name}/{number:03}_{start:06}{suffix}",
                    licence=settings.licence,
                    source=source_of(job),
                    checksums={rainy: written(job, rainy, store[frame.place][area])},
                    angle=None if worth.angle is None else round(worth.angle, 2),
                    # Fields that only datasets built of videos have.
                    frame=in_video,
                    time=round(float(spread.times[part.places[frame.place]]), 6),
                    rain_share=round(frame.rain, 6),
                    living_share=round(frame.living, 6),
                    gain=round(frame.gain, 5),
                    astray=round(frame.astray, 3),
                    background_psnr=round(worth.expected_psnr, 2),
                    status=mark.status,
                    doubts=list(mark.doubts),
                    sharpness=round(mark.sharpness, 3),
                    drift=round(worth.drift, 3),
                )
            )
    return records
