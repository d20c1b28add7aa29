"""What other programs wrote is read as it is meant: value for value, upright, with palettes and inks as colours."""

import struct

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from rainopt.io import ImageFileError, image_size, read_image, read_image_file, write_image
from tests.support.image_files import (
    KINDS,
    ORIENTATION,
    PNG_COLOURS,
    TURNS,
    chunk,
    encoded,
    exif_bytes,
    picture,
    plain_png,
    saved,
    smooth,
    srgb,
)

# Values


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bits", [8, 16])
def test_png_made_by_the_specification(tmp_path, kind, bits):
    array = picture(kind, bits)
    # Neither gamma nor rendering intent is to change the values.
    for extra in ([], [chunk(b"gAMA", struct.pack(">I", 100_000))], [chunk(b"sRGB", b"\0")]):
        (tmp_path / "a.png").write_bytes(plain_png(array, bits, PNG_COLOURS[kind], *extra))
        np.testing.assert_array_equal(read_image(tmp_path / "a.png"), array)


LAYOUTS = ({}, {"byteorder": ">"}, {"planarconfig": "separate"}, {"tile": (16, 16)})


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize(
    ("kind", "options"),
    # One channel has no planes.
    [(kind, options) for kind in KINDS for options in LAYOUTS if kind != "grey" or "planarconfig" not in options],
)
def test_tiff_written_by_tifffile(tmp_path, kind, options, bits):
    array = picture(kind, bits)
    stored = np.moveaxis(array, -1, 0) if "planarconfig" in options else array
    options = {"planarconfig": "contig" if array.ndim == 3 else None, "compression": "zlib"} | options
    options["extrasamples"] = ["unassalpha"] if kind.endswith("a") else None
    options["photometric"] = "rgb" if "rgb" in kind else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", stored, **options)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), array)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", [1, 6])
def test_lzw_tiff(tmp_path, kind, orientation):
    array = picture(kind)
    saved(tmp_path / "a.tif", array, compression="tiff_lzw", tiffinfo={ORIENTATION: orientation})
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), TURNS[orientation](array))
    for bits in (16, 32):
        deep = picture("rgb", bits)
        _, data = cv2.imencode(".tif", deep[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5])
        (tmp_path / "b.tif").write_bytes(data.tobytes())
        np.testing.assert_array_equal(read_image(tmp_path / "b.tif"), deep)


def test_lossy_files_are_read_as_pillow_decodes_them(tmp_path):
    for suffix, channels in ((".jpg", 3), (".webp", 3), (".webp", 4)):
        path = saved(tmp_path / f"a{suffix}", smooth(channels=channels), quality=90)
        with Image.open(path) as image:
            np.testing.assert_allclose(read_image(path).astype(int), np.asarray(image).astype(int), atol=1)
    inside_tiff = read_image(saved(tmp_path / "a.tif", smooth(), compression="jpeg", quality=95))
    assert np.abs(inside_tiff.astype(int) - smooth()).max() <= 20


def test_bytes_and_not_the_suffix_say_what_a_file_is(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded(".jpg", smooth()))
    assert read_image_file(tmp_path / "a.png").format == "JPEG"


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize(("suffix", "big"), [(".jpg", 0), (".png", 1), (".webp", 0), (".tif", 0), (".tif", 1)])
def test_orientation_is_applied_and_reset(tmp_path, suffix, orientation, big):
    order = "<>"[(orientation + big) % 2]
    path, stored = tmp_path / f"a{suffix}", smooth((16, 24))
    if suffix == ".tif":
        tags = [(ORIENTATION, 3, 1, orientation, True)]
        tifffile.imwrite(path, stored, photometric="rgb", extratags=tags, byteorder=order)
    else:
        exif = b"Exif\0\0" + exif_bytes(orientation, order=order)
        saved(path, stored, exif=exif, **({"lossless": True} if suffix == ".webp" else {"quality": 95}))
    if suffix == ".jpg":
        with Image.open(path) as image:
            stored = np.asarray(image)
    want = TURNS[orientation](stored)
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


@pytest.mark.parametrize("kind", KINDS)
def test_orientation_at_16_bits(tmp_path, kind):
    array = picture(kind, 16)
    # One that is out of range is upright.
    for orientation, turned in [*TURNS.items(), (9, TURNS[1])]:
        data = plain_png(array, 16, PNG_COLOURS[kind], chunk(b"eXIf", exif_bytes(orientation)))
        (tmp_path / "a.png").write_bytes(data)
        np.testing.assert_array_equal(read_image(tmp_path / "a.png"), turned(array))


def test_palettes_and_one_bit(tmp_path):
    array = smooth()
    image = Image.fromarray(array).quantize(17)
    bits = (array[..., 0] > 128) * np.uint8(255)
    for suffix in (".png", ".tif", ".bmp"):
        image.save(tmp_path / f"a{suffix}")
        np.testing.assert_array_equal(read_image(tmp_path / f"a{suffix}"), np.asarray(image.convert("RGB")))
    for suffix, options in ((".png", {}), (".tif", {}), (".tif", {"compression": "group4"}), (".bmp", {})):
        Image.fromarray(bits).convert("1").save(tmp_path / f"b{suffix}", **options)
        np.testing.assert_array_equal(read_image(tmp_path / f"b{suffix}"), bits)


def test_transparent_palette_entries_become_alpha(tmp_path):
    image = Image.fromarray(smooth()).quantize(8)
    index, opacity = np.asarray(image), [0, 77, 255, 255, 255, 255, 255, 255]
    image.save(tmp_path / "a.png", transparency=bytes(opacity))
    got = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(got[..., 3], np.array(opacity)[index])
    np.testing.assert_array_equal(got[..., :3][index > 0], np.asarray(image.convert("RGB"))[index > 0])


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", ["grey", "rgb"])
def test_transparent_colour_becomes_alpha(tmp_path, kind, bits):
    array = picture(kind, bits)
    array[3, 4] = array[0, 0]
    key = chunk(b"tRNS", np.atleast_1d(array[0, 0]).astype(">u2").tobytes())
    (tmp_path / "a.png").write_bytes(plain_png(array, bits, PNG_COLOURS[kind], key))
    got = read_image(tmp_path / "a.png")
    stacked = array[..., None] if kind == "grey" else array
    np.testing.assert_array_equal(got[..., :-1], stacked)
    np.testing.assert_array_equal(got[..., -1], np.where((stacked == stacked[0, 0]).all(-1), 0, 2**bits - 1))
    assert got.dtype == array.dtype


def test_small_greys_fill_the_range(tmp_path):
    array = np.arange(16, dtype=np.uint8).reshape(2, 8)
    rows = [bytes(a << 4 | b for a, b in row.reshape(-1, 2)) for row in array]
    (tmp_path / "a.png").write_bytes(plain_png(array, 4, 0, rows=rows))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), array * 17)
    key = chunk(b"tRNS", struct.pack(">H", 5))
    (tmp_path / "a.png").write_bytes(plain_png(array, 4, 0, key, rows=rows))
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
    half, little = (0.5, 0.25) if bits == 32 else (top // 2 + 1, 2)
    array[0, 0] = half, 0, little, half
    tifffile.imwrite(tmp_path / "b.tif", array, photometric="rgb", extrasamples=["assocalpha"])
    straight = little * top / half
    array[0, 0] = top, 0, straight if bits == 32 else round(straight), half
    np.testing.assert_allclose(read_image(tmp_path / "b.tif"), array, atol=1e-6)


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
