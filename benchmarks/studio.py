"""How long a person waits on the page of `rainopt studio`, what memory it holds, and whether random events break it.

A photograph of 12 megapixels under rendered rain is uploaded as the page does, and its first view asked for with both
pictures of it. Then the strength moves as under a slider, at the size of the screen and at 1:1, each step with its
picture; directions are turned; and the result at full size is made. Memory is that of the server and of the process
that makes results, both at their highest. With `--events`, a headless Chromium (of the variable CHROMIUM, or installed)
sends so many random events to the page of three small photographs.

CPU time is that of the server; where other programs run, wall times tell of these too.

  python -m benchmarks.studio --events 10000 --json results.json
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import statistics
import subprocess
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer

from benchmarks.browser import ARGUMENTS, chromium
from benchmarks.command import rainopt_command
from benchmarks.common import finish, print_table, rainy_photograph
from benchmarks.monkey import bother
from benchmarks.options import Json, benchmark
from rainopt.io import write_image

HEIGHT, WIDTH = 3000, 4000
STEPS = 12  # of the slider
PAUSE = 4.0  # seconds before the first view, and before a slider is touched
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
LINES = [{"angle": 12.0, "on": True}]


class Took(NamedTuple):
    """Seconds that answers took, and that the server worked for them."""

    wall: float
    cpu: float


class Server:
    """`rainopt studio` as its own process, and what it takes."""

    def __init__(self, *files: Path) -> None:
        words = [*rainopt_command(), "studio", *map(str, files), "--no-browser", "--json"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.process.stdout is None:
            raise RuntimeError("the server has no output")
        self.url = json.loads(self.process.stdout.readline())["url"]
        self.address = self.url.split("/")[2]
        self._connection = http.client.HTTPConnection(self.address, timeout=600)

    def cpu(self) -> float:
        """Return the seconds that it has worked."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak(self) -> int:
        """Return the most bytes that it, and what it has started, have held."""
        pids = [self.process.pid]
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        pids += [int(pid) for place in children for pid in place.read_text().split()]
        held = 0
        for pid in pids:
            status = Path(f"/proc/{pid}/status").read_text()
            held += 1024 * int(status.partition("VmHWM:")[2].split()[0])
        return held

    def ask(self, path: str, body: Any = None) -> bytes:
        """Return an answer; bytes are sent as a file, all else as JSON."""
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

    def view(self, *kinds: str, **asked: Any) -> Took:
        """Ask for a view and some of its pictures, and return what that took."""
        begin, cpu = time.perf_counter(), self.cpu()
        told = json.loads(self.ask("/api/pictures/0/view", asked))
        for kind in kinds:
            self.ask(told[kind])
        return Took(time.perf_counter() - begin, self.cpu() - cpu)

    def close(self) -> str:
        """End it, and return what it complained of."""
        self._connection.close()
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=60)[1]


def measure(server: Server, photograph: bytes) -> dict[str, Took]:
    """Do what a person does with one photograph, and return what each step took."""
    time.sleep(PAUSE)
    begin, cpu = time.perf_counter(), server.cpu()
    server.ask("/api/pictures?name=photograph.jpg", photograph)
    server.view("rainy", "derained", asked={})
    results = {"first view, with upload": Took(time.perf_counter() - begin, server.cpu() - cpu)}
    box = [1500, 1000, 1000, 750]
    for name, more in (("screen", {}), ("1:1", {"box": box})):
        server.view("derained", asked={"lines": LINES}, **more)
        results[f"turn a direction, {name}"] = server.view(
            "derained", asked={"lines": [{"angle": 14.0}]}, quick=True, **more
        )
        server.view("derained", asked={"lines": LINES}, **more)
        time.sleep(PAUSE)
        strengths = np.linspace(0.55, 3.8, STEPS).round(2)
        steps = [
            server.view("derained", asked={"lines": LINES, "strength": float(strength)}, quick=True, **more)
            for strength in strengths
        ]
        results[f"slider, {name}, median"] = Took(*(statistics.median(part) for part in zip(*steps, strict=True)))
        results[f"slider, {name}, slowest"] = Took(*(max(part) for part in zip(*steps, strict=True)))
        results[f"slider let go, {name}"] = server.view("derained", asked={"lines": LINES, "strength": 1.3}, **more)
    begin, cpu = time.perf_counter(), server.cpu()
    told = json.loads(server.ask("/api/pictures/0/full", {"asked": {"lines": LINES}}))
    while told["state"] == "running":
        told = json.loads(server.ask(f"/api/work/{told['work']}"))
    if told["state"] != "done":
        raise RuntimeError(f"no result at full size: {told}")
    results["full size, first"] = Took(time.perf_counter() - begin, server.cpu() - cpu)
    results["view of the full size"] = server.view("derained", asked={"lines": LINES})
    return results


def bother_page(folder: Path, events: int) -> dict[str, Any]:
    """Send random events to the page, and return the errors of page and server."""
    from playwright.sync_api import sync_playwright

    files = [folder / f"{name}.png" for name in "abc"]
    for seed, file in enumerate(files):
        write_image(file, rainy_photograph(240, 320, 12.0, seed=seed))
    server = Server(*files)
    errors: list[str] = []
    begin = time.perf_counter()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("console", lambda said: errors.extend([said.text] * (said.type == "error")))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server.url)
        page.wait_for_selector("#stage[data-shown]", timeout=60_000)
        bother(page, events)
        browser.close()
    seconds, peak = time.perf_counter() - begin, server.peak()
    return {"events": events, "seconds": seconds, "peak_bytes": peak, "page": errors, "server": server.close().strip()}


@benchmark(__doc__)
def main(
    events: Annotated[int, typer.Option(min=0, metavar="N", help="Random events that are sent to the page.")] = 0,
    target: Json = None,
) -> None:
    """Serve the page, ask, print the table."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        file = folder / "photograph.jpg"
        write_image(file, rainy_photograph(HEIGHT, WIDTH, 12.0, scale=2.0), quality=92)
        with closing(Server()) as server:
            results = measure(server, file.read_bytes())
            peak = server.peak()
        monkey = bother_page(folder, events) if events else None
    rows = [(name, f"{1000 * its.wall:.0f}", f"{1000 * its.cpu:.0f}") for name, its in results.items()]
    print_table(f"a photograph of {WIDTH} x {HEIGHT} pixels", ["what", "wall ms", "CPU ms of the server"], rows)
    print(f"server and the process that makes results held at most {peak / 2**20:.0f} MiB")
    if monkey is not None:
        print(f"{events} random events in {monkey['seconds']:.0f} s: {len(monkey['page'])} errors in the page")
        for error in monkey["page"]:
            print(f"  {error}")
        print(f"the server said: {monkey['server'] or 'nothing'}; it held {monkey['peak_bytes'] / 2**20:.0f} MiB")
    figures = {name: its._asdict() for name, its in results.items()}
    sizes = {"height": HEIGHT, "width": WIDTH, "peak_bytes": peak}
    finish({"benchmark": "studio", **sizes, "seconds": figures, "monkey": monkey}, target)


if __name__ == "__main__":
    main()
