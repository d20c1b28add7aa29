"""Which order of channels a network expects: it is shown pictures red first and blue first, and both are scored."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from rainnet.evaluate.compare import Compared
from rainnet.evaluate.methods import Function, Method, NetworkMethod, Results
from rainnet.evaluate.report import ChannelOrder, MethodReport, Report

COLOURS = 3


def in_both_orders(methods: Sequence[Method | Results]) -> list[Method | Results]:
    """Return methods with each network of three channels followed by itself in the other order.

    Raises
    ------
    ValueError
        If there is none to be tried.
    """
    result: list[Method | Results] = []
    for method in methods:
        result.append(method)
        if (other := _other(method)) is not None:
            result.append(other)
    if len(result) > len(methods):
        return result
    counts = [f"'{m.name}' takes {m.net.channels}" for m in methods if isinstance(m, NetworkMethod)]
    if counts:
        raise ValueError(f"only three channels have an order, and {' and '.join(counts)}; leave --try-channels out")
    given = ", ".join(f"'{method.name}'" for method in methods)
    raise ValueError(f"needs a network among the methods, got {given}; name its file, its folder, or one that ships")


class Colours:
    """Watches a comparison for pictures that have colour.

    Attributes
    ----------
    seen
        Whether there was one.
    """

    def __init__(self) -> None:
        self.seen = False

    def __call__(self, compared: Compared) -> None:
        """Look at one more picture."""
        rainy = compared.rainy
        if self.seen or rainy is None or rainy.ndim < 3 or rainy.shape[2] < COLOURS:
            return
        self.seen = bool((rainy[..., :1] != rainy[..., 1:COLOURS]).any())


def found_orders(report: Report, methods: Sequence[Method | Results], coloured: bool) -> tuple[ChannelOrder, ...]:
    """Return what the scores of a report say of each network that was tried in both orders, by its first protocol."""
    reports, protocol = {method.name: method for method in report.methods}, report.protocols[0]
    found = []
    for method in methods:
        if isinstance(method, NetworkMethod) and _reversed_name(method) in reports:
            rgb, bgr = (_finite(reports[name], protocol) for name in (method.name, _reversed_name(method)))
            both = [picture for picture in rgb if picture in bgr]
            first, second = (statistics.fmean(s[p] for p in both) if both else None for s in (rgb, bgr))
            found.append(ChannelOrder(method.name, protocol, len(both), first, second, coloured, method.converted))
    return tuple(found)


def _other(method: Method | Results) -> Function | None:
    if not isinstance(method, NetworkMethod) or method.net.channels != COLOURS:
        return None
    from rainnet.evaluate.blue_first import blue_first

    twin = NetworkMethod(method.name, blue_first(method.net), method.options)
    return Function(_reversed_name(method), twin)


def _reversed_name(method: NetworkMethod) -> str:
    return f"{method.name} (bgr)"


def _finite(report: MethodReport, protocol: str) -> dict[str, float]:
    """Return the PSNR of pictures, without results that are the truth itself."""
    scores = ((score.picture, score.psnr.get(protocol, math.inf)) for score in report.scores)
    return {picture: value for picture, value in scores if not math.isinf(value)}
