"""What is taken as an upload, and what is not."""

import zlib

import pytest

from rainopt.io import ImageFileError
from rainopt.studio import pictures as module
from rainopt.studio.photo import MOST_PIXELS
from rainopt.studio.pictures import PictureError, Pictures, plain_name
from tests.support.image_files import chunk
from tests.support.photos import save_photo


@pytest.fixture
def pictures(tmp_path):
    return Pictures([], tmp_path / "uploads")


@pytest.fixture
def content(tmp_path):
    return save_photo(tmp_path / "x.png").read_bytes()


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd.png", "passwd.png"),
        ("C:\\pictures\\rain.TIF", "rain.TIF"),
        ("été — nuit?.png", "été _ nuit_.png"),
        ("-o.png", "-o.png"),
        ("a\0b\n.png", "a_b_.png"),
        ("...", "picture"),
        ("x" * 300 + ".jpeg", "x" * 115 + ".jpeg"),
    ],
)
def test_names_are_plain(name, plain):
    assert plain_name(name) == plain


def test_uploads_lie_in_the_folder_of_the_session(pictures, content, tmp_path):
    one, other = (pictures.add("../../a.png", content) for _ in range(2))
    assert one.path != other.path
    for picture in (one, other):
        assert picture.path.is_relative_to(tmp_path / "uploads")
        assert (picture.name, picture.target, picture.result_name) == ("a.png", None, "a_derained.png")
        assert pictures.photo(picture).pixels.ndim == 3
    assert pictures.of(1) is other
    with pytest.raises(PictureError, match="no picture 2"):
        pictures.of(2)


def test_what_is_no_photograph_leaves_nothing(pictures, content, tmp_path):
    with pytest.raises(PictureError, match=r"clip\.mp4"):
        pictures.add("clip.mp4", content)
    for bad in (b"", b"<svg/>", content[:20]):
        with pytest.raises(ImageFileError):
            pictures.add("a.png", bad)
    assert pictures.all == []
    assert not list((tmp_path / "uploads").rglob("*.png"))


def test_a_bomb_is_known_by_its_header(pictures):
    side = int(MOST_PIXELS**0.5) + 1
    header = side.to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    with pytest.raises(ImageFileError, match="100,000,000 at most"):
        pictures.add("bomb.png", b"\x89PNG\r\n\x1a\n" + body)


def test_a_session_takes_so_much_and_no_more(pictures, content, monkeypatch):
    monkeypatch.setattr(module, "MOST_UPLOADED", 2 * len(content))
    for _ in range(2):
        pictures.add("a.png", content)
    with pytest.raises(PictureError, match="more than"):
        pictures.add("a.png", content)


def test_few_photographs_stay_in_memory(pictures, content):
    taken = [pictures.add("a.png", content) for _ in range(3)]
    first = pictures.photo(taken[0])
    assert pictures.photo(taken[0]) is first
    for other in taken[1:]:
        pictures.photo(other)
    assert pictures.photo(taken[0]) is not first


def test_a_glance_takes_no_place_in_memory(pictures, content, monkeypatch):
    monkeypatch.setattr(module, "KEPT_PHOTOS", 1)
    seen, other = (pictures.add("a.png", content) for _ in range(2))
    photo = pictures.photo(seen)
    assert pictures.glance(seen) is photo
    assert pictures.glance(other) is not photo
    assert pictures.photo(seen) is photo


def test_a_region_is_cut_once_for_both_pictures_of_a_view(pictures, content):
    photo = pictures.photo(pictures.add("a.png", content))
    whole = photo.whole()
    small = photo.whole(8)
    assert photo.cut(whole) is photo.cut(whole)
    assert photo.cut(small).shape[:2] == (small.out_height, small.out_width)
