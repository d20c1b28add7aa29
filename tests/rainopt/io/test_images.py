"""Files hold what arrays hold: checked against explicit arrays and against libraries that did not write the file."""

import builtins
import io
import itertools
import logging
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageFile

from rainopt import io as rio
from rainopt.io import ImageFileError, ImageMetadata, image_size, read_image, read_image_file, write_image
from rainopt.io.images import metadata as _image_metadata
from rainopt.io.images import tiff as _image_tiff
from rainopt.io.images import write as _image_write

KINDS = {"grey": (), "grey+alpha": (2,), "rgb": (3,), "rgba": (4,)}
LOSSLESS = [(".png", 8), (".png", 16), (".tif", 8), (".tiff", 16), (".tif", 32)]
MAKE, ARTIST, ORIENTATION, EXIF_IFD, GPS_IFD, EXPOSURE, MAKER_NOTE = 271, 315, 274, 0x8769, 0x8825, 0x829A, 0x927C


def picture(kind="rgb", bits=8, size=(13, 21), seed=0):
    rng = np.random.default_rng(seed)
    shape = (*size, *KINDS[kind])
    if bits == 32:
        return rng.random(shape, dtype=np.float32)
    return rng.integers(0, 2**bits, shape, dtype=f"uint{bits}")


def smooth(size=(24, 40), channels=3):
    y, x = np.mgrid[: size[0], : size[1]]
    planes = [128 + 100 * np.sin(x / 9 + c) * np.cos(y / 11 - c) for c in range(channels)]
    return np.stack(planes, axis=-1).astype(np.uint8).squeeze()


def srgb():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif_bytes(orientation=None, artist="Å. Rain"):
    exif = Image.Exif()
    exif[MAKE] = "Maker"
    exif[ARTIST] = artist
    if orientation:
        exif[ORIENTATION] = orientation
    exif.get_ifd(EXIF_IFD).update({EXPOSURE: 0.01, MAKER_NOTE: b"secret of the maker"})
    exif.get_ifd(GPS_IFD).update({1: "N", 2: (47.0, 22.0, 30.0)})
    return exif.tobytes().removeprefix(b"Exif\0\0")


def parsed(data):
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + data)
    return exif


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def plain_png(array, depth, colour, *extra, bits_per_row=None):
    """A PNG file by the specification, without a filter."""
    height, width = array.shape[:2]
    rows = bits_per_row or [row.astype(">u2" if depth == 16 else "u1").tobytes() for row in array]
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + b"".join([chunk(b"IHDR", head), *extra, chunk(b"IDAT", body), chunk(b"IEND", b"")])


def saved(path, *args, **kwargs):
    path.write_bytes(encoded(path.suffix, *args, **kwargs))
    return path


def encoded(suffix, array, **kwargs):
    file = io.BytesIO()
    Image.fromarray(array).save(file, Image.registered_extensions()[suffix], **kwargs)
    return file.getvalue()


# Round trips


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("suffix", "bits"), LOSSLESS)
def test_lossless_formats_return_every_bit(tmp_path, suffix, bits, kind):
    array = picture(kind, bits)
    path = write_image(tmp_path / f"a{suffix}", array, bits=bits)
    got = read_image_file(path)
    assert got.pixels.dtype == array.dtype
    np.testing.assert_array_equal(got.pixels, array)
    assert image_size(path) == array.shape[:2]
    assert got.format == {"p": "PNG", "t": "TIFF"}[suffix[1]]


@pytest.mark.parametrize("kind", KINDS)
def test_webp_is_lossless_and_shows_grey_as_rgb(tmp_path, kind):
    array = picture(kind)
    got = read_image(write_image(tmp_path / "a.webp", array))
    grey = len(KINDS[kind]) == 0 or KINDS[kind] == (2,)
    colours = np.atleast_3d(array)[..., :1].repeat(3, axis=2) if grey else array[..., :3]
    np.testing.assert_array_equal(got[..., :3], colours)
    if "a" in kind.split("+")[-1] and kind != "grey" and kind != "rgb":
        np.testing.assert_array_equal(got[..., 3], array[..., -1])


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_near_and_keeps_full_chroma(tmp_path, channels):
    array = smooth(channels=channels)
    path = write_image(tmp_path / "a.jpg", array)
    got = read_image(path)
    assert got.shape == array.shape
    assert np.abs(got.astype(int) - array).max() <= 8
    with Image.open(path) as image:
        assert all(layer[1:3] == (1, 1) for layer in image.layer)
        assert image.quantization[0] == Image.open(io.BytesIO(encoded(".jpg", array, quality=95))).quantization[0]


