"""Compare methods on a dataset: PSNR and SSIM under named protocols, NIQE where there is no truth, and seconds."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_tools.layouts.read import Layout, Pair
from rainnet.evaluate.methods import Method, Results
from rainnet.evaluate.report import Failure, MethodReport, Report, Score
from rainnet.evaluate.score import read_pair, rounded, score_of
from rainopt.app.task import error_message
from rainopt.io import read_image
from rainopt.metrics.fidelity import PROTOCOLS

__all__ = [
    "PROTOCOL",
    "Compared",
    "Method",
    "MethodReport",
    "Report",
    "Results",
    "Score",
    "chosen_pairs",
    "evaluate",
]

PROTOCOL = "y_matlab"
"""That of most of the literature."""


@dataclass(frozen=True, eq=False)
class Compared:
    """One picture and what the methods made of it, to be shown or written.

    Attributes
    ----------
    pair
        Where it lies.
    rainy, truth
        As read. Both are None where no method was given the picture, and the truth where there is none.
    valid
        (H, W) bool: the pixels that are scored; None: all of them.
    results
        By the method's name, rounded as they were scored; of those that failed there are none.
    scores
        By the method's name.
    failures
        Sentences that say what went wrong, by the method's name; by "" if no method was given the picture.
    """

    pair: Pair
    rainy: np.ndarray | None = None
    truth: np.ndarray | None = None
    valid: np.ndarray | None = None
    results: dict[str, np.ndarray] = field(default_factory=dict)
    scores: dict[str, Score] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def evaluate(
    methods: Sequence[Method | Results],
    layout: Layout,
    protocols: Sequence[str] = (PROTOCOL,),
    *,
    split: str | None = None,
    limit: int | None = None,
    niqe: bool = False,
    watch: Callable[[Compared], None] | None = None,
) -> Report:
    """Give every picture of a dataset to every method, and score what comes back.

    A result is scored as a file would hold it, rounded to the depth of the truth, or of the rainy picture where there
    is no truth. Grey pictures count as three equal channels beside coloured ones, and alpha is ignored. Of a pair
    with a mask, the valid pixels count alone. Whatever goes wrong with one picture is a failure in the report, and the
    others are done.

    Parameters
    ----------
    methods
        What is compared; their names differ.
    layout
        The dataset, as `data_tools.layouts.read.read_dataset` returns it.
    protocols
        Of `rainopt.metrics.fidelity.PROTOCOLS`, for PSNR and SSIM.
    split
        Part of the dataset, such as "val"; None for all of it.
    limit
        At most so many pictures, the first.
    niqe
        Whether pictures with truth get NIQE as well; those without always do.
    watch
        Told of each picture when all methods are through with it.

    Raises
    ------
    ValueError
        For no methods, or two of one name; for no protocol, or one that is not known; for a split without pictures.
    """
    named = known_protocols(protocols)
    names = [method.name for method in methods]
    if not names:
        raise ValueError("`methods` must hold at least one method, got none")
    if len(set(names)) < len(names):
        raise ValueError(f"`methods` must have different names, got '{Counter(names).most_common(1)[0][0]}' twice")
    pairs = chosen_pairs(layout, split, limit)
    scores: dict[str, list[Score]] = {name: [] for name in names}
    failures: dict[str, list[Failure]] = {name: [] for name in ("", *names)}
    for compared in _compare_all(methods, pairs, layout.root, named, niqe):
        for name, score in compared.scores.items():
            scores[name].append(score)
        for name, error in compared.failures.items():
            failures[name].append(Failure(compared.pair.name, error))
        if watch:
            watch(compared)
    return Report(
        data=str(layout.root),
        layout=layout.name,
        split=split,
        protocols=named,
        pictures=len(pairs),
        methods=tuple(MethodReport(name, tuple(scores[name]), tuple(failures[name])) for name in names),
        failures=tuple(failures[""]),
        problems=tuple(layout.problems),
    )


def known_protocols(protocols: Sequence[str]) -> tuple[str, ...]:
    """Return protocols, each once; raises ValueError for none, and for one that is not known."""
    if not protocols:
        raise ValueError(f"`protocols` must name at least one of {', '.join(PROTOCOLS)}, got none")
    return tuple(dict.fromkeys(_known(protocol, PROTOCOLS, "protocol") for protocol in protocols))


def chosen_pairs(layout: Layout, split: str | None = None, limit: int | None = None) -> list[Pair]:
    """Return the first ``limit`` pairs of a split, of all the dataset without one.

    Raises
    ------
    ValueError
        If there are none, with the splits that there are; or ``limit`` is below 1.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"`limit` must be a whole number of at least 1, got {limit}")
    splits = sorted({pair.split for pair in layout if pair.split})
    if split is not None and not splits:
        raise ValueError(f"`split` cannot be '{split}': nothing in '{layout.root}' tells of splits; leave it out")
    if split is not None:
        _known(split, splits, f"split of '{layout.root}'")
    pairs = [pair for pair in layout if split in (None, pair.split)][:limit]
    if not pairs:
        raise ValueError(f"'{layout.root}' holds no pair; see what `raindata verify` says of it")
    return pairs


class _Made(NamedTuple):
    """What a method made of a picture, and how many seconds that took."""

    image: np.ndarray
    seconds: float | None


_Run = Callable[[Pair, np.ndarray], _Made]


def _compare_all(
    methods: Sequence[Method | Results], pairs: Sequence[Pair], root: Path, protocols: Sequence[str], with_niqe: bool
) -> Iterator[Compared]:
    """Yield each picture with all its results: a pair is read once, and no more than one is in memory."""
    runs = {method.name: _run(method, pairs, root) for method in methods}
    for pair in pairs:
        try:
            rainy, truth, valid = read_pair(pair)
        except Exception as error:
            yield Compared(pair, failures={"": error_message(error, pair.rainy, None)})
            continue
        compared = Compared(pair, rainy, truth, valid)
        for name, run in runs.items():
            try:
                made = run(pair, rainy)
                result = rounded(made.image, rainy if truth is None else truth)
                score = score_of(result, truth, valid, protocols, name=pair.name, niqe=with_niqe, seconds=made.seconds)
            # A method may raise anything, and what it raises concerns one picture.
            except Exception as error:
                compared.failures[name] = f"{name}: {error_message(error, pair.rainy, None)}"
            else:
                compared.results[name], compared.scores[name] = result, score
        yield compared


def _run(method: Method | Results, pairs: Sequence[Pair], root: Path) -> _Run:
    if isinstance(method, Results):
        found = method.match(pairs, root)

        def fetch(pair: Pair, rainy: np.ndarray) -> _Made:
            place = found[pair.rainy]
            if isinstance(place, str):
                raise ValueError(place)
            return _Made(read_image(place), None)

        return fetch

    def work(pair: Pair, rainy: np.ndarray) -> _Made:
        start = time.perf_counter()
        image = np.asarray(method(rainy))
        return _Made(image, time.perf_counter() - start)

    return work


def _known(name: str, names: Sequence[str], what: str) -> str:
    if name not in names:
        # Importing the networks takes a second, which only a wrong name costs.
        from rainnet.zoo import known

        known(name, names, what)
    return name
