"""A page of this project, served as a process of its own: asked as the page asks, and what it takes."""

from __future__ import annotations

import http.client
import json
import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

QUIET = 0.4  # seconds without work that tell that a server is ready
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Took(NamedTuple):
    """Seconds that answers took, and that the server worked for them."""

    wall: float
    cpu: float


class Clock:
    """What `Server.clock` gives: ``took`` is known when its block has ended."""

    took = Took(0.0, 0.0)


def middle_and_slowest(steps: Sequence[Took]) -> tuple[Took, Took]:
    """Return the medians of several steps, and the most, each of wall and of CPU time."""
    columns = list(zip(*steps, strict=True))
    return Took(*map(statistics.median, columns)), Took(*map(max, columns))


class Server:
    """A command that serves a page, and tells its address as the first line of ``--json``.

    Parameters
    ----------
    words
        The command, such as ``["rainopt", "studio"]``; ``--no-browser --json`` is added.

    Attributes
    ----------
    url, address
        Of the page, and host and port of it.
    start
        What it took until the address was told.
    """

    def __init__(self, words: Sequence[str]) -> None:
        begin = time.perf_counter()
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self.process = subprocess.Popen(
            [*words, "--no-browser", "--json"], stdout=subprocess.PIPE, stderr=self._said, text=True
        )
        first = self.process.stdout.readline() if self.process.stdout else ""
        if not first.startswith("{") or "url" not in json.loads(first):
            raise RuntimeError(f"{' '.join(words[1:3])} serves nothing: {first.strip() or self._end()}")
        self.url: str = json.loads(first)["url"]
        self.address = self.url.split("/")[2]
        self.start = Took(time.perf_counter() - begin, self.cpu())
        self._connection = http.client.HTTPConnection(self.address, timeout=600)

    def cpu(self) -> float:
        """Return the seconds that it has worked."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak(self) -> int:
        """Return the most bytes that it, and what it has started, have held."""
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        pids = [self.process.pid, *(int(pid) for place in children for pid in place.read_text().split())]
        held = 0
        for pid in pids:
            status = Path(f"/proc/{pid}/status").read_text()
            held += 1024 * int(status.partition("VmHWM:")[2].split()[0])
        return held

    def ask(self, path: str, body: Any = None) -> bytes:
        """Return an answer; bytes are sent as a file, all else as JSON.

        Raises
        ------
        RuntimeError
            If the server refuses.
        """
        headers = {"Origin": f"http://{self.address}"}
        if body is None:
            self._connection.request("GET", path)
        elif isinstance(body, bytes):
            self._connection.request("POST", path, body, headers | {"Content-Type": "application/octet-stream"})
        else:
            self._connection.request("POST", path, json.dumps(body), headers | {"Content-Type": "application/json"})
        with self._connection.getresponse() as answer:
            content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: status {answer.status}, {content[:200]!r}")
        return content

    def told(self, path: str, body: Any = None) -> Any:
        """Return an answer that is JSON."""
        return json.loads(self.ask(path, body))

    @contextmanager
    def clock(self) -> Iterator[Clock]:
        """Measure what is asked for inside."""
        clock, begin, cpu = Clock(), time.perf_counter(), self.cpu()
        yield clock
        clock.took = Took(time.perf_counter() - begin, self.cpu() - cpu)

    def settle(self) -> None:
        """Wait until it has nothing to do."""
        before, now = -1.0, self.cpu()
        while now > before:
            time.sleep(QUIET)
            before, now = now, self.cpu()

    def close(self) -> str:
        """End it, and return what it complained of."""
        self._connection.close()
        return self._end()

    def _end(self) -> str:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=60)
        with self._said as said:
            said.seek(0)
            return said.read().strip()