@pytest.mark.parametrize("kind", ["grey", "rgb"])
def test_bmp_round_trip(tmp_path, kind):
    array = picture(kind)
    np.testing.assert_array_equal(read_image(write_image(tmp_path / "a.bmp", array)), array)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (2, 3), (600, 700)])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sizes_at_the_edges(tmp_path, suffix, size):
    array = picture("rgb", 16, size)
    np.testing.assert_array_equal(read_image(write_image(tmp_path / f"a{suffix}", array)), array)


# Other libraries agree


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bits", [8, 16])
def test_opencv_reads_the_png_written(tmp_path, kind, bits):
    array = picture(kind, bits)
    got = cv2.imread(str(write_image(tmp_path / "a.png", array)), cv2.IMREAD_UNCHANGED)
    if kind == "grey+alpha":
        got, array = got[..., [0, 3]], array
    elif kind != "grey":
        got = got[..., [2, 1, 0, 3][: array.shape[2]]]
    np.testing.assert_array_equal(got, array)


@pytest.mark.parametrize("kind", KINDS)
def test_pillow_reads_the_png_and_tiff_written(tmp_path, kind):
    array = picture(kind)
    for suffix in (".png", ".tif"):
        with Image.open(write_image(tmp_path / f"a{suffix}", array)) as image:
            np.testing.assert_array_equal(np.asarray(image), array)


def test_pillow_checks_the_16_bit_png_written(tmp_path):
    array = picture("grey", 16)
    with Image.open(write_image(tmp_path / "a.png", array)) as image:
        image.verify()
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), array)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bits", [8, 16, 32])
def test_tifffile_reads_the_tiff_written(tmp_path, kind, bits):
    array = picture(kind, bits)
    path = write_image(tmp_path / "a.tif", array, bits=bits, metadata=ImageMetadata(exif=exif_bytes()))
    with tifffile.TiffFile(path) as tiff:
        assert len(tiff.pages) == 1
        np.testing.assert_array_equal(tiff.pages[0].asarray(), array)


@pytest.mark.parametrize(("kind", "colour"), [("grey", 0), ("grey+alpha", 4), ("rgb", 2), ("rgba", 6)])
@pytest.mark.parametrize("bits", [8, 16])
def test_reads_png_made_by_the_specification(tmp_path, kind, colour, bits):
    array = picture(kind, bits)
    # Neither gamma nor rendering intent is to change the values.
    for extra in ([], [chunk(b"gAMA", struct.pack(">I", 100_000))], [chunk(b"sRGB", b"\0")]):
        (tmp_path / "a.png").write_bytes(plain_png(array, bits, colour, *extra))
        np.testing.assert_array_equal(read_image(tmp_path / "a.png"), array)


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (kind, options)
        for kind in KINDS
        for options in ({}, {"byteorder": ">"}, {"planarconfig": "separate"}, {"tile": (16, 16)})
        # One channel has no planes.
        if not (kind == "grey" and "planarconfig" in options)
    ],
)
def test_reads_tiff_written_by_tifffile(tmp_path, kind, bits, options):
    array = picture(kind, bits)
    planes = np.moveaxis(array, -1, 0) if "planarconfig" in options else array
    options = {"compression": "zlib"} | options
    extra = ["unassalpha"] if kind in ("grey+alpha", "rgba") else None
    photometric = "rgb" if "rgb" in kind else "minisblack"
    if kind == "grey+alpha" and "planarconfig" not in options:
        options["planarconfig"] = "contig"
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric=photometric, extrasamples=extra, **options)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), array)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", [1, 6])
def test_reads_lzw_tiff_at_8_bits(tmp_path, kind, orientation):
    array, exif = picture(kind), Image.Exif()
    exif[ORIENTATION] = orientation
    saved(tmp_path / "a.tif", array, compression="tiff_lzw", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), EXPECTED[orientation](array))


@pytest.mark.parametrize("bits", [16, 32])
def test_reads_lzw_tiff_at_more_bits(tmp_path, bits):
    array = picture("rgb", bits)
    _, data = cv2.imencode(".tif", array[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5])
    (tmp_path / "a.tif").write_bytes(data.tobytes())
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), array)


def test_reads_jpeg_inside_tiff(tmp_path):
    array = smooth()
    got = read_image(saved(tmp_path / "a.tif", array, compression="jpeg", quality=95))
    assert np.abs(got.astype(int) - array).max() <= 20


