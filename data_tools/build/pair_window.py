"""A window of a video: a background, and the pairs that frames make with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

from data_tools.build.marks import Mark, mark_of, mark_of_pair
from data_tools.build.notes import Window
from data_tools.build.pairs import ChosenFrame, choose_crops, choose_frames
from data_tools.build.plan import VideoJob
from data_tools.build.settings import BuildSettings
from data_tools.build.written import parts_of, source_of, written
from data_tools.manifest.record import PairRecord
from data_tools.verify.fingerprints import fingerprint
from rainopt.image import frame_luminance, quantise
from rainopt.io.video.read import VideoFrame
from rainopt.video.adaptive_background import Settled, settle
from rainopt.video.frames import FrameStore
from rainopt.video.quality import Acceptance


def pair_window(
    job: VideoJob,
    settings: BuildSettings,
    first: VideoFrame,
    scene: Iterator[VideoFrame],
    number: int,
    *,
    more: int = 0,
    corners: Sequence[tuple[int, int]] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Window:
    """Make pairs of the frames of a scene from one on, write their files, and return what came of it.

    Parameters
    ----------
    job, settings
        What is built, and how.
    first, scene
        A frame, and those that follow it; they are read no further than needed.
    number
        Of the scene.
    more
        How often a person has asked for more frames, see `rainopt.video.adaptive_background.settle`.
    corners
        Upper left corners of the crops, where they are known.
    progress
        Called with the share of the planned frames that are taken.
    """
    read = first.index

    def watched() -> Iterator[VideoFrame]:
        nonlocal read
        for frame in chain([first], scene):
            read = frame.index
            yield frame

    with FrameStore() as store:
        settled = settle(
            watched(),
            store,
            most=settings.most,
            accept=settings.accept,
            more=more,
            stabilise=settings.stabilise,
            progress=progress,
        )
        worth = settled.acceptance
        facts: dict[str, Any] = {
            "start": first.index,
            # Also behind frames that were refused: what follows must not depend on whether this window was noted.
            "next": read + 1,
            "scene": number,
            "frames": len(store),
            "expected_psnr": round(worth.expected_psnr, 2),
            "static": settled.static,
        }
        if not worth.reaches(settings.accept):
            reason = _shortfall(worth, len(store), settings)
            return Window(**facts, accepted=False, reason=reason)
        if worth.angle is None:
            return Window(**facts, accepted=False, reason="no rain is seen in the frames")
        mark = mark_of(settled, store)
        facts |= {"sharpness": round(mark.sharpness, 3), "drift": round(worth.drift, 3)}
        if mark.status == "refused":
            return Window(**facts, accepted=False, reason="; ".join(mark.doubts))
        chosen, left_out = choose_frames(settled, store, settings.pairs)
        if not chosen:
            return Window(**facts, accepted=False, reason="; ".join(left_out[:1]) or "no frame")
        if corners is None:
            corners = [] if settings.crop is None else choose_crops(settled, settings.crop, settings.crops)
        records = _write_pairs(job, settings, settled, store, chosen, mark, first, number, corners)
        if not records:
            return Window(**facts, accepted=False, reason=f"no crop of {settings.crop} pixels can be trusted")
        grey = frame_luminance(settled.estimate.image)
        return Window(
            **facts,
            accepted=True,
            fingerprint=fingerprint(grey) or 0,
            records=tuple(record.model_dump() for record in records),
        )


def _shortfall(worth: Acceptance, frames: int, settings: BuildSettings) -> str:
    """Say why a background was not taken."""
    if worth.expected_psnr >= settings.accept:
        return f"only {100 * worth.valid:.0f} % of the pixels can be trusted: too much moves, or rain hides too much"
    count = f"{frames} frame{'s' if frames != 1 else ''}"
    few = f"only {count}" if frames < settings.most else f"{count} do not suffice"
    return f"expected {worth.expected_psnr:.1f} dB of {settings.accept:g} ({few})"


def _write_pairs(
    job: VideoJob,
    settings: BuildSettings,
    settled: Settled,
    store: FrameStore,
    chosen: list[ChosenFrame],
    mark: Mark,
    first: VideoFrame,
    number: int,
    corners: Sequence[tuple[int, int]],
) -> list[PairRecord]:
    height, width = settled.valid.shape
    window = f"{first.index:06}"
    clean = quantise(settled.estimate.image, store.dtype)
    records = []
    for suffix, part in parts_of((height, width), settings.crop, list(corners)).items():
        names = {"clean": f"clean/{job.name}/{window}{suffix}.png"}
        digests = {names["clean"]: written(job, names["clean"], clean[part])}
        for frame in chosen:
            number_in_video = settled.numbers[frame.place]
            stem = f"{job.name}/{window}_{number_in_video:06}{suffix}"
            names |= {"rainy": f"rainy/{stem}.png", "valid": f"valid/{stem}.png"}
            valid = frame.valid[part]
            sums = digests | {
                names["rainy"]: written(job, names["rainy"], store[frame.place][part]),
                names["valid"]: written(job, names["valid"], valid.astype(np.uint8) * 255),
            }
            worth = settled.acceptance
            own = mark_of_pair(mark, frame.expected_psnr, settings.accept)
            records.append(
                PairRecord(
                    id=stem,
                    rainy=names["rainy"],
                    clean=names["clean"],
                    scene=f"{job.name}/{number:03}",
                    licence=settings.licence,
                    source=source_of(job),
                    checksums=sums,
                    angle=None if worth.angle is None else round(worth.angle, 2),
                    # Fields that only datasets built of videos have.
                    valid=names["valid"],
                    valid_share=round(float(np.mean(valid)), 5),
                    frame=number_in_video,
                    rain_share=round(frame.rain, 6),
                    expected_psnr=round(frame.expected_psnr, 2),
                    background_psnr=round(worth.expected_psnr, 2),
                    status=own.status,
                    doubts=list(own.doubts),
                    sharpness=round(mark.sharpness, 3),
                    drift=round(worth.drift, 3),
                    percentile=settled.estimate.percentile,
                    background_frames=len(store),
                    stabilised=not settled.static,
                    **_aligned(settled, frame.place),
                )
            )
    return records


def _aligned(settled: Settled, place: int) -> dict[str, Any]:
    """Return what maps (x, y) of a pair to (x, y) of the frame of the video, where the frame was aligned."""
    return {"alignment": settled.alignments[place].matrix.tolist()} if settled.alignments else {}
