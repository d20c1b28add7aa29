"""`rainopt studio` as a person uses it."""

import base64
import shlex
import zipfile

import numpy as np
import pytest

from rainopt.commands.main import app
from rainopt.io import read_image
from tests.support.browsers import serving, until
from tests.support.photos import levels, rainy, save_photo
from tests.support.processes import call

pytestmark = pytest.mark.slow

SIZE = (360, 480)
WAIT = 60_000  # milliseconds: results are made by a process that has to begin


@pytest.fixture
def folder(tmp_path):
    from rainopt.io import write_image

    for seed, name in enumerate(("alley", "bridge", "castle")):
        (tmp_path / "in").mkdir(exist_ok=True)
        write_image(tmp_path / "in" / f"{name}.png", levels(rainy(SIZE, seed=seed)))
    return tmp_path


def shown(page, number=0):
    page.wait_for_selector(f"#stage[data-shown='{number}']", timeout=WAIT)


def exact(page):
    page.wait_for_selector("#stage[data-exact=true]", timeout=WAIT)


def rests(page):
    """Wait until what is asked is what is seen."""
    until(page, "document.querySelector('.stage').classList.contains('waits') === false")
    page.wait_for_timeout(300)


def source_of(page, layer):
    return page.evaluate(f"document.querySelector('[data-layer={layer}] .look-base')?.src ?? ''")


def changed(page, layer, before):
    until(page, f"(document.querySelector('[data-layer={layer}] .look-base')?.src ?? '') !== '{before}'")


def middle(page, selector):
    box = page.locator(selector).first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, start, end, steps=6):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=steps)
    page.mouse.up()


DROP = """async (texts) => {
  const files = new DataTransfer();
  for (const [name, text] of texts) {
    const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
    files.items.add(new File([bytes], name));
  }
  for (const kind of ["dragenter", "dragover", "drop"]) {
    window.dispatchEvent(new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true }));
  }
}"""


def test_a_photograph_is_dropped_seen_and_taken_home(tmp_path, visit):
    photo = save_photo(tmp_path / "a b.jpg", quality=95)
    with serving("rainopt", "studio", cwd=tmp_path) as server:
        page = visit(server.url, accept_downloads=True).page
        page.wait_for_selector("#start:has-text('Drop a rainy photograph')")
        page.evaluate(DROP, [["a b.jpg", base64.b64encode(photo.read_bytes()).decode()]])
        shown(page)
        assert "a b.jpg" in page.locator("#name").inner_text()
        exact(page)
        with page.expect_download(timeout=WAIT) as taken:
            page.click("#save")
        assert taken.value.suggested_filename == "a b_derained.jpg"
        taken.value.save_as(tmp_path / "page.jpg")
    status, _, err = call(app, "derain", photo, "-o", tmp_path / "command.jpg")
    assert (status, err) == (0, "")
    assert (tmp_path / "page.jpg").read_bytes() == (tmp_path / "command.jpg").read_bytes()
    assert server.returncode == 130
    assert "Traceback" not in server.complained


def test_all_that_was_dropped_is_taken_home_in_one_file(tmp_path, visit):
    content = save_photo(tmp_path / "x.png").read_bytes()
    middle = len(content) // 2
    damaged = content[:middle] + bytes(64) + content[middle + 64 :]
    drops = [("a.png", content), ("notes.jpg", b"no picture"), ("damaged.png", damaged), ("a.png", content)]
    with serving("rainopt", "studio", cwd=tmp_path) as server:
        one = visit(server.url, accept_downloads=True)
        page = one.page
        page.evaluate(DROP, [[name, base64.b64encode(sent).decode()] for name, sent in drops])
        shown(page)
        until(page, "document.querySelectorAll('.strip-one').length === 3")
        page.wait_for_selector(".toast-error:has-text('notes.jpg')")
        assert page.locator("#archive").is_hidden()
        page.keyboard.press("Shift+A")
        page.click("dialog button[value=yes]")
        page.wait_for_selector(".toast:has-text('2 of 3 are done') button:has-text('Download all (ZIP)')", timeout=WAIT)
        with page.expect_download(timeout=WAIT) as taken:
            page.click("#archive")
        page.wait_for_selector(".toast-error:has-text('Left out of the ZIP file'):has-text('damaged.png')")
        assert page.locator(".strip-done:visible").count() == 2
        taken.value.save_as(tmp_path / "all.zip")
        # The small picture of what is damaged cannot be made.
        assert all("400" in error for error in one.errors)
        one.errors.clear()
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.namelist() == ["a_derained.png", "a_derained_2.png"]
        assert archive.testzip() is None


