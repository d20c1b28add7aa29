"""How long a person waits on the page of `rainopt studio`, what memory it holds, and whether random events break it.

A photograph of 12 megapixels under rendered rain is uploaded as the page does, and its first view asked for with both
pictures of it. Then the strength moves as under a slider, at the size of the screen and at 1:1, each step with its
picture; directions are turned; and the result at full size is made. Memory is that of the server and of the process
that makes results, both at their highest. With `--events`, a headless Chromium (of the variable CHROMIUM, or installed)
sends so many random events to the page of three small photographs.

With `--browser`, the photograph is dropped on the page in Chromium: from the drop to the derained view being painted,
the file's way to the server included, and from the slider to another picture. Each round has a server of its own, which
has loaded what it needs. Beneath is what the server does for a first view, each step by itself.

CPU time is that of the server; where other programs run, wall times tell of these too.

  python -m benchmarks.studio --browser --events 10000 --json results.json
"""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.browser import blank_page
from benchmarks.command import rainopt_command
from benchmarks.common import finish, print_table, rainy_photograph
from benchmarks.monkey import bother
from benchmarks.options import Json, Repeat, benchmark
from benchmarks.served import Server, Took, middle_and_slowest
from benchmarks.studio_browser import look, server_stages
from rainopt.io import write_image

HEIGHT, WIDTH = 3000, 4000
STEPS = 12  # of the slider
PAUSE = 4.0  # seconds before the first view, and before a slider is touched
LINES = [{"angle": 12.0, "on": True}]


def served(*files: Path) -> Server:
    """Serve the page of some files."""
    return Server([*rainopt_command(), "studio", *map(str, files)])


def view(server: Server, *kinds: str, **asked: Any) -> Took:
    """Ask for a view and some of its pictures, and return what that took."""
    with server.clock() as clock:
        told = server.told("/api/pictures/0/view", asked)
        for kind in kinds:
            server.ask(told[kind])
    return clock.took


def measure(server: Server, photograph: bytes) -> dict[str, Took]:
    """Do what a person does with one photograph, and return what each step took."""
    time.sleep(PAUSE)
    with server.clock() as first:
        server.ask("/api/pictures?name=photograph.jpg", photograph)
        view(server, "rainy", "derained", asked={})
    results = {"first view, with upload": first.took}
    box = [1500, 1000, 1000, 750]
    for name, more in (("screen", {}), ("1:1", {"box": box})):
        view(server, "derained", asked={"lines": LINES}, **more)
        results[f"turn a direction, {name}"] = view(
            server, "derained", asked={"lines": [{"angle": 14.0}]}, quick=True, **more
        )
        view(server, "derained", asked={"lines": LINES}, **more)
        time.sleep(PAUSE)
        strengths = np.linspace(0.55, 3.8, STEPS).round(2)
        steps = [
            view(server, "derained", asked={"lines": LINES, "strength": float(strength)}, quick=True, **more)
            for strength in strengths
        ]
        results[f"slider, {name}, median"], results[f"slider, {name}, slowest"] = middle_and_slowest(steps)
        results[f"slider let go, {name}"] = view(server, "derained", asked={"lines": LINES, "strength": 1.3}, **more)
    with server.clock() as full:
        told = server.told("/api/pictures/0/full", {"asked": {"lines": LINES}})
        while told["state"] == "running":
            told = server.told(f"/api/work/{told['work']}")
    if told["state"] != "done":
        raise RuntimeError(f"no result at full size: {told}")
    results["full size, first"] = full.took
    results["view of the full size"] = view(server, "derained", asked={"lines": LINES})
    return results


def bother_page(folder: Path, events: int) -> dict[str, Any]:
    """Send random events to the page, and return the errors of page and server."""
    files = [folder / f"{name}.png" for name in "abc"]
    for seed, file in enumerate(files):
        write_image(file, rainy_photograph(240, 320, 12.0, seed=seed))
    server = served(*files)
    begin = time.perf_counter()
    with blank_page() as (page, errors):
        page.goto(server.url)
        page.wait_for_selector("#stage[data-shown]", timeout=60_000)
        bother(page, events)
    seconds, peak = time.perf_counter() - begin, server.peak()
    return {"events": events, "seconds": seconds, "peak_bytes": peak, "page": errors, "server": server.close()}


@benchmark(__doc__)
def main(
    events: Annotated[int, typer.Option(min=0, metavar="N", help="Random events that are sent to the page.")] = 0,
    in_browser: Annotated[bool, typer.Option("--browser", help="Drop the photograph on the page, too.")] = False,
    repeat: Repeat = 5,
    target: Json = None,
) -> None:
    """Serve the page, ask, print the table."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        file = folder / "photograph.jpg"
        write_image(file, rainy_photograph(HEIGHT, WIDTH, 12.0, scale=2.0), quality=92)
        with closing(served()) as server:
            results = measure(server, file.read_bytes())
            peak = server.peak()
        seen = look(served, file, repeat) if in_browser else {}
        stages = server_stages(file, repeat) if in_browser else {}
        monkey = bother_page(folder, events) if events else None
    rows = [(name, f"{1000 * its.wall:.0f}", f"{1000 * its.cpu:.0f}") for name, its in results.items()]
    print_table(f"a photograph of {WIDTH} x {HEIGHT} pixels", ["what", "wall ms", "CPU ms of the server"], rows)
    print(f"server and the process that makes results held at most {peak / 2**20:.0f} MiB")
    for title, its in (("In the browser", seen), ("Of a first view, in the server", stages)):
        if its:
            rows = [(name, f"{1000 * one.median:.0f}", f"{1000 * max(one.seconds):.0f}") for name, one in its.items()]
            print_table(title, ["what", "ms", "slowest"], rows)
    if monkey is not None:
        print(f"{events} random events in {monkey['seconds']:.0f} s: {len(monkey['page'])} errors in the page")
        for error in monkey["page"]:
            print(f"  {error}")
        print(f"the server said: {monkey['server'] or 'nothing'}; it held {monkey['peak_bytes'] / 2**20:.0f} MiB")
    figures = {name: its._asdict() for name, its in results.items()}
    sizes = {"height": HEIGHT, "width": WIDTH, "peak_bytes": peak}
    browser = {
        "in_browser": {name.strip(): one.as_dict() for name, one in seen.items()},
        "in_server": {name: one.as_dict() for name, one in stages.items()},
    }
    finish({"benchmark": "studio", **sizes, "seconds": figures, **browser, "monkey": monkey}, target)


if __name__ == "__main__":
    main()
