"""What is asked of one picture on the page: read from what a browser sends, and checked there."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from rainopt.geometry.lines import line_angle
from rainopt.still.settings import APART, MOST_STRENGTH

MOST_LINES = 3
MOST_STROKES = 2000
MOST_POINTS = 200_000
MOST_COORDINATE = 1e6
KINDS = ("protect", "rain", "erase")
SOLVER = "solver"


class AskedError(ValueError):
    """What a browser sent is not what the page sends; the message names what."""


class Line(NamedTuple):
    """A direction: degrees in (-90, 90], and whether it is switched on."""

    angle: float
    on: bool = True


class Stroke(NamedTuple):
    """A stroke of the brush.

    Attributes
    ----------
    kind
        One of `KINDS`: nothing is to be removed there, there is rain, or what was marked there is taken back.
    radius
        In pixels of the picture.
    points
        x and y in turn, in pixels of the picture from its upper left corner.
    """

    kind: str
    radius: float
    points: tuple[float, ...]


@dataclass(frozen=True)
class Asked:
    """What is asked of one picture.

    Attributes
    ----------
    method
        Name of a `rainopt.app.methods.Method`.
    lines
        Directions, the strongest first; None: they are estimated.
    strength, veil
        As ``rainopt derain`` takes them.
    strokes
        Of the brush, the later over the earlier.
    """

    method: str = SOLVER
    lines: tuple[Line, ...] | None = None
    strength: float = 1.0
    veil: bool = False
    strokes: tuple[Stroke, ...] = ()

    @classmethod
    def of(cls, sent: Any) -> Asked:
        """Read what a browser sent; what it leaves out is as usual.

        Raises
        ------
        AskedError
            If it is not what the page sends.
        """
        _require(isinstance(sent, dict), "`asked` must be an object")
        unknown = set(sent) - {"method", "lines", "strength", "veil", "strokes"}
        _require(not unknown, f"`asked` has no '{min(unknown, default='')}'")
        method, lines = sent.get("method", SOLVER), sent.get("lines")
        _require(isinstance(method, str) and len(method) <= 200, "`method` must be a name")
        veil = sent.get("veil", False)
        _require(isinstance(veil, bool), "`veil` must be true or false")
        strength = round(_number(sent.get("strength", 1.0), "strength", 0, MOST_STRENGTH), 3)
        if lines is not None:
            _require(isinstance(lines, list) and len(lines) <= MOST_LINES, f"`lines` must be at most {MOST_LINES}")
            lines = tuple(map(_line, lines))
        strokes = sent.get("strokes", [])
        _require(isinstance(strokes, list) and len(strokes) <= MOST_STROKES, "`strokes` must be a list of not too many")
        drawn = tuple(map(_stroke, strokes))
        _require(sum(len(stroke.points) for stroke in drawn) <= 2 * MOST_POINTS, "`strokes` have too many points")
        return cls(method, lines, strength, veil, drawn)

    def as_json(self) -> dict[str, Any]:
        """Return what `of` reads."""
        lines = None if self.lines is None else [line._asdict() for line in self.lines]
        strokes = [stroke._asdict() | {"points": list(stroke.points)} for stroke in self.strokes]
        return {
            "method": self.method,
            "lines": lines,
            "strength": self.strength,
            "veil": self.veil,
            "strokes": strokes,
        }

    @property
    def angles(self) -> tuple[float, ...] | None:
        """The angles of the lines that are switched on, but for those that are nearly one before; None where they are
        estimated.
        """
        if self.lines is None:
            return None
        angles: list[float] = []
        for angle, on in self.lines:
            if on and all(abs(line_angle(angle - other)) >= APART for other in angles):
                angles.append(angle)
        return tuple(angles)

    def plain(self) -> Asked:
        """Return the same without lines that make no difference."""
        if self.lines is None:
            return self
        on = tuple(map(Line, self.angles or ()))
        if on:
            return replace(self, lines=on)
        # No direction at all: the solver at strength 0 takes no streak off.
        return replace(self, method=SOLVER, lines=None, strength=0.0)

    def key(self) -> str:
        """Return a name of what is asked, the same for the same result."""
        said = json.dumps(self.plain().as_json(), sort_keys=True).encode()
        return hashlib.sha256(said).hexdigest()[:24]


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise AskedError(sentence)


def _number(value: Any, name: str, low: float, high: float) -> float:
    usual = isinstance(value, (int, float)) and not isinstance(value, bool)
    _require(usual and math.isfinite(value) and low <= value <= high, f"`{name}` must be a number in [{low}, {high}]")
    return float(value)


def _line(sent: Any) -> Line:
    _require(isinstance(sent, dict) and set(sent) <= {"angle", "on"}, "a line must have an angle, and be on or not")
    angle, on = _number(sent.get("angle"), "angle", -90, 90), sent.get("on", True)
    _require(angle > -90, "`angle` must be in (-90, 90] degrees")
    _require(isinstance(on, bool), "`on` must be true or false")
    # What the command line shows is what is done.
    rounded = round(angle, 2)
    return Line(rounded if rounded > -90 else 90.0, on)


def _stroke(sent: Any) -> Stroke:
    _require(isinstance(sent, dict) and set(sent) == {"kind", "radius", "points"}, "a stroke has kind, radius, points")
    kind, points = sent["kind"], sent["points"]
    _require(kind in KINDS, f"`kind` of a stroke must be one of {', '.join(KINDS)}")
    radius = _number(sent["radius"], "radius", 0, MOST_COORDINATE)
    _require(isinstance(points, list) and len(points) >= 2 and len(points) % 2 == 0, "`points` must be pairs")
    _require(len(points) <= 2 * MOST_POINTS, "`points` are too many")
    return Stroke(kind, radius, tuple(_number(one, "points", -MOST_COORDINATE, MOST_COORDINATE) for one in points))
