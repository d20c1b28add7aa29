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

import os
import shutil
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer

from benchmarks.browser import blank_page
from benchmarks.command import raindata_command
from benchmarks.common import finish, large_photograph, print_table
from benchmarks.options import Json, benchmark
from benchmarks.served import Server, Took, middle_and_slowest
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
STEPS = 40  # scenes gone through


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


def served(folder: Path) -> Server:
    """Serve a dataset."""
    return Server([*raindata_command(), "review", str(folder), "--reviewer", "benchmark"])


def took(server: Server, *asked: tuple[str, Any]) -> Took:
    """Ask for several things, and return what that took."""
    with server.clock() as clock:
        for path, body in asked:
            server.ask(path, body)
    return clock.took


def scene(server: Server, number: int) -> Took:
    """Ask for a scene and both pictures of its first frame, as the page does."""
    with server.clock() as clock:
        frame = server.told(f"/api/scenes/{number}")["frames"][0]
        for kind in ("rainy", "clean"):
            server.ask(f"{frame[kind]}&size=screen")
    return clock.took


def measure(server: Server, scenes: int) -> dict[str, Any]:
    """Go through the dataset, and return what each part took."""
    asked: list[tuple[str, Any]] = [("/api/dataset", None), ("/api/scenes?which=all&from=0&count=100", None)]
    results: dict[str, Any] = {
        "start": server.start,
        "first list": took(server, *asked),
        "first scene": scene(server, 0),
    }
    steps: dict[str, list[Took]] = {"next scene, looked at": [], "next scene, at once": [], "decision": []}
    for number in range(1, STEPS):
        looked = number < STEPS // 2
        if looked:
            server.settle()
        steps["next scene, looked at" if looked else "next scene, at once"].append(scene(server, number))
        steps["decision"].append(took(server, (f"/api/scenes/{number}/decision", {"verdict": "accept"})))
    for name, all_of_it in steps.items():
        results[name], results[f"{name}, slowest"] = middle_and_slowest(all_of_it)
    count = server.told("/api/above?score=0")["count"]
    results["accept the rest"] = took(server, ("/api/above", {"score": 0.0, "count": count}))
    results["counts, all decided"] = took(server, ("/api/dataset", None))
    results["last list"] = took(server, (f"/api/scenes?which=decided&from={scenes - 100}&count=100", None))
    return results


def visit(address: str) -> dict[str, float]:
    """Open the page in a browser and key through scenes; return seconds from opening it to its first picture, and from
    a key to the next scene.
    """
    with blank_page() as (page, _):
        begin = time.perf_counter()
        page.goto(f"http://{address}/")
        page.wait_for_selector("#stage[data-shown]", timeout=60_000)
        first = time.perf_counter() - begin
        steps = []
        for key in KEYS:
            page.wait_for_timeout(LOOKED)
            steps.append(page.evaluate(NEXT, key) / 1000)
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
            with closing(served(Path(folder))) as server:
                seen = visit(server.address)
            shutil.rmtree(Path(folder) / REVIEW_FOLDER)
        with closing(served(Path(folder))) as server:
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
