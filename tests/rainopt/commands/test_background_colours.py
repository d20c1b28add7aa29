"""Where many images become one, it says of its colours what all of them say."""

from rainopt.commands.background_colours import colours_of
from rainopt.io import ImageMetadata, write_image
from rainopt.io.images.profile import CURVES, PRIMARIES, build_profile, srgb_profile
from rainopt.io.video.marks import Marks
from rainopt.io.video.read import open_video
from tests.support.image_files import exif_bytes, picture

GAMMA = (("gAMA", b"\0\1\x86\xa0"),)


def save(folder, *said):
    for number, metadata in enumerate(said):
        write_image(folder / f"{number}.png", picture(), metadata=metadata)


def test_what_all_images_agree_on_is_carried(tmp_path):
    both = ImageMetadata(srgb_profile(), colour=GAMMA)
    save(tmp_path, both, ImageMetadata(srgb_profile(), exif_bytes(), colour=GAMMA))
    assert colours_of(tmp_path, [0, 1]) == both


def test_what_they_do_not_agree_on_is_told(tmp_path, caplog):
    save(tmp_path, ImageMetadata(srgb_profile()), ImageMetadata(srgb_profile()), ImageMetadata())
    metadata = colours_of(tmp_path, [0, 1, 2])
    assert metadata.icc is None
    path = write_image(tmp_path / "b.png", picture(), metadata=metadata)
    (line,) = caplog.messages
    assert line.startswith(f"'{path}' is written without a colour profile, in which the images of '{tmp_path}' do not")
    # Only those that are used count.
    assert colours_of(tmp_path, [0, 1]).icc == srgb_profile()


def test_of_a_video_only_what_is_not_plain_is_said(tmp_path):
    (tmp_path / "a.mkv").touch()
    for plain in (None, Marks(), Marks(1, 1, 1), Marks(6, 6, 6), Marks(1, 13, 6)):
        assert colours_of(tmp_path / "a.mkv", [0], plain) is None
    for hdr in (Marks(9, 16, 9), Marks(9, 18, 9), Marks(12, 1, 1), Marks(9, 14, 9)):
        said = colours_of(tmp_path / "a.mkv", [0], hdr)
        assert said.colour == (("cICP", bytes([hdr.primaries, hdr.transfer, 0, 1])),)
        # As a folder of such pictures, it is the same video.
        save(tmp_path, said)
        back = open_video(tmp_path).marks
        assert (back.primaries, back.transfer) == (hdr.primaries, hdr.transfer)
        assert back.written(48)[2] == (9 if hdr.primaries == 9 else 6)


def test_a_profile_of_pictures_becomes_marks_or_is_told(tmp_path):
    p3 = build_profile("P3", PRIMARIES[12], CURVES[13], False)
    for name, icc, marks, told in (
        ("none", None, (2, 2), []),
        ("srgb", srgb_profile(), (2, 2), []),
        ("p3", p3, (12, 13), []),
        (
            "wide",
            build_profile("wide", PRIMARIES[9], CURVES[13], False),
            (2, 2),
            ["the colour profile of its pictures"],
        ),
        ("damaged", b"x" * 200, (2, 2), None),
    ):
        (tmp_path / name).mkdir()
        save(tmp_path / name, ImageMetadata(icc))
        video = open_video(tmp_path / name)
        assert (video.marks.primaries, video.marks.transfer) == marks
        assert told is None or video.beside == told
