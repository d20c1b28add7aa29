"""The steps of `benchmarks/gpu/run.sh` in their order, and the time that each may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StepPlan:
    """A step, which is the module of its name run as a process.

    Attributes
    ----------
    name
        Of the module in `benchmarks.gpu`, and of its entry in the JSON.
    seconds
        After which it is stopped. What it has noted until then stays.
    """

    name: str
    seconds: float


STEPS: tuple[StepPlan, ...] = (
    StepPlan("facts", 60),
    StepPlan("timings", 120),
    StepPlan("variants", 40),
    StepPlan("video", 75),
    StepPlan("parity", 90),
    StepPlan("marked_tests", 100),
    StepPlan("training", 600),
)
LAST = "training"
"""What is left of the time is for this one."""

RESERVED = 140.0
"""Seconds that the others leave to the last step in any case, as far as there are so many."""

CLOSING = 6.0
"""Seconds after the last step, to write and print what was found."""