def test_reads_jpeg_and_webp_as_pillow_decodes_them(tmp_path):
    for suffix, array in itertools.product((".jpg", ".webp"), (smooth(), smooth(channels=4))):
        if suffix == ".webp" or array.shape[2] == 3:
            path = saved(tmp_path / f"a{suffix}", array, quality=90)
            with Image.open(path) as image:
                np.testing.assert_allclose(read_image(path).astype(int), np.asarray(image).astype(int), atol=1)


# Orientation

EXPECTED = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.swapaxes(a, 0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.swapaxes(np.rot90(a, 2), 0, 1),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", EXPECTED)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_orientation_is_applied_and_reset(tmp_path, suffix, orientation, order):
    array, exif = smooth((16, 24)), Image.Exif()
    exif.endian = order
    exif[ORIENTATION] = orientation
    exif[MAKE] = "Maker"
    path = tmp_path / f"a{suffix}"
    if suffix == ".tif":
        tags = [(ORIENTATION, 3, 1, orientation, True), (MAKE, 2, 6, "Maker", True)]
        tifffile.imwrite(path, array, photometric="rgb", extratags=tags, byteorder=order)
    else:
        saved(path, array, exif=exif, **({"lossless": True} if suffix == ".webp" else {"quality": 95}))
    stored = array
    if suffix == ".jpg":
        with Image.open(path) as image:
            stored = np.asarray(image)
    want = EXPECTED[orientation](stored)
    got = read_image_file(path)
    np.testing.assert_array_equal(got.pixels, want)
    assert got.pixels.flags.c_contiguous
    assert image_size(path) == want.shape[:2]
    # Whatever is written from it is upright for every reader, and read back without another turn.
    for target in (".png", ".tif", ".webp"):
        copy = write_image(tmp_path / f"copy{target}", got.pixels, metadata=got.metadata)
        np.testing.assert_array_equal(read_image(copy), want)
        with Image.open(copy) as image:
            assert image.getexif().get(ORIENTATION, 1) == 1
            assert image.getexif()[MAKE] == "Maker"


@pytest.mark.parametrize("kind", KINDS)
def test_orientation_at_16_bits(tmp_path, kind):
    array, colour = picture(kind, 16), dict(zip(KINDS, [0, 4, 2, 6], strict=True))[kind]
    for orientation, turned in EXPECTED.items():
        (tmp_path / "a.png").write_bytes(plain_png(array, 16, colour, chunk(b"eXIf", exif_bytes(orientation))))
        np.testing.assert_array_equal(read_image(tmp_path / "a.png"), turned(array))


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
    assert read_image_file(tmp_path / "a.jpg").metadata == ImageMetadata()


def test_orientation_out_of_range_is_upright(tmp_path):
    array = picture()
    (tmp_path / "a.png").write_bytes(plain_png(array, 8, 2, chunk(b"eXIf", exif_bytes(9))))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), array)


# Profile, EXIF data, resolution


@pytest.mark.parametrize(("suffix", "bits"), [*LOSSLESS, (".jpg", 8), (".webp", 8)])
@pytest.mark.parametrize("kind", ["grey", "rgb"])
def test_metadata_round_trip(tmp_path, suffix, bits, kind):
    icc = srgb() if kind == "rgb" or suffix == ".webp" else None
    meta = ImageMetadata(icc, exif_bytes(6), (300.0, 150.0))
    path = write_image(tmp_path / f"a{suffix}", picture(kind, bits), metadata=meta, bits=bits)
    got = read_image_file(
        write_image(tmp_path / f"b{suffix}", picture(kind, bits), bits=bits, metadata=read_image_file(path).metadata)
    )
    assert got.metadata.icc == icc
    assert got.metadata.resolution == (None if suffix == ".webp" else pytest.approx((300, 150), abs=0.1))
    exif = parsed(got.metadata.exif)
    assert exif[MAKE] == "Maker"
    assert exif.get(ORIENTATION, 1) == 1
    assert float(exif.get_ifd(EXIF_IFD)[EXPOSURE]) == pytest.approx(0.01)
    assert exif.get_ifd(EXIF_IFD)[MAKER_NOTE] == b"secret of the maker"
    assert [float(v) for v in exif.get_ifd(GPS_IFD)[2]] == [47, 22, 30]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_pillow_finds_the_metadata_written(tmp_path, suffix):
    meta = ImageMetadata(srgb(), exif_bytes(), (300.0, 300.0))
    path = write_image(tmp_path / f"a{suffix}", smooth(), metadata=meta)
    with Image.open(path) as image:
        image.load()
        assert image.info["icc_profile"] == meta.icc
        assert image.getexif()[MAKE] == "Maker"
        assert float(image.getexif().get_ifd(EXIF_IFD)[EXPOSURE]) == pytest.approx(0.01)
        assert float(image.getexif().get_ifd(GPS_IFD)[2][1]) == 22