def test_a_stroke_is_of_the_picture_that_it_was_begun_on(folder, visit):
    with serving("rainopt", "studio", "in", cwd=folder) as server:
        page = visit(server.url).page
        shown(page)
        x, y = middle(page, "#stage")
        page.keyboard.press("p")
        page.mouse.move(x - 60, y)
        page.mouse.down()
        page.mouse.move(x, y, steps=4)
        # Something else comes to be looked at before the button is let go, as an upload that has ended does.
        page.locator(".strip-one").nth(1).dispatch_event("click")
        shown(page, 1)
        page.mouse.move(x + 60, y, steps=4)
        page.mouse.up()
        rests(page)
        pictures = page.request.get(page.url + "api/session").json()["pictures"]
        assert [len(picture["asked"]["strokes"]) for picture in pictures] == [1, 0, 0]


def test_what_is_no_photograph_is_told(tmp_path, visit):
    with serving("rainopt", "studio", cwd=tmp_path) as server:
        one = visit(server.url)
        one.page.evaluate(DROP, [["a.png", base64.b64encode(b"no picture").decode()]])
        one.page.wait_for_selector(".toast-error:has-text('is not a PNG, JPEG')")
        # Browsers log every answer that is a refusal.
        assert all("400" in error for error in one.errors)
        one.errors.clear()


def test_divider_strength_and_angle(folder, visit):
    with serving("rainopt", "studio", "in/alley.png", cwd=folder) as server:
        page = visit(server.url).page
        shown(page)
        drag(page, middle(page, ".stage-divider"), (200, 300))
        now = float(page.get_attribute(".stage-divider", "aria-valuenow"))
        assert abs(now - 100 * 200 / page.locator("#stage").bounding_box()["width"]) < 2
        page.keyboard.press("b")
        page.keyboard.press(".")
        assert float(page.get_attribute(".stage-divider", "aria-valuenow")) == pytest.approx(now + 5, abs=1)

        # The slider shows a new picture while it moves, and one undo takes the whole move back.
        before = source_of(page, "derained")
        x, y = middle(page, "#strength")
        drag(page, (x, y), (x + 80, y))
        changed(page, "derained", before)
        strength = page.locator("#strength-value").inner_text()
        assert float(strength.split()[0]) > 1.5
        page.keyboard.press("u")
        assert page.locator("#strength-value").inner_text() == "1.0 ×"
        page.keyboard.press("Shift+U")
        assert page.locator("#strength-value").inner_text() == strength
        page.keyboard.press("u")

        # A handle is turned by the pointer and by keys.
        if not page.locator(".line-knob").count():
            page.click("#lines-add")
        page.wait_for_selector(".line-knob")
        rests(page)
        before = source_of(page, "derained")
        stage = page.locator("#stage").bounding_box()
        centre = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
        drag(page, middle(page, ".line-knob"), (centre[0] + 100, centre[1] + 100))
        angle = page.locator(".line-row input[type=number]").first
        assert float(angle.input_value()) == pytest.approx(45, abs=1.5)
        changed(page, "derained", before)
        page.locator(".line-knob").first.focus()
        page.keyboard.press("ArrowLeft")
        assert float(angle.input_value()) == pytest.approx(44, abs=1.5)
        assert page.locator("#lines-said").inner_text() == "Drawn by you."

        # Without any line nothing is taken off, and found lines come back.
        before = source_of(page, "derained")
        page.locator(".line-row .switch").first.uncheck()
        changed(page, "derained", before)
        page.click("#lines-find")
        assert page.locator("#lines-said").inner_text() != "Drawn by you."
        page.keyboard.press("n")
        changed(page, "rain", "")
        page.keyboard.press("x")
        assert page.locator("#reset").is_disabled()


