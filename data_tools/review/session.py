"""What a reviewer sees of a dataset, as objects of JSON."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from data_tools.decisions.agreement import agreement
from data_tools.decisions.board import Board, Opinion
from data_tools.decisions.rounds import read_round, rounds_of
from data_tools.manifest.record import PairRecord
from data_tools.review.again import FAILED, Again
from data_tools.review.cache import key_of
from data_tools.review.dataset import Frame, Listed, ReviewDataset, frames_of
from data_tools.review.gallery import Gallery, Wish, has_background
from data_tools.review.order import measures
from rainopt.io import image_size

THUMBS_AHEAD, SCREENS_AHEAD = 40, 3  # scenes after the one that is looked at


class Session:
    """A dataset, what has been decided about it, and who looks at it.

    Attributes
    ----------
    dataset, board, gallery, again, reviewer
        Its parts.
    """

    def __init__(self, dataset: ReviewDataset, board: Board, reviewer: str, videos: Sequence[str] = ()) -> None:
        self.dataset, self.board, self.reviewer = dataset, board, reviewer
        self.gallery = Gallery(dataset)
        self.again = Again(dataset, board, videos)
        self._counted: tuple[tuple[int, int], dict[str, Any]] | None = None
        self._shown: dict[tuple[str, int], Sequence[PairRecord]] = {}
        self._mutex = threading.Lock()
        self._prepare(0)  # what is looked at first

    def close(self) -> None:
        """End what works in the background."""
        self.again.close()
        self.gallery.close()

    def summary(self) -> dict[str, Any]:
        """Return how far the review is, and how far reviewers and the measure agree."""
        self.board.refresh()
        with self._mutex:
            # Work that ends opens scenes again.
            version = self.board.version, self.again.news(0)[0]
            if self._counted is None or self._counted[0] != version:
                self._counted = version, self._counts()
            return self._counted[1]

    def _counts(self) -> dict[str, Any]:
        verdicts = Counter(self.opinion(listed).verdict or "none" for listed in self._touched())
        verdicts["none"] += len(self.dataset.scenes) - verdicts.total()
        names = [name for name in self.board.reviewers() if name != self.reviewer]
        others = {name: agreement(self.board, self.reviewer, name) for name in names}
        agree, of = self.automatic_agreement(0.0)
        return {
            "name": self.dataset.name,
            "reviewer": self.reviewer,
            "count": len(self.dataset.scenes),
            "decided": {name: verdicts[name] for name in ("accept", "reject", "more", "none")},
            "agreement": {
                "with": {name: {"kappa": its.kappa, "scenes": its.scenes} for name, its in others.items() if its.scenes}
            },
            "automatic": {"agree": agree, "of": of},
            "faults": [*self.board.faults()],
        }

    def automatic_agreement(self, score: float) -> tuple[int, int]:
        """Return how often reviewer and measure agreed on scenes from a score on, of those that were judged one by one.

        They agree where both accept, or neither does.
        """
        agree = of = 0
        for listed in self._touched():
            opinion = self.opinion(listed)
            if listed.judged.score >= score and opinion.verdict is not None and not opinion.swept:
                of += 1
                agree += (listed.judged.automatic == "accepted") == (opinion.verdict == "accept")
        return agree, of

    def open_above(self, score: float) -> list[str]:
        """Return the names of the scenes from a score on that this reviewer has not decided."""
        decided = self._decided()
        scenes = (one for one in self.dataset.scenes if one.judged.score >= score)
        return [one.scene.name for one in scenes if one.number not in decided]

    def _touched(self) -> list[Listed]:
        """Return the scenes that this reviewer has written anything about."""
        known = self.dataset.numbers
        return [self.dataset.scenes[known[name]] for name in self.board.scenes(self.reviewer) if name in known]

    def _decided(self) -> set[int]:
        """Return the numbers of the scenes that this reviewer has decided."""
        return {one.number for one in self._touched() if self.opinion(one).verdict is not None}

    def opinion(self, listed: Listed) -> Opinion:
        """Return what this reviewer holds of a scene; it is open again when more frames are there, or cannot be had."""
        held = self.board.opinion(self.reviewer, listed.scene.name)
        if held.verdict != "more":
            return held
        work = self.again.state(listed.scene.name)
        failed = work is not None and work["state"] == FAILED
        done = rounds_of(self.dataset.folder, listed.scene) > held.round
        return replace(held, verdict=None) if failed or done else held

    def listed(self, which: str, begin: int, count: int) -> dict[str, Any]:
        """Return some of the scenes: all, or those that are open or decided."""
        self.board.refresh()
        found: Sequence[Listed] = self.dataset.scenes
        if which != "all":
            decided = self._decided()
            found = [one for one in found if (one.number in decided) == (which == "decided")]
        part = found[begin : begin + count]
        self._prepare_thumbs(part)
        return {"count": len(found), "scenes": [self.brief(one) for one in part]}

    def brief(self, listed: Listed) -> dict[str, Any]:
        """Return what a list says of a scene."""
        opinion = self.opinion(listed)
        decision = None
        if opinion.verdict is not None:
            decision = {"verdict": opinion.verdict, "by": opinion.by, "at": opinion.at, "note": opinion.note}
        return {
            "number": listed.number,
            "id": listed.scene.name,
            "score": listed.judged.score,
            "uncertainty": listed.judged.uncertainty,
            "automatic": listed.judged.automatic,
            "doubts": list(listed.judged.doubts),
            "decision": decision,
            "note": opinion.note,
            "thumb": f"/api/picture/{listed.number}/0/rainy?size=thumb",
        }

    def full(self, listed: Listed) -> dict[str, Any]:
        """Return all about a scene."""
        number, opinion = self.round_of(listed), self.opinion(listed)
        records = self.records(listed, number)
        frames = frames_of(records, self.dataset.header)
        height, width = image_size(self.dataset.path(frames[0].rainy))
        version = key_of(number, *(record.checksums.get(str(record.clean), "") for record in records))[:8]
        invalid = None
        if opinion.mask is not None:
            invalid = f"/api/picture/{listed.number}/0/invalid?v={opinion.mask[:8]}"
        others = [one for one in self.board.opinions(listed.scene.name) if one.by != self.reviewer and one.verdict]
        self._prepare(listed.number + 1)
        return {
            **self.brief(listed),
            "round": number,
            "width": width,
            "height": height,
            "frames": [self._frame(listed, frames, k, f"?round={number}&v={version}") for k in range(len(frames))],
            "measures": measures(records),
            "invalid": invalid,
            "others": [{"by": one.by, "verdict": one.verdict} for one in others],
            "again": self.again.state(listed.scene.name),
        }

    def _frame(self, listed: Listed, frames: Sequence[Frame], k: int, query: str) -> dict[str, Any]:
        frame, place = frames[k], f"/api/picture/{listed.number}/{k}"
        behind = has_background(frames, k)
        return {
            "id": quote(frame.name, safe=""),
            "name": frame.name,
            "rainy": f"{place}/rainy{query}",
            "clean": f"{place}/clean{query}" if behind else None,
            "difference": f"{place}/difference{query}" if behind else None,
            "mask": f"{place}/mask{query}" if frame.valid is not None else None,
            "estimated": behind and frame.clean is None,
        }

    def round_of(self, listed: Listed) -> int:
        """Return which estimate of the background is shown: that which was judged, or else the last that was asked for
        and is there.
        """
        there = rounds_of(self.dataset.folder, listed.scene)
        if there == 0:
            return 0
        own = self.board.opinion(self.reviewer, listed.scene.name)
        opinions = [own] if own.verdict is not None else self.board.opinions(listed.scene.name)
        wanted = [one.round + (one.verdict == "more") for one in opinions if one.verdict is not None]
        return min(max(wanted, default=0), there)

    def records(self, listed: Listed, number: int) -> Sequence[PairRecord]:
        """Return the records of a scene by a round; those of the dataset where the round left it out."""
        if number == 0:
            return listed.scene.records
        key = listed.scene.name, number
        if key not in self._shown:
            self._shown[key] = read_round(self.dataset.folder, listed.scene, number) or listed.scene.records
        return self._shown[key]

    def frames(self, listed: Listed, number: int) -> list[Frame]:
        """Return the frames of a scene by a round."""
        return frames_of(self.records(listed, number), self.dataset.header)

    def _prepare(self, begin: int) -> None:
        """Make the pictures ahead of scenes from a number on, which are looked at next."""
        wanted: list[Wish] = []
        for one in self.dataset.scenes[begin : begin + SCREENS_AHEAD]:
            frames = self.frames(one, self.round_of(one))
            wanted.append((frames, 0, "rainy", "screen"))
            if has_background(frames, 0):
                wanted.append((frames, 0, "clean", "screen"))
        self.gallery.ahead(wanted)

    def _prepare_thumbs(self, part: Sequence[Listed]) -> None:
        self.gallery.ahead([(self.frames(one, 0), 0, "rainy", "thumb") for one in part[:THUMBS_AHEAD]])
