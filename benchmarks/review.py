"""How long a person who reviews a large dataset waits, and how much memory the server holds.

A dataset of many scenes (two pairs each, of 1920 x 1080 pixels; the files of a few scenes under many names) is served
by `raindata review`, and asked over the network as the page asks: the page with its first list and scene, then one
scene after the other with both pictures, a decision each. The server prepares pictures ahead while a person looks: that
is waited for, and for half of the scenes not. Then all that is left is accepted at once, and counts are asked for.

With --browser the page itself is opened first, in Chromium driven by Playwright: from opening it to its first picture,
and from a key to the next scene, a second and a half between keys.

CPU time is that of the server; where other programs run, wall times tell of these too.

  python -m benchmarks.review --browser --json results.json
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import cv2
import numpy as np
import typer

from benchmarks.browser import ARGUMENTS, chromium
from benchmarks.command import raindata_command
from benchmarks.common import finish, large_photograph, print_table
from benchmarks.options import Json, benchmark
from data_tools.manifest.file import ManifestHeader, PairRecord, write_manifest
from data_tools.manifest.folder import REVIEW_FOLDER

KEYS = "jjjjjaaaaa"  # further, and accept, which goes further
LOOKED = 1500  # milliseconds that a person looks at a scene, at least
# Milliseconds from a key to the frame after the one in which the next scene lies on the stage.
NEXT = """async key => {
  const shown = () => document.querySelector("#stage").dataset.shown;
  const frame = () => new Promise(requestAnimationFrame);
  const before = shown(), begin = performance.now();
  window.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  while (shown() === before) await frame();
  await frame();
  return performance.now() - begin;
}"""
FILES, SHAPE = 12, (1080, 1920)
STEPS, QUIET = 40, 0.4  # scenes gone through, and seconds without work that tell that a server is ready
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Took(NamedTuple):
    """Seconds that answers took, and that the server worked for them."""

    wall: float
    cpu: float


def make_dataset(folder: Path, scenes: int) -> None:
    """Write a dataset of so many scenes."""
    rng = np.random.default_rng(0)
    clean = large_photograph(*SHAPE)
    places = [folder / "files" / f"{k}.png" for k in range(FILES)]
    for k, place in enumerate(places):
        place.parent.mkdir(exist_ok=True, parents=True)
        rainy = np.roll(clean, 40 * k, axis=1)
        rainy[rng.random(SHAPE) < 0.01] = 230
        cv2.imwrite(str(place), rainy[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
    records = []
    for k in range(scenes):
        name = f"video{k // 100:04}/{20 * (k % 100):06}"
        paths = [f"clean/{name}.png", f"rainy/{name}_0.png", f"rainy/{name}_1.png"]
        for part, path in enumerate(paths):
            (folder / path).parent.mkdir(exist_ok=True, parents=True)
            os.link(places[(k + part) % FILES], folder / path)
        facts: dict[str, Any] = {
            "sharpness": round(float(rng.uniform(0.9, 1)), 3),
            "drift": round(float(rng.uniform(0, 0.25)), 3),
            "expected_psnr": round(float(rng.uniform(36, 50)), 2),
            "status": "accepted",
            "doubts": [],
        }
        records += [
            PairRecord(id=f"{name}_{j}", rainy=paths[1 + j], clean=paths[0], scene=name, frame=j, **facts)
            for j in range(2)
        ]
    write_manifest(folder, records, ManifestHeader.parse({"build": {"accept": 40.0}}))


class Server:
    """`raindata review` as its own process, and what it takes."""

    def __init__(self, folder: Path) -> None:
        words = [*raindata_command(), "review", str(folder), "--no-browser", "--json", "--reviewer", "benchmark"]
        begin = time.perf_counter()
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE)
        if self.process.stdout is None:
            raise RuntimeError("the server has no output")
        self.address = json.loads(self.process.stdout.readline())["url"].split("/")[2]
        self.start = Took(time.perf_counter() - begin, self.cpu())
        self._connection = http.client.HTTPConnection(self.address, timeout=60)

    def cpu(self) -> float:
        """Return the seconds that it has worked."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak(self) -> int:
        """Return the most bytes that it has held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])

    def ask(self, path: str, body: Any = None) -> bytes:
        """Return an answer."""
        headers = {"Origin": f"http://{self.address}", "Content-Type": "application/json"}
        if body is None:
            self._connection.request("GET", path)
        else:
            self._connection.request("POST", path, json.dumps(body), headers)
        with self._connection.getresponse() as answer:
            content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: status {answer.status}, {content[:200]!r}")
        return content

    def took(self, *asked: tuple[str, Any]) -> Took:
        """Ask for several things, and return what that took."""
        begin, cpu = time.perf_counter(), self.cpu()
        for path, body in asked:
            self.ask(path, body)
        return Took(time.perf_counter() - begin, self.cpu() - cpu)

    def scene(self, number: int) -> Took:
        """Ask for a scene and both pictures of its first frame, as the page does."""
        begin, cpu = time.perf_counter(), self.cpu()
        frame = json.loads(self.ask(f"/api/scenes/{number}"))["frames"][0]
        for kind in ("rainy", "clean"):
            self.ask(f"{frame[kind]}&size=screen")
        return Took(time.perf_counter() - begin, self.cpu() - cpu)

    def settle(self) -> None:
        """Wait until it has nothing to do."""
        before, now = -1.0, self.cpu()
        while now > before:
            time.sleep(QUIET)
            before, now = now, self.cpu()

    def close(self) -> None:
        """End it."""
        self._connection.close()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)
        if self.process.stdout is not None:
            self.process.stdout.close()


def measure(server: Server, scenes: int) -> dict[str, Any]:
    """Go through the dataset, and return what each part took."""
    asked: list[tuple[str, Any]] = [("/api/dataset", None), ("/api/scenes?which=all&from=0&count=100", None)]
    results: dict[str, Any] = {"start": server.start, "first list": server.took(*asked), "first scene": server.scene(0)}
    steps: dict[str, list[Took]] = {"next scene, looked at": [], "next scene, at once": [], "decision": []}
    for number in range(1, STEPS):
        looked = number < STEPS // 2
        if looked:
            server.settle()
        steps["next scene, looked at" if looked else "next scene, at once"].append(server.scene(number))
        steps["decision"].append(server.took((f"/api/scenes/{number}/decision", {"verdict": "accept"})))
    for name, all_of_it in steps.items():
        results[name] = Took(*(statistics.median(part) for part in zip(*all_of_it, strict=True)))
        results[f"{name}, slowest"] = Took(*(max(part) for part in zip(*all_of_it, strict=True)))
    count = json.loads(server.ask("/api/above?score=0"))["count"]
    results["accept the rest"] = server.took(("/api/above", {"score": 0.0, "count": count}))
    results["counts, all decided"] = server.took(("/api/dataset", None))
    results["last list"] = server.took((f"/api/scenes?which=decided&from={scenes - 100}&count=100", None))
    return results


def visit(address: str) -> dict[str, float]:
    """Open the page in a browser and key through scenes; return seconds from opening it to its first picture, and from
    a key to the next scene.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        begin = time.perf_counter()
        page.goto(f"http://{address}/")
        page.wait_for_selector("#stage[data-shown]", timeout=60_000)
        first = time.perf_counter() - begin
        steps = []
        for key in KEYS:
            page.wait_for_timeout(LOOKED)
            steps.append(page.evaluate(NEXT, key) / 1000)
        browser.close()
    return {"first page": first, "next scene": statistics.median(steps), "next scene, slowest": max(steps)}


