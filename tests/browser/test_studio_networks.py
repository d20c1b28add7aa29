"""`rainopt studio` with a network: what is looked at is seen before the whole picture is done."""

import pytest

from rainopt.io import write_image
from tests.support.browsers import serving, until
from tests.support.photos import levels, rainy

pytestmark = pytest.mark.slow

SIZE = (1000, 1400)
WAIT = 120_000  # milliseconds: a process has to begin


def test_a_network_is_seen_at_1_to_1_before_the_full_size(tmp_path, visit):
    write_image(tmp_path / "alley.png", levels(rainy(SIZE, angle=12.0)))
    with serving("rainopt", "studio", "alley.png", cwd=tmp_path) as server:
        page = visit(server.url).page
        page.wait_for_selector("#stage[data-by=solver]", timeout=WAIT)
        assert "preview by solver" in page.locator("#state").inner_text()
        # What was seen stays, and it is said whose it is.
        page.select_option("#method", "refine")
        until(page, "document.querySelector('#state').textContent.includes('refine at work')")
        assert "still showing the preview by solver" in page.locator("#state").inner_text()
        assert page.locator("[data-layer=derained] .look-base").count() == 1
        assert not page.locator("#strength-part").is_visible()
        page.click("#one")
        page.wait_for_selector("#stage[data-by=refine] [data-layer=derained] .look-part", timeout=WAIT)
        assert page.get_attribute("#stage", "data-exact") == "false"
        assert "preview by refine" in page.locator("#state").inner_text()
        # The part that is seen is as sharp as the picture.
        part = page.locator("[data-layer=derained] .look-part")
        width, shown = part.evaluate("(image) => [image.naturalWidth, image.getBoundingClientRect().width]")
        assert width == pytest.approx(shown, abs=1)
        # Back at the solver, its preview is there at once.
        page.select_option("#method", "solver")
        page.wait_for_selector("#stage[data-by=solver]", timeout=WAIT)
    assert "Traceback" not in server.complained
