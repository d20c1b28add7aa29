"""Profile, EXIF data and resolution travel with the pixels, as far as they are still true of them."""

import logging
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from rainopt.io import ImageMetadata, read_image_file, write_image
from rainopt.io.images import tiff
from tests.support.image_files import (
    TOLD,
    chunk,
    encoded,
    exif_bytes,
    parsed,
    picture,
    plain_png,
    saved,
    smooth,
    srgb,
    told,
)


@pytest.mark.parametrize(
    ("suffix", "bits"), [(".png", 8), (".png", 16), (".tif", 8), (".tif", 16), (".tif", 32), (".jpg", 8), (".webp", 8)]
)
@pytest.mark.parametrize("kind", ["grey", "rgb"])
def test_metadata_round_trip(tmp_path, suffix, bits, kind):
    icc = srgb() if kind == "rgb" or suffix == ".webp" else None
    meta = ImageMetadata(icc, exif_bytes(6), (300.0, 150.0))
    path = tmp_path / f"a{suffix}"
    for _ in range(2):
        write_image(path, picture(kind, bits), metadata=meta, bits=bits)
        meta = read_image_file(path).metadata
    assert meta.icc == icc
    assert told(meta.exif) == TOLD
    assert meta.resolution == (None if suffix == ".webp" else pytest.approx((300, 150), abs=0.1))


@pytest.mark.parametrize(
    ("suffix", "bits"), [(".png", 8), (".png", 16), (".jpg", 8), (".webp", 8), (".tif", 8), (".tif", 16)]
)
def test_pillow_finds_what_is_written_and_is_understood(tmp_path, suffix, bits):
    array = smooth() if bits == 8 else picture("grey", 16)
    meta = ImageMetadata(srgb() if bits == 8 else None, exif_bytes(), (300.0, 150.0))
    with Image.open(write_image(tmp_path / f"a{suffix}", array, metadata=meta)) as image:
        image.load()  # which checks the sums of PNG
        assert image.info.get("icc_profile") == meta.icc
        assert told(image.getexif()) == TOLD
        assert suffix == ".webp" or image.info["dpi"] == pytest.approx((300, 150), abs=0.1)
    exif = parsed(meta.exif) if suffix == ".tif" else b"Exif\0\0" + meta.exif
    got = read_image_file(saved(tmp_path / f"b{suffix}", array, icc_profile=meta.icc, exif=exif)).metadata
    assert got.icc == meta.icc
    assert told(got.exif) == TOLD


def test_big_tiff_holds_the_same_tags(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff, "_CLASSIC_BYTES", 0)  # a file that needs it is of 4 GB
    path = write_image(tmp_path / "a.tif", picture("rgb", 16), metadata=ImageMetadata(srgb(), exif_bytes()))
    got = read_image_file(path)
    np.testing.assert_array_equal(got.pixels, picture("rgb", 16))
    assert told(got.metadata.exif) == TOLD
    with tifffile.TiffFile(path) as file:
        assert file.is_bigtiff
        assert file.pages[0].tags["ExifTag"].value["ExposureTime"] == pytest.approx(0.01)


def test_resolution_follows_the_turn(tmp_path):
    for suffix in (".png", ".jpg"):
        path = saved(tmp_path / f"a{suffix}", smooth(), exif=b"Exif\0\0" + exif_bytes(6), dpi=(300, 150))
        assert read_image_file(path).metadata.resolution == pytest.approx((150, 300), abs=0.1)


def test_a_resolution_that_bmp_cannot_tell_is_told_as_lost(tmp_path, caplog):
    for dots, there in ((300.0, True), (1e8, False)):
        path = write_image(tmp_path / f"{there}.bmp", smooth(), metadata=ImageMetadata(resolution=(dots, dots)))
        assert (read_image_file(path).metadata.resolution == pytest.approx((dots, dots), rel=1e-3)) == there
        assert ("the resolution" in caplog.text) != there


@pytest.mark.parametrize("junk", [b"junk", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff", b"MM\0*"])
def test_exif_that_makes_no_sense_is_dropped(tmp_path, junk):
    array = picture("rgb", 16)
    (tmp_path / "a.png").write_bytes(plain_png(array, 16, 2, chunk(b"eXIf", junk)))
    got = read_image_file(tmp_path / "a.png")
    np.testing.assert_array_equal(got.pixels, array)
    assert got.metadata.exif is None
    data = encoded(".jpg", smooth(), exif=b"Exif\0\0" + junk)
    # Without a density of its own, Pillow looks for one in the EXIF data.
    (tmp_path / "a.jpg").write_bytes(data[:2] + data[2 + 2 + int.from_bytes(data[4:6], "big") :])
    assert read_image_file(tmp_path / "a.jpg").metadata == ImageMetadata(notes=got.metadata.notes)
    assert got.metadata.notes == ("without the EXIF data, which are damaged",)


def test_embedded_thumbnail_is_dropped(tmp_path):
    head = bytearray(exif_bytes())
    (count,) = struct.unpack_from("<H", head, 8)
    struct.pack_into("<I", head, 10 + 12 * count, len(head))
    thumbnail = encoded(".jpg", smooth((8, 8)))
    start = len(head) + 2 + 24 + 4
    head += struct.pack("<HHHIIHHIII", 2, 0x201, 4, 1, start, 0x202, 4, 1, len(thumbnail), 0) + thumbnail
    for tail in (b"", b"more"):
        saved(tmp_path / "a.jpg", smooth(), exif=b"Exif\0\0" + bytes(head) + tail)
        got = read_image_file(tmp_path / "a.jpg").metadata.exif
        assert thumbnail in bytes(head)
        assert thumbnail not in got
        assert told(got) == TOLD
        assert not parsed(got).get_ifd(1)


def test_a_tiff_cut_behind_its_pixels_loses_exif_data_only(tmp_path):
    path = write_image(tmp_path / "a.tif", picture(), metadata=ImageMetadata(exif=exif_bytes()))
    path.write_bytes(path.read_bytes()[:-20])
    got = read_image_file(path)
    np.testing.assert_array_equal(got.pixels, picture())
    assert got.metadata.exif is None


def test_a_profile_of_other_pixels_is_left_out_with_a_warning(tmp_path, caplog):
    path = write_image(tmp_path / "a.png", picture("grey"), metadata=ImageMetadata(icc=srgb()))
    assert read_image_file(path).metadata.icc is None
    assert "profile" in caplog.text


def test_exif_too_large_for_jpeg_is_left_out_with_a_warning(tmp_path, caplog):
    meta = ImageMetadata(exif=exif_bytes(artist="x" * 70_000))
    with caplog.at_level(logging.WARNING):
        path = write_image(tmp_path / "a.jpg", smooth(), metadata=meta)
    assert read_image_file(path).metadata.exif is None
    assert "EXIF" in caplog.text
    assert read_image_file(write_image(tmp_path / "a.png", smooth(), metadata=meta)).metadata.exif == meta.exif


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_size_that_exif_data_tell_is_that_of_the_upright_picture(tmp_path, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    exif.get_ifd(0x8769).update({0xA002: 40, 0xA003: 24})
    Image.new("RGB", (40, 24)).save(tmp_path / "a.jpg", exif=exif)
    file = read_image_file(tmp_path / "a.jpg")
    write_image(tmp_path / "b.jpg", file.pixels, metadata=file.metadata)
    with Image.open(tmp_path / "b.jpg") as result:
        told = result.getexif().get_ifd(0x8769)
        assert (told[0xA002], told[0xA003]) == result.size
