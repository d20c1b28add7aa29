"""How long the page of `rainopt studio` lets wait, as the browser sees it, and where the time goes."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.browser import blank_page
from benchmarks.common import Timing, timed
from benchmarks.served import Server
from rainopt.image import exposure
from rainopt.studio.asked import Asked
from rainopt.studio.photo import Photo, cut, encoded, shown
from rainopt.studio.preview import Piece

PATIENCE = 600_000  # milliseconds, where other work shares the cores
PLACES = range(20, 95, 8)  # of the slider, between the strengths that are solved ahead
INPUT = """() => {
  const input = Object.assign(document.createElement("input"), { type: "file", id: "benchmark-file", hidden: true });
  document.body.append(input);
}"""
# What both scripts wait with: the derained picture on the stage, and the frame after the one in which it is another.
SEEN = """
  const part = document.querySelector("[data-layer=derained] .look-part") ? ".look-part" : ".look-base";
  const seen = () => document.querySelector(`[data-layer=derained] ${part}`)?.src ?? "";
  const frame = () => new Promise(requestAnimationFrame);
  const before = seen(), begin = performance.now();
  const painted = async () => {
    while (seen() === before) await frame();
    await frame();
    return performance.now();
  };
"""
# Drops the file of an input on the page. Tells the milliseconds until it is seen derained, and what they were spent on.
DROP = f"""async () => {{
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(document.querySelector("#benchmark-file").files[0]);
  performance.clearResourceTimings();
  {SEEN}
  window.dispatchEvent(new DragEvent("drop", {{ dataTransfer, bubbles: true, cancelable: true }}));
  const end = await painted();
  const asked = performance.getEntriesByType("resource").filter(({{ startTime }}) => startTime >= begin);
  const [upload, view] = [/pictures\\?name=/, /\\/view$/].map((which) => asked.find(({{ name }}) => which.test(name)));
  const pictures = asked.filter(({{ name }}) => /\\/views\\//.test(name));
  const fetched = Math.max(...pictures.map(({{ responseEnd }}) => responseEnd));
  return {{
    "first derained view": end - begin,
    "  file sent and taken": upload.responseEnd - begin,
    "  read, looked at and solved": view.responseEnd - view.startTime,
    "  pictures encoded and fetched": fetched - view.responseEnd,
    "  pictures decoded and painted": end - fetched,
  }};
}}"""
SLIDE = f"""async (place) => {{
  {SEEN}
  const slider = document.querySelector("#strength");
  slider.value = String(place);
  slider.dispatchEvent(new Event("input"));
  return (await painted()) - begin;
}}"""


def look(serve: Callable[[], Server], file: Path, repeat: int) -> dict[str, Timing]:
    """Drop a photograph on the page of a new server, then once more, and move the slider, so many times.

    Parameters
    ----------
    serve
        Begins a server without pictures.
    file
        The photograph.
    repeat
        Servers. What each has to load or to solve ahead is waited for before a drop, and before the slider is moved.

    Returns
    -------
    dict
        Seconds of the page by what they were for; of the slider, the median of each round.
    """
    rounds = []
    for _ in range(repeat):
        with closing(serve()) as server, blank_page() as (page, _):
            page.set_default_timeout(PATIENCE)
            page.goto(server.url)
            rounds.append(_round(page, file, server.settle))
    return {name: Timing(tuple(one[name] for one in rounds)) for name in rounds[0]}


def _round(page: Any, file: Path, settle: Callable[[], None]) -> dict[str, float]:
    page.wait_for_selector("body[data-ready=true]")
    page.evaluate(INPUT)
    page.set_input_files("#benchmark-file", str(file))
    settle()
    took: dict[str, float] = page.evaluate(DROP)
    _wait_for_full_size(page)
    settle()
    took["next photograph, derained view"] = page.evaluate(DROP)["first derained view"]
    for name, key in (("screen", "0"), ("1:1", "1")):
        page.keyboard.press(key)
        _wait_for_full_size(page)
        page.evaluate(SLIDE, 12)  # begins to solve ahead
        settle()
        took[f"slider to picture, {name}"] = statistics.median(page.evaluate(SLIDE, place) for place in PLACES)
        page.keyboard.press("x")
    return {name: milliseconds / 1000 for name, milliseconds in took.items()}


def _wait_for_full_size(page: Any) -> None:
    page.wait_for_timeout(300)
    page.wait_for_selector("#stage[data-exact=true]:not(.waits)")


def server_stages(file: Path, repeat: int) -> dict[str, Timing]:
    """Time by themselves, in this process, what the server does for a first view.

    Returns
    -------
    dict
        Seconds by what is done.
    """
    photo = Photo(file)
    photo.unit, photo.estimate  # noqa: B018
    pixels = photo.pixels
    region = photo.whole()

    def solved() -> Any:
        return Piece(photo, region, Asked()).derained(1.0)

    def estimated() -> Any:
        for known in ("evidence", "estimate"):
            photo.__dict__.pop(known, None)
        return photo.estimate

    small = shown(photo.cut(region))
    tasks: dict[str, Callable[[], Any]] = {
        "the file read": lambda: Photo(file),
        "its exposure": lambda: exposure(pixels),
        "its directions found": estimated,
        "reduced to the screen": lambda: cut(pixels, region),
        "solved there": solved,
        "two pictures encoded": lambda: [encoded(small) for _ in range(2)],
    }
    return {name: timed(task, repeat)[0] for name, task in tasks.items()}
