"""`raindata review` as a person uses it."""

import json
import re
import signal

import cv2
import numpy as np
import pytest

from tests.support.browsers import serving, until

pytestmark = pytest.mark.slow

SCENES = 4


def entries(dataset, reviewer="ada"):
    """What a reviewer's log says: kind and verdict of each line."""
    file = dataset / "review" / f"{reviewer}.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return [line.get("verdict") or line["kind"] for line in lines]


def settle(page):
    """Wait until all is saved."""
    page.wait_for_selector("#saving:text-is('all saved')")


def at(page, number):
    """Wait until a scene is shown, by its place in the list."""
    page.wait_for_selector(f".facts-head p:has-text('Scene {number} of')")
    page.wait_for_selector(f"#stage[data-shown='{number - 1}/0']")


def told(page, text):
    """Wait until the page says something."""
    page.wait_for_selector(f".toast:has-text({json.dumps(text)})")


def decided(page, count):
    page.wait_for_selector(f"#progress-text:text-is('{count} of {SCENES} scenes decided')")


def seen(page):
    """The layers that can be seen."""
    script = (
        "[...document.querySelectorAll('.stage-plane[data-layer]:not(.unseen)')].map((plane) => plane.dataset.layer)"
    )
    return [name for name in page.evaluate(script) if name != "veil"]


@pytest.fixture
def review(dataset, visit):
    with serving("raindata", "review", dataset, "--reviewer", "ada") as server:
        page = visit(server.url).page
        at(page, 1)
        yield page


def test_a_whole_session_by_keyboard(review, dataset):
    page, press = review, review.keyboard.press
    # Looking.
    assert sorted(seen(page)) == ["clean", "rainy"]
    press("f")
    assert seen(page) == ["rainy"]
    press("Space")
    assert seen(page) == ["clean"]
    press("d")
    assert seen(page) == ["difference"]
    press("c")
    page.locator(".stage-divider").focus()
    before = page.locator(".stage-divider").get_attribute("aria-valuenow")
    press("ArrowRight")
    assert page.locator(".stage-divider").get_attribute("aria-valuenow") == str(int(before) + 2)
    press("]")
    assert page.locator(".stage-divider").get_attribute("aria-valuenow") == str(int(before) + 7)
    page.evaluate("document.activeElement.blur()")
    press("+")
    press("Shift+ArrowRight")
    places = page.evaluate(
        "[...document.querySelectorAll('.stage-picture, .stage-marks')].map((p) => p.style.transform)"
    )
    assert len(set(places)) == 1
    press("0")
    press("ArrowRight")
    page.wait_for_selector("#stage[data-shown='0/1']")

    # Judging: on disk when the page says so.
    press("a")
    at(page, 2)
    settle(page)
    assert entries(dataset) == ["accept"]
    press("r")
    at(page, 3)
    settle(page)
    assert entries(dataset) == ["accept", "reject"]
    decided(page, 2)
    press("u")
    at(page, 2)
    assert entries(dataset) == ["accept", "reject", "undo"]
    decided(page, 1)

    # A region, with the keys of the brush.
    press("b")
    press("ArrowLeft")
    page.keyboard.down("Space")
    for _ in range(4):
        press("ArrowRight")
    page.keyboard.up("Space")
    press("]")
    press("Enter")
    told(page, "marked as invalid")
    settle(page)
    (mask,) = (dataset / "review" / "invalid").glob("*.png")
    marked = cv2.imread(str(mask), cv2.IMREAD_UNCHANGED)
    assert marked.ndim == 2
    assert set(np.unique(marked)) == {0, 255}
    assert 0.01 < (marked == 255).mean() < 0.8

    # A note.
    press("n")
    page.keyboard.type("A walker at the left.")
    press("Escape")
    told(page, "The note is saved.")

    # And all of it is there when the page is loaded again.
    page.reload()
    at(page, 2)
    assert page.locator("#note").input_value() == "A walker at the left."
    decided(page, 1)
    until(page, f"document.querySelector('.stage-marks').width === {marked.shape[1]}")
    shown_mask = page.evaluate(
        """() => {
            const { width, height } = document.querySelector(".stage-marks");
            const { data } = document.querySelector(".stage-marks").getContext("2d").getImageData(0, 0, width, height);
            return data.filter((_, k) => k % 4 === 3 && data[k] > 127).length;
        }"""
    )
    assert shown_mask == (marked == 255).sum()

    # More frames: the work shows on the page, and then the scene is open again.
    press("m")
    at(page, 3)
    settle(page)
    assert entries(dataset)[-1] == "more"
    press("o")
    press("k")
    at(page, 2)
    page.wait_for_selector("#facts .again:has-text('More frames: done')", timeout=90_000)
    page.wait_for_selector(".facts-head .chip:text-is('open')")
    decided(page, 1)
    # Keys in a row mean one scene each.
    press("r")
    press("r")
    at(page, 4)
    settle(page)
    assert entries(dataset)[-2:] == ["reject", "reject"]
    decided(page, 3)
    # The help lists what the keys do.
    press("?")
    assert "Accept the background" in page.locator("dialog").inner_text()
    press("Escape")


