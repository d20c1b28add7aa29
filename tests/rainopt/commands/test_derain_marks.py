"""``rainopt derain --marks``, and ``--angle`` said more than once."""

import json

import numpy as np
import pytest
from PIL import Image

import rainopt
import rainopt.refine
from rainopt.commands.main import app
from rainopt.io import read_image, write_image
from tests.support.clips import save, view
from tests.support.photos import SIZE, levels, rainy, save_photo
from tests.support.processes import call

MARKS = np.full(SIZE, 128, np.uint8)
MARKS[10:40, 10:60], MARKS[30:60, 50:90] = 255, 0
SAID = ((MARKS > 128) * 1 - (MARKS < 128)).astype(np.int8)


def derained(*arguments):
    status, out, err = call(app, "derain", *arguments, "--json", "--overwrite")
    assert (status, err) == (0, "")
    return json.loads(out)


@pytest.mark.parametrize("more", [(), ("--refine",)])
def test_the_file_holds_what_the_array_function_returns(here, more):
    save_photo(here / "a.png")
    write_image("m.png", MARKS)
    told = derained("a.png", "-o", "dry.png", "--angle", "0", "--marks", "m.png", *more)
    image = read_image("a.png")
    work = rainopt.refine.refine if more else rainopt.derain
    np.testing.assert_array_equal(read_image("dry.png"), levels(work(image, angle=0.0, marks=SAID).background))
    np.testing.assert_array_equal(read_image("dry.png")[SAID < 0], image[SAID < 0])
    assert told["marks"] == pytest.approx({"rain": (SAID > 0).mean(), "protected": (SAID < 0).mean()})
    assert "marks" not in derained("a.png", "-o", "plain.png", "--angle", "0", *more)
    assert (read_image("plain.png")[SAID < 0] != image[SAID < 0]).any()


def test_marks_lie_over_the_picture_as_it_is_shown(here):
    lying = Image.fromarray(levels(rainy()))
    exif = Image.Exif()
    exif[0x0112] = 6  # shown a quarter turn to the right
    lying.save("a.png", exif=exif)
    write_image("m.png", np.rot90(MARKS, -1))
    derained("a.png", "-o", "dry.png", "--angle", "90", "--marks", "m.png")
    shown, dry = read_image("a.png"), read_image("dry.png")
    kept = np.rot90(SAID, -1) < 0
    assert shown.shape[:2] == kept.shape
    np.testing.assert_array_equal(dry[kept], shown[kept])
    assert (dry != shown).any()
    write_image("m.png", MARKS)
    status, _, err = call(app, "derain", "a.png", "-o", "out/deep", "--angle", "90", "--marks", "m.png")
    assert (status, "'a.png' has 72 x 96 pixels, and its marks 'm.png' 96 x 72" in err) == (1, True)
    assert not (here / "out").exists()


def test_a_folder_of_marks(here):
    for name in ("in/a.png", "in/sub/b.png", "in/c.png"):
        save_photo(here / name)
    (here / "m" / "sub").mkdir(parents=True)
    write_image("m/sub/b.png", np.zeros(SIZE, np.uint8))
    write_image("m/a.png", np.full(SIZE, 128, np.uint8))
    assert call(app, "derain", "in", "-o", "out", "--angle", "0", "--marks", "m")[0] == 0
    a, b, c = (read_image(f"out/{name}.png") for name in ("a", "sub/b", "c"))
    np.testing.assert_array_equal(b, read_image("in/sub/b.png"))
    np.testing.assert_array_equal(a, c)
    assert (a != b).any()


def test_rain_that_is_marked_where_no_direction_is_seen_is_told(here):
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 70), np.uint8)).save("a.png")
    write_image("m.png", np.full((60, 70), 255, np.uint8))
    status, out, _ = call(app, "derain", "a.png", "-o", "out", "--marks", "m.png")
    assert status == 0
    assert "rain is marked, but its direction is not seen (confidence 0." in out
    assert "left as it is; --angle removes rain all the same" in out
    assert (here / "out" / "a.png").read_bytes() == (here / "a.png").read_bytes()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("--marks", "gone.png"), "'gone.png' does not exist; name a picture of marks, or a folder of some"),
        (("b.png", "--marks", "a.png"), "'a.png' marks one photograph, and there are 2 inputs; name a folder of marks"),
        *(
            ((*option, "--marks", "a.png"), f"does not go together with {option[0]}: it is for photographs")
            for option in (("--sequence",), ("--live",), ("--preview-at", "1"))
        ),
        (("--angle", "12", "--angle", "12.5"), "hold angles at least 1 degree apart, got 12 and 12.5"),
        (("-a", "0", "-a", "20", "-a", "40", "-a", "60"), "must be one to 3 angles, got 4"),
        (("-a", "0", "-a", "nan"), "must be in (-90, 90] degrees, got nan"),
    ],
    ids=str,
)
def test_what_is_refused_before_anything_is_done(here, asked, message):
    for name in ("a.png", "b.png"):
        save_photo(here / name)
    status, _, err = call(app, "derain", "a.png", "-o", "out", *asked)
    assert status == 2
    assert message in " ".join(err.replace("│", " ").split())
    assert not (here / "out").exists()


def test_several_angles(here):
    save_photo(here / "a.png")
    told = derained("a.png", "-o", "dry.png", "--angle", "-20", "-a", "12", "--max-iter", "20")
    assert told["directions"] == [{"angle": -20.0, "share": 0.5}, {"angle": 12.0, "share": 0.5}]
    wanted = rainopt.derain(read_image("a.png"), angle=(-20.0, 12.0), max_iter=20)
    np.testing.assert_array_equal(read_image("dry.png"), levels(wanted.background))
    status, out, _ = call(app, "derain", "a.png", "-o", "out", "--angle", "-20", "-a", "12", "--max-iter", "2")
    assert (status, "rain at -20.0° and +12.0°" in out) == (0, True)


def test_marks_are_of_photographs_and_angles_of_videos_too(here):
    save(here / "b.mp4", [levels(view("coffee"))] * 3)
    write_image("m.png", MARKS)
    status, _, err = call(app, "derain", "b.mp4", "-o", "out", "--marks", "m.png")
    assert (status, "'b.mp4' is a video" in " ".join(err.replace("│", " ").split())) == (2, True)
    told = derained("b.mp4", "-o", "dry.mp4", "--angle", "5", "--angle", "-15", "--max-iter", "5")
    assert told["angles"] == [5.0]


@pytest.mark.parametrize("more", [("--marks", "m.png"), ("--keep", "m.png")])
def test_a_result_never_replaces_what_was_painted(here, more):
    save_photo(here / "a.png")
    write_image("m.png", MARKS)
    before = (here / "m.png").read_bytes()
    status, _, err = call(app, "derain", "a.png", "-o", "m.png", "--overwrite", *more)
    assert (status, "'m.png', a result, is 'm.png' itself, which was painted; name another folder" in err) == (2, True)
    assert (here / "m.png").read_bytes() == before
