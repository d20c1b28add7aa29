"""Where many images become one, it says of its colours what all of them say."""

from rainopt.commands.background_colours import colours_of
from rainopt.io import ImageMetadata, write_image
from rainopt.io.images.profile import srgb_profile
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


def test_a_video_says_nothing_here(tmp_path):
    (tmp_path / "a.mkv").touch()
    assert colours_of(tmp_path / "a.mkv", [0]) is None