@benchmark(__doc__)
def main(
    scenes: Annotated[int, typer.Option(min=100, metavar="N", help="Scenes of the dataset.")] = 10_000,
    in_browser: Annotated[bool, typer.Option("--browser", help="Open the page in Chromium as well.")] = False,
    target: Json = None,
) -> None:
    """Make the dataset, serve it, ask, print the table."""
    seen: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        make_dataset(Path(folder), scenes)
        if in_browser:
            with closing(Server(Path(folder))) as server:
                seen = visit(server.address)
            shutil.rmtree(Path(folder) / REVIEW_FOLDER)
        with closing(Server(Path(folder))) as server:
            results = measure(server, scenes)
            peak = server.peak()
    rows = [(name, f"{1000 * its.wall:.0f}", f"{1000 * its.cpu:.0f}") for name, its in results.items()]
    print_table(f"{scenes} scenes", ["what", "wall ms", "CPU ms"], rows)
    print(f"the server held at most {peak / 1e6:.0f} MB")
    if seen:
        print_table("In the browser", ["what", "ms"], [(name, f"{1000 * its:.0f}") for name, its in seen.items()])
    figures = {name: its._asdict() for name, its in results.items()}
    finish(
        {"benchmark": "review", "scenes": scenes, "peak_bytes": peak, "seconds": figures, "in_browser": seen},
        target,
    )


if __name__ == "__main__":
    main()
