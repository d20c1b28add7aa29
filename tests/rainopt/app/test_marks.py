"""Pictures of marks: what their levels say, and whose they are."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from rainopt.app.inputs import Job
from rainopt.app.marks import MarkPictures, MarksError, marks_in
from rainopt.io import write_image


def jobs(*names, output="out"):
    return [Job(Path(name), Path(output) / Path(name).name) for name in names]


def save_marks(path, shape=(4, 5), value=255):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, np.full(shape, value, np.uint8))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_black_protects_white_is_rain_and_both_middles_say_nothing(dtype):
    levels = np.array([[0, 64, 127, 128, 191, 255]], np.uint8)
    picture = levels.astype(dtype) * (257 if dtype is np.uint16 else 1) / (255 if dtype is np.float32 else 1)
    marks = marks_in(picture.astype(dtype))
    assert marks.dtype == np.float32
    np.testing.assert_allclose(marks, [[-1, -63 / 127, 0, 0, 63 / 127, 1]], atol=1e-4)
    assert not marks[0, 2:4].any()
    assert set(marks[0, [0, 5]]) == {-1, 1}
    grey = np.repeat(picture.astype(dtype)[..., None], 3, axis=2)
    np.testing.assert_allclose(marks_in(grey), marks, atol=1e-6)


def test_what_is_transparent_says_nothing():
    grey = np.array([[[0, 0], [0, 255], [255, 51], [255, 0]]], np.uint8)
    np.testing.assert_allclose(marks_in(grey), [[0, -1, 0.2, 0]], atol=1e-6)
    np.testing.assert_allclose(marks_in(grey[..., [0, 0, 0, 1]]), [[0, -1, 0.2, 0]], atol=1e-6)


def test_a_picture_marks_the_one_photograph(here):
    save_marks(here / "m.png")
    marks = MarkPictures.found(Path("m.png"), jobs("a.jpg"), Path("out"))
    # Worker processes get them, too.
    marks = pickle.loads(pickle.dumps(marks))
    np.testing.assert_array_equal(marks.of(Path("a.jpg"), 4, 5), np.ones((4, 5)))
    with pytest.raises(MarksError, match=r"'a.jpg' has 4 x 5 pixels, and its marks 'm.png' 5 x 4; paint them over the"):
        marks.of(Path("a.jpg"), 5, 4)
    with pytest.raises(MarksError, match=r"'m.png' marks one photograph, and there are 2 inputs; name a folder"):
        MarkPictures.found(Path("m.png"), jobs("a.jpg", "b.jpg"), Path("out"))
    with pytest.raises(MarksError, match=r"'m.png' marks a photograph, and 'a.mp4' is a video; leave it out"):
        MarkPictures.found(Path("m.png"), jobs("a.mp4"), Path("out"))
    with pytest.raises(MarksError, match=r"'gone.png' does not exist; name a picture of marks"):
        MarkPictures.found(Path("gone.png"), jobs("a.jpg"), Path("out"))


def test_a_folder_marks_photographs_by_their_names_below_it(here):
    # A name may have dots, and a result another suffix than its source.
    deep = Job(Path("in/sub/b.1.heic"), Path("out/sub/b.1.png"))
    for name in ("m/a.png", "m/sub/b.1.png", "m/dry.png"):
        save_marks(here / name)
    found = MarkPictures.found(Path("m"), [*jobs("in/a.jpg", "in/c.jpg", "in/d.mp4"), deep], Path("out"))
    assert found.files == {"in/a.jpg": Path("m/a.png"), "in/sub/b.1.heic": Path("m/sub/b.1.png")}
    assert found.of(Path("in/c.jpg"), 4, 5) is None
    # One result has the name that was asked for.
    single = MarkPictures.found(Path("m"), [Job(Path("in/a.jpg"), Path("dry.jpg"))], Path("dry.jpg"))
    assert single.files == {"in/a.jpg": Path("m/a.png")}
    with pytest.raises(MarksError, match=r"'m' holds marks of none of the photographs; those of 'x.jpg' are 'm/x.png'"):
        MarkPictures.found(Path("m"), jobs("x.jpg", "y.jpg"), Path("out"))