def test_the_brush_protects_and_what_is_saved_is_the_commands(folder, visit):
    source, target = folder / "in" / "alley.png", folder / "out" / "alley.png"
    with serving("rainopt", "studio", "in", "-o", "out", cwd=folder) as server:
        page = visit(server.url).page
        shown(page)
        if not page.locator(".line-row").count():
            page.click("#lines-add")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("p")
        stage = page.locator("#stage").bounding_box()
        x, y = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
        drag(page, (x - 100, y + 60), (x + 100, y + 60))
        page.keyboard.press("r")
        drag(page, (x - 100, y - 80), (x + 100, y - 80))
        page.keyboard.press("Escape")
        rests(page)
        page.keyboard.press("Control+s")
        page.wait_for_selector(".toast:has-text('Saved')", timeout=WAIT)
        saved = target.read_bytes()
        image, derained = read_image(source), read_image(target)
        assert (image != derained).any()
        # Down the middle: the protected stroke is there.
        scale = SIZE[0] / min(stage["height"], 2 * SIZE[0])
        row = round(SIZE[0] / 2 + 60 * scale)
        kept = slice(row - 8, row + 8), slice(SIZE[1] // 2 - 20, SIZE[1] // 2 + 20)
        np.testing.assert_array_equal(derained[kept], image[kept])

        page.click("#command")
        words = shlex.split(page.locator(".command code").first.inner_text())
        page.keyboard.press("Escape")
        assert "--marks" in words
        assert "--strength" in words

        # A file that is there is replaced after a question alone.
        page.click("#save")
        page.wait_for_selector("dialog:has-text('Replace the file?')", timeout=WAIT)
        page.keyboard.press("Escape")
        assert target.read_bytes() == saved
    previous = target.with_name("before.png")
    target.rename(previous)
    words = [word if not word.startswith(("in/", "out/")) else str(folder / word) for word in words]
    status, _, err = call(app, *words[1:])
    assert (status, err) == (0, "")
    assert target.read_bytes() == saved


def test_a_folder_is_walked_and_all_of_it_is_done(folder, visit):
    with serving("rainopt", "studio", "in", "-o", "out", cwd=folder) as server:
        page = visit(server.url).page
        shown(page, 0)
        page.keyboard.press("v")
        page.keyboard.press("ArrowRight")
        shown(page, 1)
        assert "2 of 3" in page.locator("#name").inner_text()
        assert not page.locator("#veil").is_checked()
        page.keyboard.press("ArrowLeft")
        shown(page, 0)
        assert page.locator("#veil").is_checked()
        # Settings live with the session, not with the page.
        page.reload()
        shown(page, 0)
        assert page.locator("#veil").is_checked()
        page.keyboard.press("Shift+A")
        page.click("dialog button[value=yes]")
        page.wait_for_selector(".toast:has-text('3 of 3 are done')", timeout=WAIT)
        assert sorted(path.name for path in (folder / "out").glob("*.png")) == ["alley.png", "bridge.png", "castle.png"]
        page.keyboard.press("ArrowRight")
        shown(page, 1)
        assert page.locator("#veil").is_checked()
        assert page.locator(".strip-done:visible").count() == 3


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_everything_has_a_name_a_key_and_its_place(folder, visit, size):
    with serving("rainopt", "studio", "in", cwd=folder) as server:
        page = visit(server.url, size=size, reduced_motion="reduce").page
        shown(page)
        rests(page)
        nameless = page.evaluate("""() => [...document.querySelectorAll("button, input, select, [role=slider]")]
          .filter((one) => one.offsetParent !== null || one instanceof SVGElement)
          .filter((one) => one.getAttribute("aria-hidden") !== "true")
          .filter((one) => !(one.getAttribute("aria-label") || one.labels?.length || one.textContent.trim()))
          .map((one) => one.outerHTML)""")
        assert nameless == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        moving = page.evaluate("""() => [...document.querySelectorAll("*")]
          .filter((one) => getComputedStyle(one).transitionDuration.split(", ").some((time) => time !== "0s"))
          .map((one) => one.outerHTML)""")
        assert moving == []
        # All of it can be reached by Tab, and where the focus is can be seen.
        reached = set()
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement?.id || document.activeElement?.className?.baseVal || ''"))
        assert {"save", "strength", "method", "veil", "undo", "line-knob"} - reached <= {"undo", "line-knob"}
        page.keyboard.press("?")
        page.wait_for_selector("dialog.help:has-text('Protect with the brush')")