@pytest.mark.parametrize("source", [".png", ".jpg", ".webp", ".tif"])
def test_metadata_written_by_pillow_is_found(tmp_path, source):
    options = {"icc_profile": srgb(), "exif": b"Exif\0\0" + exif_bytes()}
    if source == ".tif":
        options["exif"] = parsed(exif_bytes())
    got = read_image_file(saved(tmp_path / f"a{source}", smooth(), **options)).metadata
    assert got.icc == options["icc_profile"]
    assert parsed(got.exif)[MAKE] == "Maker"
    assert float(parsed(got.exif).get_ifd(GPS_IFD)[2][1]) == 22


def test_pillow_and_opencv_accept_metadata_in_16_bit_png(tmp_path):
    meta, array = ImageMetadata(srgb(), exif_bytes(), (72.0, 72.0)), picture("rgb", 16)
    path = write_image(tmp_path / "a.png", array, metadata=meta)
    with Image.open(path) as image:  # which checks the sums
        image.load()
        assert image.info["icc_profile"] == meta.icc
        assert image.info["exif"].removeprefix(b"Exif\0\0") == meta.exif
        assert image.info["dpi"] == pytest.approx((72, 72), abs=0.1)
    np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., ::-1], array)


def test_big_tiff_holds_the_same_tags(tmp_path, monkeypatch):
    monkeypatch.setattr(_image_tiff, "_CLASSIC_BYTES", 0)
    array = picture("rgb", 16)
    path = write_image(tmp_path / "a.tif", array, metadata=ImageMetadata(srgb(), exif_bytes()))
    got = read_image_file(path)
    np.testing.assert_array_equal(got.pixels, array)
    assert parsed(got.metadata.exif).get_ifd(EXIF_IFD)[MAKER_NOTE] == b"secret of the maker"
    with tifffile.TiffFile(path) as tiff:
        assert tiff.is_bigtiff
        assert tiff.pages[0].tags["ExifTag"].value["ExposureTime"] == pytest.approx(0.01)


def test_embedded_thumbnail_is_dropped(tmp_path):
    exif = Image.Exif()
    exif[MAKE] = "Maker"
    head = bytearray(exif.tobytes()[6:])
    (count,) = struct.unpack_from("<H" if head[:2] == b"II" else ">H", head, 8)
    order = "<" if head[:2] == b"II" else ">"
    struct.pack_into(order + "I", head, 10 + 12 * count, len(head))
    thumbnail = encoded(".jpg", smooth((8, 8)))
    start = len(head) + 2 + 24 + 4
    head += struct.pack(order + "HHHIIHHIII", 2, 0x201, 4, 1, start, 0x202, 4, 1, len(thumbnail), 0) + thumbnail
    for tail in (b"", b"more"):
        saved(tmp_path / "a.jpg", smooth(), exif=b"Exif\0\0" + bytes(head) + tail)
        got = read_image_file(tmp_path / "a.jpg").metadata.exif
        assert thumbnail in bytes(head)
        assert thumbnail not in got
        assert parsed(got)[MAKE] == "Maker"
        assert not parsed(got).get_ifd(1)


def test_resolution_follows_the_turn(tmp_path):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    for suffix in (".png", ".jpg"):
        path = saved(tmp_path / f"a{suffix}", smooth(), exif=exif, dpi=(300, 150))
        assert read_image_file(path).metadata.resolution == pytest.approx((150, 300), abs=0.1)


def test_profile_of_other_pixels_is_left_out(tmp_path, caplog):
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


# Kinds of pixels that are brought to others


def test_palettes_and_one_bit(tmp_path):
    array = smooth()
    image = Image.fromarray(array).quantize(17)
    image.save(tmp_path / "a.png")
    image.save(tmp_path / "a.tif")
    image.save(tmp_path / "a.bmp")
    want = np.asarray(image.convert("RGB"))
    for suffix in (".png", ".tif", ".bmp"):
        np.testing.assert_array_equal(read_image(tmp_path / f"a{suffix}"), want)
    bits = (array[..., 0] > 128) * np.uint8(255)
    for suffix, options in ((".png", {}), (".tif", {}), (".tif", {"compression": "group4"}), (".bmp", {})):
        Image.fromarray(bits).convert("1").save(tmp_path / f"b{suffix}", **options)
        np.testing.assert_array_equal(read_image(tmp_path / f"b{suffix}"), bits)


