"""What `rainopt studio` looks like: nothing over one another, nothing cut off, nothing too pale."""

import numpy as np
import pytest

from rainopt.io import write_image
from rainopt.studio.asked import Asked
from rainopt.studio.marks import drawn
from tests.support.browsers import serving
from tests.support.contrast import PALEST
from tests.support.photos import levels, rainy

pytestmark = pytest.mark.slow

BOXES = """() => {
  const box = (node) => node.getBoundingClientRect().toJSON();
  return { stage: box(document.querySelector("#stage")),
    labels: [...document.querySelectorAll(".line-label")].map(box),
    knobs: [...document.querySelectorAll(".line-knob")].map(box) };
}"""


@pytest.fixture
def page_of(tmp_path, visit):
    """The page of one photograph, in a window of a size."""
    write_image(tmp_path / "a.png", levels(rainy((360, 480))))
    with serving("rainopt", "studio", "a.png", cwd=tmp_path) as server:

        def opened(**options):
            page = visit(server.url, **options).page
            page.wait_for_selector("#stage[data-shown='0']")
            return page

        yield opened


def apart(one, other):
    across = min(one["right"], other["right"]) - max(one["left"], other["left"])
    down = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
    return across <= 0 or down <= 0


@pytest.mark.parametrize("size", [(1280, 800), (390, 844), (320, 568)])
def test_labels_of_directions_stand_apart_and_inside(page_of, size):
    page = page_of(size=size)
    for angles in ((5, 12, -20), (0, 1, 2), (89, 90, -88), (-45, -44, 45)):
        for k, angle in enumerate(angles):
            if page.locator(".line-row").count() <= k:
                page.click("#lines-add")
            field = page.locator(".line-row input[type=number]").nth(k)
            field.fill(str(angle))
            field.press("Tab")
        page.wait_for_selector(f".line-label:has-text('{abs(angles[-1])}.0')", state="attached")
        boxes = page.evaluate(BOXES)
        stage, labels = boxes["stage"], boxes["labels"]
        assert len(labels) == 3
        for k, label in enumerate(labels):
            assert stage["left"] <= label["left"] < label["right"] <= stage["right"], (angles, label)
            assert stage["top"] <= label["top"] < label["bottom"] <= stage["bottom"], (angles, label)
            assert all(apart(label, other) for other in labels[k + 1 :] + boxes["knobs"]), (angles, boxes)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_the_contrast_that_wcag_asks_for(page_of, scheme):
    page = page_of(color_scheme=scheme)
    page.keyboard.press("p")
    palest = page.evaluate(PALEST)
    assert palest["ratio"] >= 4.5, palest
    page.keyboard.press("Escape")
    for key in ("c", "?"):
        page.keyboard.press(key)
        page.wait_for_selector("dialog")
        palest = page.evaluate(PALEST)
        assert palest["ratio"] >= 4.5, palest
        page.keyboard.press("Escape")


def test_a_command_line_is_whole_on_a_narrow_screen(page_of):
    page = page_of(size=(390, 844))
    page.keyboard.press("c")
    page.wait_for_selector("dialog")
    frame = page.locator("dialog").bounding_box()
    for selector in ("dialog code", "dialog button", "dialog p"):
        for one in page.locator(selector).all():
            box = one.bounding_box()
            assert frame["x"] <= box["x"]
            assert box["x"] + box["width"] <= frame["x"] + frame["width"]


INK = """() => {
  // The brush of the kit has one as well, which is not used here.
  const canvas = [...document.querySelectorAll(".stage-marks")].find(({ width }) => width > 1);
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  return { width, height, cover: [...data.filter((_, k) => k % 4 === 3)] };
}"""


def test_the_ink_that_is_seen_is_what_is_marked(page_of):
    page = page_of()
    stage = page.locator("#stage").bounding_box()
    x, y = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
    for key, rise in (("p", 0), ("e", 60), ("p", 100)):
        page.keyboard.press(key)
        page.mouse.move(x - 150, y - 40 + rise)
        page.mouse.down()
        page.mouse.move(x, y - 40 + rise, steps=5)
        page.mouse.move(x + 150, y + rise, steps=5)
        page.mouse.up()
    page.wait_for_timeout(500)
    seen = page.evaluate(INK)
    cover = np.reshape(seen["cover"], (seen["height"], seen["width"])) / 255
    (picture,) = page.request.get(page.url + "api/session").json()["pictures"]
    marks = drawn(Asked.of(picture["asked"]).strokes, *cover.shape)
    assert len(picture["asked"]["strokes"]) == 3
    assert cover.mean() > 0.05
    # To what a pixel more or less makes of an edge that is a few pixels wide.
    assert np.abs(cover + marks).mean() < 0.1 * cover.mean()
