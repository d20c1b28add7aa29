"""What is known of a benchmark before it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Benchmark:
    """One benchmark.

    Attributes
    ----------
    name
        As in its result, which is results/NAME.json.
    module
        What is run, below the package: ``python -m benchmarks.MODULE``.
    question
        What it answers.
    minutes
        About what it takes on two cores.
    needs_data
        Whether it needs the folder of pictures, ``--data DIR``.
    optional_data
        Whether it takes that folder, and does without.
    quick_minutes
        What it takes with ``--quick``; 0 where it has no such option.
    runs
        The options of the training runs that it needs, "model" and "runs". Each needs a run of its own kind, so these
        benchmarks are run by name alone.
    options
        Words that the published result was made with.
    attack
        True if it attacks the project instead of measuring it. Status 1 then says that something gave way.
    elsewhere
        Whether it needs packages that cannot stand beside those of this project, and so is run by name alone.
    note
        What is to be said beside the time.
    """

    name: str
    module: str
    question: str
    minutes: float
    needs_data: bool = False
    optional_data: bool = False
    quick_minutes: float = 0.0
    runs: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    attack: bool = False
    elsewhere: bool = False
    note: str = ""

    @property
    def quick(self) -> bool:
        """Whether it has ``--quick``."""
        return self.quick_minutes > 0

    @property
    def by_name_alone(self) -> bool:
        """Whether it is run only when it is asked for by its name."""
        return self.attack or self.elsewhere or bool(self.runs)
