"""How long a person waits on the page of `rainopt studio` for the first look of a network.

A photograph of 12 megapixels under rendered rain is named and looked at, derained by the solver. Then each method is
chosen in a server of its own, as the page does it: a look at the whole picture at the size of the screen, for which the
process of the looks has to begin; another of a direction that was turned; one at 1:1; and one at 1:1 beside, while the
full size is being made. Each time counts to the last byte of the picture. The solver's own looks are there to compare.

Memory is that of the server and of all its processes, each at its highest. Where other programs run, wall times tell of
these too.

  python -m benchmarks.studio_methods --json results.json
"""

from __future__ import annotations

import json
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.common import finish, print_table, rainy_photograph
from benchmarks.options import Json, benchmark
from benchmarks.served import Server
from benchmarks.studio import HEIGHT, WIDTH, served
from rainopt.io import write_image

METHODS = ["solver", "refine", "rainnet:udgnet-small"]
BOX, BESIDE = [1504, 1024, 1088, 832], [512, 512, 1088, 832]  # what a page of 1280 x 800 asks for at 1:1


def looked_at(server: Server, **asked: Any) -> float:
    """Ask for a view until its method has looked, and return the seconds to its picture."""
    begin = time.perf_counter()
    told = json.loads(server.ask("/api/pictures/0/view", asked))
    while told["derained"] is None:
        look = told["look"]
        while look["state"] == "running":
            look = json.loads(server.ask(f"/api/looks/{look['look']}"))
        if look["state"] != "done":
            raise RuntimeError(f"no look: {look}")
        told = json.loads(server.ask("/api/pictures/0/view", asked))
    server.ask(told["derained"])
    return time.perf_counter() - begin


def measure(server: Server, method: str, full: bool) -> dict[str, float]:
    """Look with one method as a person does, and return the seconds of each look, and of the full size if wanted."""
    looked_at(server, asked={})
    one, other = ({"method": method, "lines": [{"angle": angle, "on": True}]} for angle in (12.0, 14.0))
    results = {
        "screen, first": looked_at(server, asked=one),
        "screen, direction turned": looked_at(server, asked=other),
        "1:1": looked_at(server, asked=one, box=BOX),
    }
    work = json.loads(server.ask("/api/pictures/0/full", {"asked": one}))
    begin = time.perf_counter()
    results["1:1, during the full size"] = looked_at(server, asked=one, box=BESIDE)
    if not full:
        return results
    while work["state"] == "running":
        work = json.loads(server.ask(f"/api/work/{work['work']}"))
    if work["state"] != "done":
        raise RuntimeError(f"no result at full size: {work}")
    results["full size, first"] = time.perf_counter() - begin
    return results


@benchmark(__doc__)
def main(
    methods: Annotated[list[str] | None, typer.Argument(metavar="[METHOD]...", help="Of the page; all three.")] = None,
    full: Annotated[bool, typer.Option("--full/--no-full", help="Wait for the full size, too.")] = True,
    target: Json = None,
) -> None:
    """Serve the page once for each method, look, print the table."""
    figures: dict[str, dict[str, float]] = {}
    peaks: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "photograph.jpg"
        write_image(file, rainy_photograph(HEIGHT, WIDTH, 12.0, scale=2.0), quality=92)
        for method in methods or METHODS:
            with closing(served(file)) as server:
                figures[method] = measure(server, method, full)
                peaks[method] = server.peak()
    looks = list(next(iter(figures.values())))
    rows = [(method, *(f"{its[look]:.2f}" for look in looks), peaks[method] >> 20) for method, its in figures.items()]
    print_table(f"a photograph of {WIDTH} x {HEIGHT} pixels, seconds", ["method", *looks, "MiB"], rows)
    sizes = {"height": HEIGHT, "width": WIDTH, "peak_bytes": peaks}
    finish({"benchmark": "studio_methods", **sizes, "seconds": figures}, target)


if __name__ == "__main__":
    main()
