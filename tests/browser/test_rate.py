"""`raindata rate` as a person uses it."""

import csv
import io
import json

import pytest

from tests.support.browsers import serving
from tests.support.datasets import put, waves

pytestmark = pytest.mark.slow

SOURCES, NAMES = ("rainy-input", "our_method"), ("alley", "bridge", "castle")


@pytest.fixture
def folder(tmp_path):
    for s, source in enumerate(SOURCES):
        for n, name in enumerate(NAMES):
            put(tmp_path / source / f"{name}.png", waves((60, 90), 3 * s + n))
    return tmp_path


def said(folder, rater):
    lines = (folder / "study.ratings" / f"{rater}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines][1:]


def at(page, position):
    page.wait_for_selector(f"#stage[data-shown='{position}']")


def settle(page):
    page.wait_for_selector("#saving:text-is('all saved')")


def test_a_study_by_keyboard(folder, visit):
    with serving("raindata", "rate", *SOURCES, "-o", "study.csv", "--ask", "quality", cwd=folder) as server:
        one = visit(server.url)
        page, press = one.page, one.page.keyboard.press
        page.fill("#name", "ada")
        press("Enter")
        at(page, 0)
        for position, key in enumerate("241"):
            press(key)
            at(page, position + 1)
        settle(page)
        assert [line["rating"] for line in said(folder, "ada")] == [2, 4, 1]

        # Taken back, given anew, and changed after going back.
        press("u")
        at(page, 2)
        press("5")
        at(page, 3)
        press("ArrowLeft")
        press("ArrowLeft")
        at(page, 1)
        assert page.locator(".point[aria-pressed=true]").inner_text().split() == ["4", "good"]
        press("3")
        at(page, 3)
        settle(page)

        # The same when the page is loaded again.
        page.reload()
        at(page, 3)
        assert page.locator("#progress-text").inner_text() == "3 of 6 rated"
        for position, key in enumerate("345", 3):
            at(page, position)
            press(key)
        page.wait_for_selector("#end:not([hidden]):has-text('All your ratings are saved')")
        shown = page.content()
        assert not [name for name in (*SOURCES, *NAMES) if name in shown or any(name in url for url in one.asked)]
    assert server.returncode == 0
    assert json.loads(server.said)["raters"] == {"ada": {"rated": 6, "of": 6}}
    rows = csv.DictReader(io.StringIO((folder / "study.csv").read_text()))
    ratings = {int(row["position"]): int(row["rating"]) for row in rows}
    assert [ratings[k + 1] for k in range(6)] == [2, 3, 5, 3, 4, 5]


def test_raters_at_the_same_time_on_a_narrow_screen(folder, visit):
    with serving("raindata", "rate", *SOURCES, "-o", "study.csv", cwd=folder) as server:
        pages = [visit(server.url, size=(390, 844), has_touch=True).page for _ in range(2)]
        for name, page in zip(("ada", "bo"), pages, strict=True):
            page.fill("#name", name)
            page.locator("#start-form button").tap()
            at(page, 0)
            assert page.evaluate("document.documentElement.scrollWidth") == 390
        for page, points in zip(pages, ((1, 2), (4, 5)), strict=True):
            for position, point in enumerate(points):
                at(page, position)
                page.locator(".point").nth(point - 1).tap()
            at(page, 2)
            settle(page)
        assert [[line["rating"] for line in said(folder, rater)] for rater in ("ada", "bo")] == [[1, 2], [4, 5]]
        orders = [[(line["source"], line["name"]) for line in said(folder, rater)] for rater in ("ada", "bo")]
        assert orders[0] != orders[1]
    assert server.returncode == 130
    assert "not all is rated" in server.complained
