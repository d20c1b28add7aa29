"""Tell whoever wants to know that a kernel is about to be compiled, which takes a second and happens once."""

from __future__ import annotations

from collections.abc import Callable

Callback = Callable[[str], None]

_callbacks: list[Callback] = []


def on_compile(callback: Callback) -> Callable[[], None]:
    """Have ``callback(name)`` called before each kernel that is compiled in this process from now on.

    A kernel that comes from the cache is not announced. The name is that of its file and function, such as
    "ridge_cpu.curvature"; helpers that a kernel calls are announced as well. The call may come from any thread, and
    while it lasts nothing else is compiled.

    Returns
    -------
    callable
        Call it to hear no more.
    """
    _callbacks.append(callback)

    def forget() -> None:
        if callback in _callbacks:
            _callbacks.remove(callback)

    return forget


def announce(name: str) -> None:
    """Say that the kernel of this name is about to be compiled."""
    for callback in tuple(_callbacks):
        callback(name)
