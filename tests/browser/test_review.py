"""`raindata review` as a person uses it."""

import signal

import cv2
import numpy as np
import pytest

from tests.support.browsers import serving, until
from tests.support.review_page import SCENES, at, decided, entries, seen, settle, told

pytestmark = pytest.mark.slow


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
        # Refused, or broken off in the midst of a picture.
        broken = ("net::ERR_CONNECTION", "net::ERR_CONTENT_LENGTH_MISMATCH", "net::ERR_INCOMPLETE")
        assert all(any(word in error for word in broken) for error in one.errors)
        one.errors.clear()