def test_the_rest_is_accepted_above_a_score_and_taken_back_whole(review, dataset):
    page, press = review, review.keyboard.press
    press("r")
    at(page, 2)
    settle(page)
    press("g")
    page.fill("#above-score", "-1")
    page.wait_for_selector(f"dialog button:has-text('Accept {SCENES - 1} scenes'):enabled")
    assert "you have judged" in page.locator("dialog").inner_text()
    press("Enter")
    told(page, f"{SCENES - 1} scenes accepted.")
    decided(page, SCENES)
    assert entries(dataset) == ["reject", "accept"]
    press("u")
    told(page, "Undone")
    decided(page, 1)


def test_two_tabs_and_a_second_reviewer_stay_current(review, dataset, visit):
    press = review.keyboard.press
    other = review.context.new_page()
    other.goto(review.url)
    at(other, 1)
    press("a")
    settle(review)
    decided(other, 1)
    other.wait_for_selector(".facts-head .chip:has-text('accepted')")
    with serving("raindata", "review", dataset, "--reviewer", "bo") as server:
        theirs = visit(server.url).page
        at(theirs, 1)
        assert "Others: ada accepted" in theirs.locator("#facts").inner_text()
        theirs.keyboard.press("r")
        settle(theirs)
        other.wait_for_selector("#facts :has-text('bo rejected')")
        other.wait_for_selector(".agreement:has-text('bo')")
    assert (entries(dataset), entries(dataset, "bo")) == (["accept"], ["reject"])


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
    for name, at in zip("xy", pointer, strict=True):
        before, after = ((at - one[name]) / one["scale"] for one in (fitted, closer))
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


def test_strokes_that_are_not_saved_are_not_lost_without_a_word(review, dataset):
    page, press = review, review.keyboard.press
    page.click("#mark")
    box = page.locator("#stage").bounding_box()
    x, y = box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.5
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 10, steps=4)
    page.mouse.up()
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("location.reload()")
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    press("a")
    page.wait_for_selector("dialog:has-text('not saved')")
    press("Escape")
    assert entries(dataset) == []
    press("u")  # the stroke, no decision
    press("Escape")
    page.wait_for_selector("#tools", state="hidden")
    press("a")
    at(page, 2)
    settle(page)
    assert entries(dataset) == ["accept"]


def test_what_the_server_did_not_confirm_is_told(dataset, visit):
    with serving("raindata", "review", dataset, "--reviewer", "ada") as server:
        one = visit(server.url)
        page = one.page
        at(page, 1)
        server.send_signal(signal.SIGKILL)
        server.wait()
        page.keyboard.press("a")
        page.wait_for_selector(".toast-error:has-text('is not accepted. The server does not answer')")
        decided(page, 0)
        page.wait_for_selector("#saving:has-text('does not answer')")
        assert entries(dataset) == []
        one.context.close()
        assert all("net::ERR_CONNECTION" in error for error in one.errors)
        one.errors.clear()


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
