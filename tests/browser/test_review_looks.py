"""What `raindata review` looks like: under a pointer, on a narrow screen, and with nothing of others in it."""

import re

import pytest

from tests.support.browsers import serving, until
from tests.support.review_page import at, entries, settle

pytestmark = pytest.mark.slow


def test_a_pointer_moves_all_pictures_together_and_the_divider_alone(review):
    page, mouse = review, review.mouse
    box = page.locator("#stage").bounding_box()
    script = """() => [...document.querySelectorAll(".stage-picture")].map((node) => {
        const { a, e, f } = new DOMMatrix(node.style.transform);
        return { scale: a, x: e, y: f };
    })"""

    def place():
        places = page.evaluate(script)
        assert all(one == places[0] for one in places)
        return places[0]

    # The point under the pointer stays where it is, to a pixel.
    fitted, pointer = place(), (int(0.45 * box["width"]), int(0.53 * box["height"]))
    mouse.move(box["x"] + pointer[0], box["y"] + pointer[1])
    mouse.wheel(0, -1200)
    until(page, f"({script})()[0].scale > {1.5 * fitted['scale']}")
    closer = place()
    for name, there in zip("xy", pointer, strict=True):
        before, after = ((there - one[name]) / one["scale"] for one in (fitted, closer))
        assert abs(before - after) * closer["scale"] <= 1
    mouse.down()
    mouse.move(box["x"] + pointer[0] - 20, box["y"] + pointer[1] - 12)
    mouse.up()
    dragged = place()
    assert (dragged["x"], dragged["y"]) == pytest.approx((closer["x"] - 20, closer["y"] - 12), abs=1)

    # A double click shows the whole picture, and another its pixels.
    mouse.dblclick(box["x"] + pointer[0], box["y"] + pointer[1])
    assert place() == fitted
    mouse.dblclick(box["x"] + pointer[0], box["y"] + pointer[1])
    assert place()["scale"] == 1
    page.keyboard.press("0")

    handle = page.locator(".stage-divider").bounding_box()
    mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + 30)
    mouse.down()
    mouse.move(box["x"] + 0.25 * box["width"], handle["y"] + 30)
    mouse.up()
    assert page.locator(".stage-divider").get_attribute("aria-valuenow") == "25"
    assert place() == fitted


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_has_all_of_it(dataset, visit, scheme):
    with serving("raindata", "review", dataset, "--reviewer", "ada") as server:
        page = visit(server.url, size=(390, 844), has_touch=True, color_scheme=scheme).page
        at(page, 1)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        for name in ("accept", "reject", "more", "undo", "mark", "previous", "next", "above", "help", "filter"):
            box = page.locator(f"#{name}").bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390
            assert box["y"] + box["height"] <= 844
        assert page.locator("#stage").bounding_box()["height"] > 300
        page.locator("#accept").tap()
        at(page, 2)
        settle(page)
        assert entries(dataset) == ["accept"]


def test_a_strict_policy_is_kept_and_nothing_is_asked_of_others(dataset, visit):
    with serving("raindata", "review", dataset, "--reviewer", "ada") as server:
        one = visit(server.url)
        at(one.page, 1)
        policy = one.page.request.get(server.url).headers["content-security-policy"]
        assert "unsafe" not in policy
        assert all(re.match(r"data:|" + re.escape(server.url), address) for address in one.asked)
        for text in ("<script", "style="):
            assert text not in one.page.request.get(server.url).text().replace('<script type="module" src', "")