def test_transparent_palette_entries_become_alpha(tmp_path):
    image = Image.fromarray(smooth()).quantize(8)
    index = np.asarray(image)
    image.save(tmp_path / "a.png", transparency=bytes([0, 77, 255, 255, 255, 255, 255, 255]))
    got = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(got[..., 3], np.array([0, 77, 255, 255, 255, 255, 255, 255])[index])
    np.testing.assert_array_equal(got[..., :3][index > 0], np.asarray(image.convert("RGB"))[index > 0])


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(("kind", "colour"), [("grey", 0), ("rgb", 2)])
def test_transparent_colour_becomes_alpha(tmp_path, kind, colour, bits):
    array = picture(kind, bits)
    array[3, 4] = array[0, 0]
    key = chunk(b"tRNS", np.atleast_1d(array[0, 0]).astype(">u2").tobytes())
    (tmp_path / "a.png").write_bytes(plain_png(array, bits, colour, key))
    got = read_image(tmp_path / "a.png")
    stacked = array[..., None] if kind == "grey" else array
    np.testing.assert_array_equal(got[..., :-1], stacked)
    alpha = np.where((stacked == stacked[0, 0]).all(-1), 0, 2**bits - 1)
    np.testing.assert_array_equal(got[..., -1], alpha)
    assert got.dtype == array.dtype


