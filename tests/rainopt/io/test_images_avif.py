"""AVIF is read and written, HEIC is read, and films in picture formats are refused by name."""

import builtins

import cv2
import numpy as np
import pytest
from PIL import Image

from rainopt.io import (
    READABLE_SUFFIXES,
    WRITABLE_SUFFIXES,
    ImageFileError,
    ImageMetadata,
    image_size,
    read_image,
    read_image_file,
    write_image,
)
from tests.support.image_files import KINDS, TOLD, TURNS, exif_bytes, picture, saved, smooth, srgb, told

EXACT = {"quality": 100, "subsampling": "4:4:4"}


@pytest.mark.parametrize("orientation", TURNS)
def test_avif_is_upright_with_its_metadata(tmp_path, orientation):
    exif, icc = b"Exif\0\0" + exif_bytes(orientation), srgb()
    path = saved(tmp_path / "a.avif", smooth(), exif=exif, icc_profile=icc, xmp=b"<x/>", **EXACT)
    got, want = read_image_file(path), TURNS[orientation](smooth())
    np.testing.assert_allclose(got.pixels.astype(int), want, atol=3)
    assert (image_size(path), got.format, got.turned) == (want.shape[:2], "AVIF", orientation != 1)
    assert (got.metadata.icc, told(got.metadata.exif), got.metadata.xmp) == (icc, TOLD, b"<x/>")


@pytest.mark.parametrize("kind", KINDS)
def test_avif_that_is_written_is_read_by_another(tmp_path, kind):
    channels = {"grey": 1, "grey+alpha": 2, "rgb": 3, "rgba": 4}[kind]
    array = smooth(channels=channels)
    meta = ImageMetadata(exif=exif_bytes(), colour=(("cICP", bytes([9, 16, 0, 1])),))
    path = write_image(tmp_path / "a.avif", array, metadata=meta, quality=100)
    with Image.open(path) as image:
        seen = np.asarray(image.convert({1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]))
        assert told(image.getexif()) == TOLD
    np.testing.assert_allclose(seen.astype(int), array, atol=3)
    got = read_image_file(path)
    with Image.open(path) as image:
        np.testing.assert_allclose(got.pixels.astype(int), np.asarray(image).astype(int), atol=3)
    assert got.metadata.colour == meta.colour
    with pytest.raises(ImageFileError, match="AVIF holds 8 bits, not 16"):
        write_image(path, array, bits=16)


@pytest.mark.parametrize("depth", [10, 12])
def test_deep_avif_becomes_16_bits(tmp_path, depth):
    deep = smooth().astype(np.uint16) << (depth - 8)
    options = [cv2.IMWRITE_AVIF_DEPTH, depth, cv2.IMWRITE_AVIF_QUALITY, 100]
    cv2.imwrite(str(tmp_path / "a.avif"), deep[..., ::-1], options)
    got = read_image(tmp_path / "a.avif")
    assert got.dtype == np.uint16
    np.testing.assert_allclose(got / 65535, deep / (2**depth - 1), atol=3 / 2**depth)


@pytest.mark.parametrize("suffix", [".avif", ".gif"])
def test_films_are_refused_by_name(tmp_path, suffix):
    frames = [Image.fromarray(picture(seed=n)) for n in range(3)]
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:])
    with pytest.raises(ImageFileError, match=rf"a\{suffix}' (holds 3 pictures|is a GIF picture or film)"):
        read_image(tmp_path / f"a{suffix}")


def test_damaged_avif_is_told_by_us_alone(tmp_path, capfd):
    data = saved(tmp_path / "a.avif", smooth(), **EXACT).read_bytes()
    half = len(data) // 2
    for bad in (data[:-100], data[:half], data[:half] + bytes(len(data) - half), data[:40]):
        (tmp_path / "a.avif").write_bytes(bad)
        with pytest.raises(ImageFileError, match=r"a\.avif' .*(damaged|picture)"):
            read_image(tmp_path / "a.avif")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", [".jfif", ".jpe"])
def test_jpeg_by_its_other_names(tmp_path, suffix):
    path = write_image(tmp_path / f"a{suffix}", smooth())
    assert read_image_file(path).format == "JPEG"
    assert suffix in READABLE_SUFFIXES & WRITABLE_SUFFIXES


# HEIC


@pytest.fixture
def heif():
    return pytest.importorskip("pillow_heif")


def heic(heif, path, array, **options):
    mode = "RGB" if array.dtype == np.uint8 else "RGB;16"
    made = heif.from_bytes(mode=mode, size=array.shape[1::-1], data=array.tobytes())
    made.save(path, quality=-1, chroma=444, **options)
    return path


@pytest.mark.parametrize("orientation", [1, 6])
def test_heic_is_upright_with_its_metadata(tmp_path, heif, orientation):
    exif = b"Exif\0\0" + exif_bytes(orientation)
    path = heic(heif, tmp_path / "a.heic", smooth(), exif=exif, xmp=b"<x/>")
    got, want = read_image_file(path), TURNS[orientation](smooth())
    np.testing.assert_allclose(got.pixels.astype(int), want, atol=2)
    assert image_size(path) == want.shape[:2]
    assert (got.format, told(got.metadata.exif), got.metadata.xmp) == ("HEIC", TOLD, b"<x/>")


def test_deep_heic_becomes_16_bits(tmp_path, heif):
    got = read_image(heic(heif, tmp_path / "a.heic", smooth().astype(np.uint16) * 257))
    assert got.dtype == np.uint16
    np.testing.assert_allclose(got / 65535, smooth() / 255, atol=3 / 1024)


def test_without_the_extra_heic_says_what_to_install(tmp_path, heif, monkeypatch):
    path, plain = heic(heif, tmp_path / "a.jpg", smooth()), builtins.__import__

    def without(name, *rest, **options):
        if name == "pillow_heif":
            raise ImportError("No module named 'pillow_heif'")
        return plain(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImageFileError, match=r"a\.jpg' is a HEIC picture.*pip install 'rainopt\[heif\]'"):
        read_image(path)


def test_heic_is_not_written():
    assert ".heic" in READABLE_SUFFIXES - WRITABLE_SUFFIXES
