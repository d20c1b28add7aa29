"""Figures as text: as many digits as mean something, and nothing where there is no figure."""

from __future__ import annotations

import math

MINUS = "−"
SPACE = "\N{NO-BREAK SPACE}"


def plain(value: float | None, digits: int = 3) -> str:
    """Return a number with some significant digits, and all of those before the point; a count as it is."""
    if value is not None and value == int(value):
        return _signed(f"{value:,.0f}")
    return significant(value, digits)


def significant(value: float | None, digits: int = 3) -> str:
    """Return a number with some significant digits, and all of those before the point."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    return _signed(f"{value:,.{min(places, 12)}f}")


def places(value: float | None, count: int) -> str:
    """Return a number with some digits after the point."""
    return "" if value is None else _signed(f"{value:,.{count}f}")


def decibels(value: float | None) -> str:
    """Return a PSNR."""
    return places(value, 2)


def gain(value: float | None) -> str:
    """Return a difference in decibels, with its sign."""
    return "" if value is None else _signed(f"{value:+.1f}")


def score(psnr: float | None, ssim: float | None) -> str:
    """Return PSNR and SSIM as tables of the field write them."""
    return f"{SPACE}/{SPACE}".join(filter(None, (decibels(psnr), places(ssim, 3))))


def percent(share: float | None, count: int = 0) -> str:
    """Return a share in [0, 1] as a percentage."""
    return "" if share is None else f"{100 * share:.{count}f}{SPACE}%"


def times(ratio: float | None) -> str:
    """Return a ratio."""
    return "" if ratio is None else f"{places(ratio, 2 if ratio < 1 else 1 if ratio < 100 else 0)}×"


def unit_of_time(seconds: float | None) -> tuple[float, str]:
    """Return the unit in which a time is read well: what a second is in it, and its name."""
    if seconds is None or seconds >= 1:
        return 1.0, "s"
    return (1e3, "ms") if seconds >= 1e-3 else (1e6, "µs")


def duration(seconds: float | None) -> str:
    """Return a time with its unit."""
    if seconds is None:
        return ""
    scale, unit = unit_of_time(seconds)
    return f"{significant(scale * seconds)}{SPACE}{unit}"


def span(least: float | None, most: float | None, scale: float = 1.0) -> str:
    """Return the range of repeated measurements."""
    return "" if least is None or most is None else f"{significant(scale * least)} to {significant(scale * most)}"


def _signed(text: str) -> str:
    bare = text.lstrip("-")
    return bare if not bare.strip("0.") else text.replace("-", MINUS)