def test_small_greys_fill_the_range(tmp_path):
    array = np.arange(16, dtype=np.uint8).reshape(2, 8)
    rows = [bytes(a << 4 | b for a, b in row.reshape(-1, 2)) for row in array]
    key = chunk(b"tRNS", struct.pack(">H", 5))
    (tmp_path / "a.png").write_bytes(plain_png(array, 4, 0, bits_per_row=rows))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), array * 17)
    (tmp_path / "a.png").write_bytes(plain_png(array, 4, 0, key, bits_per_row=rows))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[..., 1], np.where(array == 5, 0, 255))


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_becomes_rgb_without_the_profile_of_the_inks(tmp_path, suffix):
    rgb = smooth()
    options = {"quality": 98} if suffix == ".jpg" else {}
    Image.fromarray(rgb).convert("CMYK").save(tmp_path / f"a{suffix}", icc_profile=srgb(), **options)
    got = read_image_file(tmp_path / f"a{suffix}")
    assert np.abs(got.pixels.astype(int) - rgb).max() <= 12
    assert got.metadata.icc is None


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_tiff_with_white_at_zero_and_with_multiplied_alpha(tmp_path, bits):
    array = picture("grey", bits)
    top = 1 if bits == 32 else 2**bits - 1
    tifffile.imwrite(tmp_path / "a.tif", (top - array).astype(array.dtype), photometric="miniswhite")
    np.testing.assert_allclose(read_image(tmp_path / "a.tif"), array, atol=1e-6)
    # Opaque or clear pixels lose nothing by the multiplication.
    array = picture("rgba", bits)
    array[..., 3] = np.where(array[..., 3] > top / 2, top, 0)
    array[..., :3][array[..., 3] == 0] = 0
    array[0, 0] = np.array([1, 0.5, 0, 0.5] if top == 1 else [top // 2 + 1, 0, 2, top // 2 + 1])
    want = array.copy()
    if top == 1:
        array[0, 0] = [0.5, 0.25, 0, 0.5]
        want[0, 0] = [1, 0.5, 0, 0.5]
    else:
        want[0, 0] = [top, 0, round(2 * top / (top // 2 + 1)), top // 2 + 1]
    tifffile.imwrite(tmp_path / "b.tif", array, photometric="rgb", extrasamples=["assocalpha"])
    np.testing.assert_allclose(read_image(tmp_path / "b.tif"), want, atol=1e-6)


def test_several_pictures_are_refused_and_thumbnails_are_not_pictures(tmp_path):
    frames = [Image.fromarray(picture(seed=n)) for n in range(3)]
    for suffix in (".png", ".webp", ".tif"):
        frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:])
        with pytest.raises(ImageFileError, match=f"a{suffix}' holds 3 pictures"):
            read_image(tmp_path / f"a{suffix}")
    with tifffile.TiffWriter(tmp_path / "b.tif") as tiff:
        tiff.write(picture(size=(4, 5)), photometric="rgb", subfiletype=1)
        tiff.write(picture(), photometric="rgb")
    np.testing.assert_array_equal(read_image(tmp_path / "b.tif"), picture())


def test_first_picture_of_a_camera_jpeg(tmp_path):
    frames = [Image.fromarray(np.full((8, 8, 3), value, np.uint8)) for value in (50, 200)]
    frames[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=frames[1:])
    np.testing.assert_allclose(read_image(tmp_path / "a.jpg"), 50, atol=1)


# Names


@pytest.mark.parametrize("name", ["Regen über Zürich.png", "雨 の 写真.tif", "дождь.JPG", "a b.webp", "noël.PNG"])
@pytest.mark.parametrize("as_type", [str, Path])
def test_names_of_any_letters(tmp_path, name, as_type):
    (tmp_path / "Ordner ä").mkdir()
    path = as_type(tmp_path / "Ordner ä" / name)
    assert write_image(path, smooth()) == Path(path)
    assert image_size(path) == smooth().shape[:2]
    assert read_image(path).shape == smooth().shape


def test_bytes_and_not_the_suffix_say_what_a_file_is(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded(".jpg", smooth()))
    assert read_image_file(tmp_path / "a.png").format == "JPEG"


# Arrays to levels


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("bits", [8, 16])
def test_floats_are_rounded_to_the_nearest_level(tmp_path, dtype, bits):
    array = np.linspace(0, 1, 999).reshape(27, 37).astype(dtype)
    got = read_image(write_image(tmp_path / "a.png", array, bits=bits))
    np.testing.assert_array_equal(got, np.rint(array.astype(np.float64) * (2**bits - 1)))


def test_every_level_survives_floats(tmp_path):
    for bits in (8, 16):
        levels = np.arange(2**bits, dtype=f"uint{bits}").reshape(-1, 64)
        array = levels.astype(np.float32) / np.float32(2**bits - 1)
        np.testing.assert_array_equal(read_image(write_image(tmp_path / "a.png", array, bits=bits)), levels)


def test_depth_on_request(tmp_path):
    array = picture()
    np.testing.assert_array_equal(read_image(write_image(tmp_path / "a.png", array, bits=16)), array * np.uint16(257))
    back = read_image(write_image(tmp_path / "b.jpg", array[..., 0] * np.uint16(257), bits=8, quality=100))
    np.testing.assert_allclose(back.astype(int), array[..., 0], atol=3)
    got = read_image(write_image(tmp_path / "c.tif", array, bits=32))
    np.testing.assert_allclose(got, array / 255, atol=1e-7)


def test_arrays_in_any_memory_layout(tmp_path):
    array = picture("rgb", 16)
    for odd in (
        array[::2, ::-1],
        array.swapaxes(0, 1),
        array[..., ::-1],
        array.astype(">u2"),
        np.asfortranarray(array),
    ):
        for suffix in (".png", ".tif"):
            np.testing.assert_array_equal(read_image(write_image(tmp_path / f"a{suffix}", odd)), odd)
        np.testing.assert_array_equal(read_image(write_image(tmp_path / "a.webp", odd, bits=8)), np.rint(odd / 257))
    one = picture("grey")[..., None]
    np.testing.assert_array_equal(read_image(write_image(tmp_path / "a.png", one)), one[..., 0])


@pytest.mark.parametrize(
    ("name", "array", "options", "says"),
    [
        ("a.gif", picture(), {}, "suffix '.gif'"),
        ("a", picture(), {}, "suffix ''"),
        ("a.jpg", picture("rgb", 16), {}, "JPEG holds 8 bits, not 16"),
        ("a.webp", picture("rgb", 16), {}, "WebP holds 8 bits, not 16"),
        ("a.png", picture("rgb", 32), {"bits": 32}, "write .tif"),
        ("a.png", picture(), {"bits": 12}, "`bits` must be"),
        ("a.jpg", picture("rgba"), {}, "no alpha channel"),
        ("a.jpg", picture("grey+alpha"), {}, "no alpha channel"),
        ("a.png", np.zeros((2, 2, 5), np.uint8), {}, r"got shape \(2, 2, 5\)"),
        ("a.png", np.zeros(3, np.uint8), {}, r"got shape \(3,\)"),
        ("a.png", np.zeros((1, 4, 4, 3), np.uint8), {}, "got shape"),
        ("a.png", np.zeros((0, 4), np.uint8), {}, "not empty"),
        ("a.png", np.zeros((4, 4), np.int64), {}, "got int64"),
        ("a.png", np.zeros((4, 4), bool), {}, "got bool"),
        ("a.png", np.full((4, 4), np.nan), {}, "NaN"),
        ("a.png", np.full((4, 4), np.inf), {}, "infinite"),
        ("a.png", np.full((4, 4), 255.0), {}, r"\[255, 255\]"),
        ("a.png", np.full((4, 4), -0.1), {}, r"\[-0.1, -0.1\]"),
        ("a.jpg", picture(), {"quality": 0}, "`quality`"),
        ("a.webp", np.zeros((1, 16_384), np.uint8), {}, "sides of 16,383"),
        ("none/a.png", picture(), {}, "create it first"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, name, array, options, says):
    with pytest.raises(ImageFileError, match=says) as caught:
        write_image(tmp_path / name, array, **options)
    assert str(tmp_path / name) in str(caught.value)
    assert list(tmp_path.iterdir()) == []


# Whole or not at all


def test_existing_file_stays_without_overwrite(tmp_path):
    path = write_image(tmp_path / "a.png", picture())
    with pytest.raises(FileExistsError, match=r"a\.png' exists already") as caught:
        write_image(path, picture(seed=1), overwrite=False)
    assert isinstance(caught.value, ImageFileError)
    np.testing.assert_array_equal(read_image(path), picture())
    write_image(path, picture(seed=1))
    np.testing.assert_array_equal(read_image(path), picture(seed=1))
    write_image(tmp_path / "new.png", picture(), overwrite=False)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "new.png"]


@pytest.mark.parametrize("failing", ["encoder", "midway", "rename", "interrupt"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_failure_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, failing, suffix):
    path = write_image(tmp_path / f"a{suffix}", picture())

    def midway(file, *_):
        file.write(b"half a picture")
        raise KeyboardInterrupt if failing == "interrupt" else OSError(28, "No space left on device")

    def broken(*_, **__):
        raise ValueError("broken")

    if failing == "encoder":
        import imageio.v3 as iio

        monkeypatch.setattr(iio, "imwrite", broken)
        monkeypatch.setattr(iio, "imopen", broken)
    elif failing == "rename":
        monkeypatch.setattr(os, "replace", broken)
    else:
        monkeypatch.setattr("rainopt.io.images.files.encode", midway)
    error = KeyboardInterrupt if failing == "interrupt" else ImageFileError
    with pytest.raises(error) as caught:
        write_image(path, picture(seed=1))
    if failing != "interrupt":
        assert str(path) in str(caught.value)
    if failing == "midway":
        assert "No space left" in str(caught.value)
    np.testing.assert_array_equal(read_image(path), picture())
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_folder_that_may_not_be_written(tmp_path, monkeypatch):
    real = builtins.open

    def refusing(name, mode="r", *args, **kwargs):
        if "x" in mode:
            raise PermissionError(13, "Permission denied")
        return real(name, mode, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", refusing)
    with pytest.raises(ImageFileError, match=r"a\.png' cannot be written \(Permission denied\)"):
        write_image(tmp_path / "a.png", picture())


def test_folder_in_place_of_a_file_and_links(tmp_path):
    (tmp_path / "d.png").mkdir()
    with pytest.raises(ImageFileError, match="a folder has that name"):
        write_image(tmp_path / "d.png", picture())
    (tmp_path / "link.png").symlink_to(tmp_path / "target.png")
    write_image(tmp_path / "link.png", picture())
    assert (tmp_path / "link.png").is_symlink()
    np.testing.assert_array_equal(read_image(tmp_path / "target.png"), picture())


# Bad files


def test_missing_folder_empty_and_foreign_files(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("not a picture at all")
    (tmp_path / "short.jpg").write_bytes(b"\xff\xd8\xff")
    for name, says in [
        ("missing.png", "does not exist"),
        ("", "is a folder"),
        ("empty.png", "is empty"),
        ("text.jpg", "is not a PNG, JPEG, TIFF, WebP or BMP image"),
        ("short.jpg", "truncated or damaged"),
    ]:
        for function in (read_image, image_size):
            with pytest.raises(ImageFileError, match=says) as caught:
                function(tmp_path / name)
            assert str(tmp_path / name) in str(caught.value)
    assert issubclass(ImageFileError, OSError)
    assert issubclass(ImageFileError, ValueError)


def test_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = write_image(tmp_path / "a.png", picture())

    def refusing(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(builtins, "open", refusing)
    with pytest.raises(ImageFileError, match=r"a\.png' may not be read"):
        read_image(path)


TRUNCATED = [
    (".png", 8, {}),
    (".png", 16, {}),
    (".jpg", 8, {}),
    (".jpg", 8, {"progressive": True}),
    (".webp", 8, {}),
    (".webp", 8, {"lossless": True}),
    (".tif", 8, {}),
    (".tif", 8, {"compression": "tiff_lzw"}),
    (".tif", 16, {}),
    (".bmp", 8, {}),
]


@pytest.mark.parametrize(("suffix", "bits", "options"), TRUNCATED)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.95, -40])
def test_truncated_files_are_errors(tmp_path, suffix, bits, options, share):
    path = tmp_path / f"a{suffix}"
    if bits == 16:
        write_image(path, picture("rgb", 16, (60, 80)), metadata=ImageMetadata(srgb()))
    else:
        saved(path, picture(size=(60, 80)), **options)
    data = path.read_bytes()
    path.write_bytes(data[: share if share < 0 else int(len(data) * share)])
    with pytest.raises(ImageFileError, match=r"truncated|damaged"):
        read_image(path)


def test_tiff_cut_behind_its_pixels_loses_exif_data_only(tmp_path):
    path = write_image(tmp_path / "a.tif", picture(), metadata=ImageMetadata(exif=exif_bytes()))
    path.write_bytes(path.read_bytes()[:-20])
    got = read_image_file(path)
    np.testing.assert_array_equal(got.pixels, picture())
    assert got.metadata.exif is None


@pytest.mark.parametrize("bits", [8, 16])
def test_damaged_bytes_in_png_are_an_error(tmp_path, bits):
    path = write_image(tmp_path / "a.png", picture("rgb", bits, (60, 80)))
    data = bytearray(path.read_bytes())
    for at in (len(data) // 2, 20):  # in the pixels, and in the header
        broken = data.copy()
        broken[at] ^= 0x55
        path.write_bytes(broken)
        with pytest.raises(ImageFileError, match="damaged"):
            read_image(path)


def test_truncation_is_not_hidden_by_a_setting_of_pillow(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.jpg", smooth((60, 80)))
    path.write_bytes(path.read_bytes()[:-300])
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(ImageFileError, match="LOAD_TRUNCATED_IMAGES"):
        read_image(path)


@pytest.mark.parametrize(
    ("value", "says"), [(np.nan, "NaN or infinite"), (np.inf, "infinite"), (1.5, r"\[0, 1\.5\]"), (-2, r"\[-2, 0\]")]
)
def test_floats_that_are_no_picture(tmp_path, value, says):
    array = np.zeros((5, 6), np.float32)
    array[2, 3] = value
    tifffile.imwrite(tmp_path / "a.tif", array)
    with pytest.raises(ImageFileError, match=says):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("dtype", [np.int16, np.uint32, np.int8])
def test_samples_of_other_types_are_refused(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 6), dtype))
    with pytest.raises(ImageFileError, match=f"of type {np.dtype(dtype)}"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("code", [34712, 54321])
def test_unknown_compression_in_tiff_is_named(tmp_path, code):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, picture("rgb", 16), photometric="rgb", byteorder="<")
    with tifffile.TiffFile(path) as tiff:
        at = tiff.pages[0].tags["Compression"].valueoffset
    data = bytearray(path.read_bytes())
    struct.pack_into("<H", data, at, code)
    path.write_bytes(data)
    with pytest.raises(ImageFileError, match=r"save it uncompressed or with Deflate"):
        read_image(path)


# Large pictures


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".bmp"])
def test_pillows_limit_neither_applies_nor_changes(tmp_path, monkeypatch, suffix):
    options = {"compression": "tiff_lzw"} if suffix == ".tif" else {}
    for array in (smooth(), smooth(channels=4)):
        if array.shape[2] == 4 and suffix in (".jpg", ".bmp"):
            continue
        path = saved(tmp_path / f"a{suffix}", array, **options)
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
        assert read_image(path).shape == array.shape
        assert image_size(path) == array.shape[:2]
        assert write_image(tmp_path / f"b{suffix}", array).exists()
        assert Image.MAX_IMAGE_PIXELS == 10


def test_too_many_pixels_are_refused_before_decoding(tmp_path, monkeypatch):
    head = struct.pack(">IIBBBBB", 30_000, 20_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(data)
    for function in (read_image, image_size):
        with pytest.raises(ImageFileError, match="20000 x 30000 pixels, above the limit of 500,000,000"):
            function(tmp_path / "a.png")
    monkeypatch.setattr(_image_write, "MAX_PIXELS", 10)
    with pytest.raises(ImageFileError, match="cut it into parts"):
        write_image(tmp_path / "b.png", picture())
    assert _image_metadata.MAX_PIXELS == rio.MAX_PIXELS == 500_000_000


def test_import_is_cheap():
    code = "import sys, rainopt.io; print(sorted({'cv2', 'PIL', 'tifffile', 'imageio'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(rio.__file__).parents[2]
    )
    assert done.stdout.strip() == "[]"


def test_suffixes():
    assert {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"} <= rio.READABLE_SUFFIXES
