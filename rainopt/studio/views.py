"""What the page shows: a picture, or the part of it that is seen, before and after, at the size of the screen."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rainopt.app.excerpt import Seen
from rainopt.app.methods import Method
from rainopt.still.derain import decompose
from rainopt.still.settings import StillSettings
from rainopt.studio.asked import SOLVER, Asked
from rainopt.studio.lane import Lane
from rainopt.studio.looks import Look, Looks, excerpt_of, seen_by
from rainopt.studio.photo import Photo, Region, cut, encoded, shown, shown_rain
from rainopt.studio.pictures import Picture, PictureError, Pictures
from rainopt.studio.preview import Piece
from rainopt.studio.results import Results

KEPT_PIECES = 4
KEPT_BYTES = 64 << 20
"""Of pictures that were shown and may be asked for again."""
THUMB_SIDE = 160

Kind = Literal["rainy", "derained", "rain"]


@dataclass
class View:
    """Pictures of one region, 8 bits; those that are asked for are encoded."""

    icc: bytes | None
    pictures: dict[str, np.ndarray]

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(picture.nbytes for picture in self.pictures.values())

    def jpeg(self, kind: Kind) -> bytes:
        """Return one of the pictures as JPEG."""
        pixels = self.pictures[kind]
        # A rain layer is no photograph: its values are shown as they are.
        return encoded(pixels, None if kind == "rain" else self.icc)


class Views:
    """Makes views, the latest wish first, and keeps the last of them."""

    def __init__(self, pictures: Pictures, results: Results, looks: Looks) -> None:
        self._pictures, self._results, self._looks = pictures, results, looks
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, View] = OrderedDict()
        self._pieces: OrderedDict[str, Piece] = OrderedDict()
        self._warm = False
        self._lane = Lane(self._ahead)

    def close(self) -> None:
        """End the thread."""
        self._lane.close()

    def show(
        self, picture: Picture, asked: Asked, box: list[int] | None, quick: bool, stand_in: bool = False
    ) -> dict[str, Any]:
        """Make a view and tell what it is, and the addresses of its pictures.

        Parameters
        ----------
        picture, asked
            Of which, and how derained.
        box
            Left, top, width and height of the part that is seen, in pixels of the picture; None is all.
        quick
            Whether a near result will do, as while a slider moves; no look is begun for it.
        stand_in
            Whether the solver is to be seen as long as a method that is not live has nothing to show.

        Raises
        ------
        SupersededError
            If another view was asked for before this one was begun.
        ImageFileError, PictureError
            If the picture cannot be read, or the method cannot be had.
        """
        return self._lane.run(lambda: self._show(picture, asked, box, quick, stand_in))

    def jpeg(self, key: str, kind: Kind) -> bytes:
        """Return a picture of a view that was made.

        Raises
        ------
        PictureError
            If it is kept no more.
        """
        with self._lock:
            view = self._kept.get(key)
        if view is None or kind not in view.pictures:
            raise PictureError("this view is kept no more; ask for it again")
        return view.jpeg(kind)

    def thumb(self, picture: Picture) -> bytes:
        """Return a small picture as JPEG."""
        photo = self._pictures.glance(picture)
        return encoded(shown(photo.cut(photo.whole(THUMB_SIDE))), photo.icc)

    def _show(
        self, picture: Picture, asked: Asked, box: list[int] | None, quick: bool, stand_in: bool
    ) -> dict[str, Any]:
        photo = self._pictures.photo(picture)
        region = photo.whole() if box is None else photo.part(*box)
        method = self._results.method(asked)
        result = self._results.find(picture, asked)
        file = None if result is None else result.file
        rainy = _key("rainy", picture.number, region)
        if rainy not in self._kept:
            self._keep(rainy, View(photo.icc, {"rainy": shown(photo.cut(region))}))
        told: dict[str, Any] = {
            "box": [region.left, region.top, region.width, region.height],
            "width": photo.width,
            "height": photo.height,
            "rainy": f"/api/views/{rainy}/rainy",
            "exact": file is not None,
            "live": method.live,
            "method": method.name,
            "by": method.name,
            "look": None,
            "estimate": [{"angle": one.angle, "share": one.share} for one in photo.estimate.directions],
            "confidence": photo.estimate.confidence,
            "guess": photo.estimate.angle,
        }
        look = None
        if file is not None or method.live:
            self._looks.leave()
        elif method.part is not None:
            look = self._look(picture, photo, region, asked, method, begin=not quick)
            told["look"] = None if look is None else look.as_json()
        seen = None if look is None else look.seen
        if file is None and not method.live and seen is None:
            if not stand_in:
                return told | {"by": None, "derained": None, "rain": None, "taken": None}
            asked = replace(asked, method=SOLVER)
            told["by"] = SOLVER
        key = _key("view", picture.number, region, asked.key(), file is not None, quick)
        if key not in self._kept:
            self._keep(key, self._view(picture, photo, region, asked, file, seen, quick))
        pictures = {kind: f"/api/views/{key}/{kind}" for kind in ("derained", "rain")}
        with self._lock:
            taken = float(self._kept[key].pictures["rain"].mean()) / 255
        return told | pictures | {"taken": taken}

    def _view(
        self,
        picture: Picture,
        photo: Photo,
        region: Region,
        asked: Asked,
        file: Path | None,
        seen: Seen | None,
        quick: bool,
    ) -> View:
        """Return what is seen of a result, of a look, or else of what is solved here."""
        if file is not None:
            full = self._results.shown(file)
            layer = cut(full.rain, region)
            return View(photo.icc, {"derained": cut(full.derained, region), "rain": shown_rain(layer)})
        if seen is None:
            plain = asked.plain()
            seen = Seen(*self._piece(picture, photo, region, plain).derained(plain.strength, quick))
        return View(photo.icc, {"derained": shown(seen.background), "rain": shown_rain(seen.rain)})

    def _look(
        self, picture: Picture, photo: Photo, region: Region, asked: Asked, method: Method, *, begin: bool
    ) -> Look | None:
        """Return the look of a method at a region, which is begun where it is not known."""
        key = _key("look", picture.number, region, asked.key())
        known = self._looks.find(key)
        if known is not None or not begin or method.part is None:
            return known
        excerpt, inside = excerpt_of(photo, region, asked.plain(), method)
        return self._looks.begin(key, partial(seen_by, method.part, excerpt, inside))

    def _piece(self, picture: Picture, photo: Photo, region: Region, asked: Asked) -> Piece:
        base = Asked(asked.method, asked.lines, 1.0, asked.veil, asked.strokes)
        key = _key("piece", picture.number, region, base.key())
        piece = self._pieces.pop(key, None)
        if piece is None or piece.photo is not photo:
            piece = Piece(photo, region, base)
        # Those of other pictures would keep these in memory.
        self._pieces = OrderedDict((name, other) for name, other in self._pieces.items() if other.photo is photo)
        self._pieces[key] = piece
        while len(self._pieces) > KEPT_PIECES:
            self._pieces.popitem(last=False)
        return piece

    def _keep(self, key: str, view: View) -> None:
        with self._lock:
            self._kept[key] = view
            total = sum(kept.size for kept in self._kept.values())
            # The two that are being shown stay.
            while total > KEPT_BYTES and len(self._kept) > 2:
                total -= self._kept.popitem(last=False)[1].size

    def _ahead(self) -> bool:
        """Solve for a further strength of what was looked at last; at first, load what solving needs."""
        if not self._warm:
            self._warm = True
            warm_up()
        if not self._pieces:
            return False
        return next(reversed(self._pieces.values())).solve_ahead()


def warm_up() -> None:
    """Load the libraries and kernels of a first view, so that nobody waits for them."""
    picture = np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8)
    # In noise directions are sought in vain, and an upright one would need none of the kernels that turn.
    decompose(picture, StillSettings())
    encoded(decompose(picture, StillSettings(angle=12.0)).background)


def _key(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]
