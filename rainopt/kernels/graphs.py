"""Launches that are repeated, kept as a CUDA graph: one call of the driver starts all of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from rainopt.kernels import launch
from rainopt.kernels.launch import SIMULATED, Place, Record, cuda

logger = logging.getLogger(__name__)


class Repeated:
    """What ``run`` starts on a place, recorded at its second call and replayed from then on.

    Parameters
    ----------
    run
        Starts kernels on the place that it is given, the same ones with the same arguments each time, and nothing else.

    Notes
    -----
    The first call starts the kernels one by one, since they may have to be compiled and loaded. Where the driver's
    bindings are missing (`cuda.bindings`, which numba-cuda brings along), so do the others.
    """

    def __init__(self, run: Callable[[Place], None]) -> None:
        self._run = run
        self._calls = 0
        self._graph: _Graph | None = None

    def __call__(self, place: Place) -> None:
        """Start the kernels in the stream of ``place``, whose device is the current one."""
        self._calls += 1
        if self._calls == 2 and not SIMULATED:
            try:
                self._graph = _recorded(self._run, place)
            # Whatever the driver has against it, the kernels can be started one by one.
            except Exception as error:
                logger.warning("launches could not be kept as a CUDA graph, which only makes them slower: %s", error)
        if self._graph is None:
            self._run(place)
        else:
            self._graph.replay(place)


class _Graph:
    def __init__(self, driver: Any, graph: Any, executable: Any, record: Record) -> None:
        self._driver, self._graph, self._executable, self._record = driver, graph, executable, record

    def replay(self, place: Place) -> None:
        _checked(self._driver.cuGraphLaunch(self._executable, self._driver.CUstream(place.pointer)))
        names = list(self._record.names.items())
        for position, (name, launches) in enumerate(names):
            # All bytes, and the one call, go to the first name.
            launch.count(name, launches, self._record.moved if position == 0 else 0, calls=int(position == 0))

    def __del__(self) -> None:
        # A graph that still runs is freed by the driver when it has ended. At the end of the process there may be no
        # driver any more.
        try:
            self._driver.cuGraphExecDestroy(self._executable)
            self._driver.cuGraphDestroy(self._graph)
        except Exception:
            logger.debug("a CUDA graph was left to the end of the process", exc_info=True)


def _recorded(run: Callable[[Place], None], place: Place) -> _Graph | None:
    """Record what ``run`` starts, without running it; None where this is impossible."""
    try:
        from cuda.bindings import driver
    except ImportError:
        return None
    # The caller's stream may be the default one, which cannot be recorded.
    stream = cuda.stream()
    # A number, or in older versions ctypes' pointer, behind one name.
    pointer = int(getattr(stream.handle, "value", stream.handle))
    handle, aside = driver.CUstream(pointer), _Aside(place, pointer)
    mode = driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED
    _checked(driver.cuStreamBeginCapture(handle, mode))
    try:
        run(aside)
    finally:
        error, graph = driver.cuStreamEndCapture(handle)
    _checked((error,))
    (executable,) = _checked(driver.cuGraphInstantiate(graph, 0))
    return _Graph(driver, graph, executable, aside.record)


class _Aside(Place):
    """A place with a stream of its own, which keeps for itself what was started there."""

    def __init__(self, place: Place, pointer: int) -> None:
        self.__dict__.update(place.__dict__)
        self.pointer = pointer
        self.record = Record()

    def count(self, name: str, moved: int) -> None:
        self.record.moved += moved
        self.record.names[name] = self.record.names.get(name, 0) + 1


def _checked(result: tuple[Any, ...]) -> tuple[Any, ...]:
    error, *values = result
    if int(error) != 0:
        raise RuntimeError(f"the CUDA driver refused a graph: {error!r}")
    return tuple(values)
