"""What a comparison of methods found: scores of each picture, their means, and what failed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

NO_DIFFERENCE = 0.05
"""dB between two orders of channels that say nothing."""


@dataclass(frozen=True)
class Score:
    """How one method did on one picture.

    Attributes
    ----------
    picture
        Name of the pair in its dataset.
    psnr
        dB under each protocol, infinite where the result is the truth; empty without truth.
    ssim
        Under each protocol, at most 1; None for pictures of fewer than 11 pixels on a side.
    niqe
        At least 0, less is better; None where it was not asked for, or the picture is too small.
    seconds
        That the method took; None for results that were there already.
    valid
        Share of the pixels that psnr and ssim were computed over, those that the pair's mask trusts; None: all of them.
    """

    picture: str
    psnr: dict[str, float] = field(default_factory=dict)
    ssim: dict[str, float | None] = field(default_factory=dict)
    niqe: float | None = None
    seconds: float | None = None
    valid: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON holds; an infinite PSNR is null with ``equal`` true."""
        scores = {
            protocol: {"psnr": _finite(value), "equal": math.isinf(value), "ssim": self.ssim[protocol]}
            for protocol, value in self.psnr.items()
        }
        return {
            "picture": self.picture,
            "scores": scores,
            "niqe": self.niqe,
            "seconds": self.seconds,
            "valid": self.valid,
        }


@dataclass(frozen=True)
class Failure:
    """A picture without scores, and a sentence that names it and says why."""

    picture: str
    error: str

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON holds."""
        return {"picture": self.picture, "error": self.error}


@dataclass(frozen=True)
class MethodReport:
    """How one method did on all pictures, in the order of the dataset."""

    name: str
    scores: tuple[Score, ...]
    failures: tuple[Failure, ...] = ()

    def count(self, protocol: str) -> int:
        """Return how many pictures have a PSNR."""
        return sum(protocol in score.psnr for score in self.scores)

    def equal(self, protocol: str) -> int:
        """Return how many results are the truth itself."""
        return sum(math.isinf(score.psnr[protocol]) for score in self.scores if protocol in score.psnr)

    @property
    def masked(self) -> int:
        """How many pictures were scored over the valid pixels of their masks alone."""
        return sum(score.valid is not None for score in self.scores)

    def psnr(self, protocol: str) -> float | None:
        """Return the mean over pictures in dB; None without truth.

        Results that are the truth itself are left out and counted by `equal`: one of them would make the mean
        infinite. It is where all are.
        """
        values = [score.psnr[protocol] for score in self.scores if protocol in score.psnr]
        different = [value for value in values if not math.isinf(value)]
        return math.inf if values and not different else _mean(different)

    def ssim(self, protocol: str) -> float | None:
        """Return the mean over pictures; None where no picture has one."""
        return _mean(score.ssim.get(protocol) for score in self.scores)

    @property
    def niqe(self) -> float | None:
        """Mean over pictures; None where no picture has one."""
        return _mean(score.niqe for score in self.scores)

    @property
    def seconds(self) -> float | None:
        """Median over pictures without the first, which pays for what is loaded and compiled once."""
        times = [score.seconds for score in self.scores if score.seconds is not None][1:]
        return statistics.median(times) if times else None

    def as_dict(self, protocols: Iterable[str]) -> dict[str, Any]:
        """Return means and the scores of each picture as JSON has them."""
        means = {
            protocol: {
                "psnr": _finite(self.psnr(protocol)),
                "ssim": self.ssim(protocol),
                "pictures": self.count(protocol),
                "equal": self.equal(protocol),
            }
            for protocol in protocols
        }
        return {
            "name": self.name,
            "pictures": len(self.scores),
            "failed": len(self.failures),
            "masked": self.masked,
            "means": means,
            "niqe": self.niqe,
            "seconds": self.seconds,
            "each": [score.as_dict() for score in self.scores],
            "failures": [failure.as_dict() for failure in self.failures],
        }


@dataclass(frozen=True)
class ChannelOrder:
    """Which order of channels suits a network.

    Attributes
    ----------
    network
        Name of the method.
    protocol, pictures
        Of the scores, and how many pictures both orders have one of, results that are the truth itself left out.
    rgb, bgr
        Mean PSNR over these in dB, of pictures shown red first, as `rainnet` does, and blue first; None without any.
    coloured
        Whether a picture has colour.
    converted
        Whether the network was converted from a file of another program.
    """

    network: str
    protocol: str
    pictures: int
    rgb: float | None
    bgr: float | None
    coloured: bool
    converted: bool

    @property
    def difference(self) -> float | None:
        """What blue first scores more than red first, in dB."""
        return None if self.rgb is None or self.bgr is None else self.bgr - self.rgb

    @property
    def higher(self) -> str | None:
        """The order that scores higher, "rgb" or "bgr"; None if neither does by more than `NO_DIFFERENCE`."""
        if not self.coloured or self.difference is None or abs(self.difference) <= NO_DIFFERENCE:
            return None
        return "bgr" if self.difference > 0 else "rgb"

    @property
    def advice(self) -> str:
        """What to do; empty where nothing is to be done."""
        if self.higher != "bgr":
            return ""
        if not self.converted:
            return "it was not converted from another program: see whether the pictures have red and blue exchanged"
        return (
            "convert its file again with --channels bgr, or with --channels rgb if it was converted as one for BGR "
            "pictures"
        )

    def sentence(self) -> str:
        """Return which order scores higher, by how much, on what; and what to do."""
        if self.difference is None:
            return f"{self.network}: no picture has a score in both orders, so that neither can be told to be higher"
        on = f"{self.protocol}, {self.pictures} picture{'' if self.pictures == 1 else 's'}"
        if not self.coloured:
            return f"{self.network}: the pictures are grey and do not tell the orders apart ({on})"
        if self.higher is None:
            return (
                f"{self.network}: no difference worth the name, blue first {self.difference:+.2f} dB beside red first "
                f"({on})"
            )
        name = "red, green, blue" if self.higher == "rgb" else "blue, green, red"
        said = f"{self.network}: {name} scores higher, by {abs(self.difference):.2f} dB ({on})"
        return f"{said}; {self.advice}" if self.advice else said

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON holds."""
        return asdict(self) | {"difference": self.difference, "higher": self.higher, "advice": self.advice}


