"""What a study says of each source: how many ratings, their mean and deviation, and the realism."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from data_tools.rating.study import SCALE, Rating


@dataclass(frozen=True)
class SourceSummary:
    """The ratings of one source.

    Attributes
    ----------
    source
        Its name.
    ratings, images, raters
        How many there are.
    mean
        1 to 5; None without ratings.
    deviation
        Standard deviation of the ratings, of a sample (n - 1); None of fewer than two.
    realism
        The mean in [0, 1], see `realism`.
    """

    source: str
    ratings: int
    images: int
    raters: int
    mean: float | None
    deviation: float | None
    realism: float | None


def realism(mean: float) -> float:
    r"""Return a mean rating as a number in [0, 1].

    .. math:: (m - 1) / 4

    Wang et al. 2021 (VRGNet), Sec. 5.2 and Fig. 5, give the realism as "converting the mean rating to the [0,1]
    interval", and no formula. This is the linear map that takes the ends of their 5-point scale to the ends of the
    interval.

    Parameters
    ----------
    mean
        1 to 5.
    """
    return (mean - SCALE[0]) / (SCALE[-1] - SCALE[0])


def summarise(sources: Sequence[str], ratings: Iterable[Rating]) -> list[SourceSummary]:
    """Return one summary for each source, in their order; all ratings count alike, whoever gave them."""
    ratings = list(ratings)
    summaries = []
    for source in sources:
        own = [one for one in ratings if one.source == source]
        values = [one.rating for one in own]
        mean = sum(values) / len(values) if values else None
        deviation = None
        if mean is not None and len(values) > 1:
            deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
        images, raters = len({one.name for one in own}), len({one.rater for one in own})
        real = None if mean is None else realism(mean)
        summaries.append(SourceSummary(source, len(values), images, raters, mean, deviation, real))
    return summaries


def ratings_csv(ratings: Iterable[Rating]) -> bytes:
    """Return a table of all ratings, one a row."""
    return _csv(Rating._fields, ratings)


def summary_csv(summaries: Iterable[SourceSummary]) -> bytes:
    """Return a table of the sources, one a row."""
    return _csv(SourceSummary.__dataclass_fields__, (asdict(one).values() for one in summaries))


def _csv(header: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(["" if value is None else value for value in row] for row in rows)
    # Names of files that are no text are shown as they would be in a terminal.
    return text.getvalue().encode("utf-8", "backslashreplace")
