"""Random events leave no error, in the page or in the server, and a page that still works."""

import pytest

from benchmarks.monkey import bother
from rainopt.io import write_image
from tests.support.browsers import serving
from tests.support.photos import levels, rainy

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("count", [400])
def test_random_events_break_nothing(tmp_path, visit, count):
    (tmp_path / "in").mkdir()
    for seed, name in enumerate("abc"):
        write_image(tmp_path / "in" / f"{name}.png", levels(rainy((240, 320), seed=seed)))
    before = {path: path.read_bytes() for path in (tmp_path / "in").iterdir()}
    with serving("rainopt", "studio", "in", "-o", "out", cwd=tmp_path) as server:
        page = visit(server.url, accept_downloads=True).page
        page.wait_for_selector("#stage[data-shown]", timeout=60_000)
        bother(page, count)
        page.set_viewport_size({"width": 1280, "height": 800})
        for _ in range(3):
            page.keyboard.press("Escape")
        page.reload()
        page.wait_for_selector("#stage[data-shown]", timeout=60_000)
    assert server.returncode == 130
    assert "Traceback" not in server.complained
    assert "could not be made" not in server.complained
    assert {path: path.read_bytes() for path in before} == before