@dataclass(frozen=True)
class Report:
    """A comparison of methods on a dataset.

    Attributes
    ----------
    data, layout
        The dataset's folder, and which of `data_tools.layouts.read.LAYOUTS` it is.
    split
        Part of the dataset; None for all of it.
    protocols
        Under which pictures with truth were scored.
    pictures
        How many there were, including those that failed.
    methods
        In the order in which they were given.
    failures
        Pictures that no method was given, since they could not be read or their truth is of another size.
    problems
        What is no pair though it should be, as the layout tells.
    orders
        Of networks that were tried with their channels in both orders.
    """

    data: str
    layout: str
    split: str | None
    protocols: tuple[str, ...]
    pictures: int
    methods: tuple[MethodReport, ...]
    failures: tuple[Failure, ...] = ()
    problems: tuple[str, ...] = ()
    orders: tuple[ChannelOrder, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is missing: every pair was whole, and every method did every picture."""
        return not (self.failures or self.problems or any(method.failures for method in self.methods))

    def lines(self) -> list[dict[str, Any]]:
        """Return what a line of JSON says of each method, its means and how many pictures failed; and of the orders."""
        whole = [method.as_dict(self.protocols) for method in self.methods]
        lines = [{k: v for k, v in one.items() if k not in ("each", "failures")} for one in whole]
        lines += [{"channels": order.as_dict()} for order in self.orders]
        return [{"data": self.data} | line for line in lines]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as JSON has it, without NaN and infinities."""
        from rainopt import __version__

        return {
            "format": "rainnet-evaluation",
            "version": 1,
            "rainopt": __version__,
            "data": self.data,
            "layout": self.layout,
            "split": self.split,
            "protocols": list(self.protocols),
            "pictures": self.pictures,
            "methods": [method.as_dict(self.protocols) for method in self.methods],
            "failures": [failure.as_dict() for failure in self.failures],
            "problems": list(self.problems),
        } | ({"channels": [order.as_dict() for order in self.orders]} if self.orders else {})


def _mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that there are."""
    there = [value for value in values if value is not None]
    return statistics.fmean(there) if there else None


def _finite(value: float | None) -> float | None:
    return None if value is None or math.isinf(value) else value
