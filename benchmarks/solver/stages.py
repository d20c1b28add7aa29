"""Where the time of `rainopt.derain` goes: clocks around the functions that its pipeline calls."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest import mock

from rainopt.still import derain as pipeline
from rainopt.still import rain, rain_layer

# Names in `rainopt.still.derain`, `rain` or `rain_layer`, and the stage that their time counts for.
STAGES = {
    "split_channels": "to and from planes",
    "join_channels": "to and from planes",
    "quantise": "to and from planes",
    "luminance": "luminance",
    "work_planes": "angle",
    "look": "angle",
    "exposure": "angle",
    "vote": "angle",
    "streak_height": "angle",
    "solve_adaptive": "solve",
    "minimise": "solve",
    "remove_layer": "remove layer",
}
WARP = "shear and back"
OTHER = "other"


class StageClock:
    """Seconds by stage, summed over calls; calls inside a clocked call count for the outer one."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._local = threading.local()

    def around(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        """Return ``function`` with a clock around it."""

        @wraps(function)
        def clocked(*args: Any, **kwargs: Any) -> Any:
            if getattr(self._local, "inside", False):
                return function(*args, **kwargs)
            self._local.inside, start = True, time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self._local.inside = False
                self.seconds[stage] += time.perf_counter() - start

        return clocked


@contextmanager
def clocked_pipeline() -> Iterator[StageClock]:
    """Put clocks around the stages of `rainopt.derain` for a while; names that it lacks are skipped."""
    clock = StageClock()
    with ExitStack() as stack:
        for name, stage in STAGES.items():
            for home in (pipeline, rain, rain_layer):
                if hasattr(home, name):
                    stack.enter_context(mock.patch.object(home, name, clock.around(getattr(home, name), stage)))
        upright = getattr(rain_layer, "Upright", None)
        for name in ("__init__", "forward", "back"):
            if upright is not None and hasattr(upright, name):
                stack.enter_context(mock.patch.object(upright, name, clock.around(getattr(upright, name), WARP)))
        yield clock


def stage_times(run: Callable[[], Any]) -> dict[str, float]:
    """Run ``run`` once, which calls `rainopt.derain`, and return seconds by stage; ``total`` is the wall time of all.

    Where the pipeline works in threads, stages are summed over the threads, and ``other`` may be 0 for that.
    """
    with clocked_pipeline() as clock:
        start = time.perf_counter()
        run()
        total = time.perf_counter() - start
    stages = dict(sorted(clock.seconds.items(), key=lambda item: -item[1]))
    return {**stages, OTHER: max(0.0, total - sum(stages.values())), "total": total}
