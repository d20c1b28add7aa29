"""Files that cannot be read are told by name, with what to do; no picture is made up for them."""

import builtins
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageFile

from rainopt.io import ImageFileError, ImageMetadata, image_size, read_image, write_image
from rainopt.io.images import write
from tests.support.image_files import chunk, picture, saved, smooth, srgb


def test_missing_folder_empty_and_foreign_files(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("not a picture at all")
    (tmp_path / "short.jpg").write_bytes(b"\xff\xd8\xff")
    for name, says in [
        ("missing.png", "does not exist"),
        ("", "is a folder"),
        ("empty.png", "is empty"),
        ("text.jpg", "is not a PNG, JPEG, TIFF, WebP, AVIF, HEIC, BMP or raw image"),
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
def test_truncated_files_are_errors(tmp_path, suffix, bits, options):
    path = tmp_path / f"a{suffix}"
    if bits == 16:
        write_image(path, picture("rgb", 16, (60, 80)), metadata=ImageMetadata(srgb()))
    else:
        saved(path, picture(size=(60, 80)), **options)
    data = path.read_bytes()
    for length in (*(int(len(data) * share) for share in (0.02, 0.3, 0.7, 0.95)), -40):
        path.write_bytes(data[:length])
        with pytest.raises(ImageFileError, match=r"truncated|damaged"):
            read_image(path)


@pytest.mark.parametrize("bits", [8, 16])
def test_damaged_bytes_in_png_are_an_error(tmp_path, bits):
    path = write_image(tmp_path / "a.png", picture("rgb", bits, (60, 80)))
    data = path.read_bytes()
    for at in (len(data) // 2, 20):  # in the pixels, and in the header
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        with pytest.raises(ImageFileError, match="damaged"):
            read_image(path)


def test_truncation_is_not_hidden_by_a_setting_of_pillow(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.bmp", smooth((60, 80)))
    path.write_bytes(path.read_bytes()[:-300])
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(ImageFileError, match="LOAD_TRUNCATED_IMAGES"):
        read_image(path)


@pytest.mark.parametrize(
    ("value", "dtype", "says"),
    [
        (np.nan, np.float32, "NaN or infinite"),
        (np.inf, np.float32, "infinite"),
        (1.5, np.float32, r"\[0, 1\.5\]"),
        (-2, np.float32, r"\[-2, 0\]"),
        *((0, dtype, f"of type {np.dtype(dtype)}") for dtype in (np.int16, np.uint32, np.int8)),
    ],
)
def test_samples_that_are_no_picture(tmp_path, value, dtype, says):
    array = np.zeros((5, 6), dtype)
    array[2, 3] = value
    tifffile.imwrite(tmp_path / "a.tif", array)
    with pytest.raises(ImageFileError, match=says):
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


@pytest.mark.parametrize(
    ("suffix", "channels"),
    [(".png", 3), (".png", 4), (".jpg", 3), (".tif", 3), (".tif", 4), (".webp", 3), (".webp", 4), (".bmp", 3)],
)
def test_pillows_limit_neither_applies_nor_changes(tmp_path, monkeypatch, suffix, channels):
    array, options = smooth(channels=channels), {"compression": "tiff_lzw"} if suffix == ".tif" else {}
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
    monkeypatch.setattr(write, "MAX_PIXELS", 10)
    with pytest.raises(ImageFileError, match="cut it into parts"):
        write_image(tmp_path / "b.png", picture())


def test_a_name_that_no_file_can_have(tmp_path):
    with pytest.raises(ImageFileError, match=r"is no name that a file can have \(embedded null byte\)"):
        read_image(f"{tmp_path}/a\0.png")


def test_a_tensor_that_is_yet_to_be_conjugated_is_no_picture(tmp_path, torch):
    values = torch.ones((8, 8), dtype=torch.complex64).conj()
    with pytest.raises(ImageFileError, match="`array` is no array of numpy's"):
        write_image(tmp_path / "a.png", values)
    assert list(tmp_path.iterdir()) == []
