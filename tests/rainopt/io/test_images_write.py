"""Files hold what arrays hold: they come back bit for bit, other libraries agree, and what does not fit is refused."""

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from rainopt.io import (
    ImageFileError,
    ImageFileExistsError,
    ImageMetadata,
    image_size,
    read_image,
    read_image_file,
    write_image,
)
from tests.support.image_files import KINDS, encoded, exif_bytes, picture, smooth, srgb

# Round trips

LOSSLESS = [
    *((suffix, bits, kind) for suffix in (".png", ".tiff") for bits in (8, 16) for kind in KINDS),
    *((".tif", 32, kind) for kind in KINDS),
    *((suffix, 8, kind) for suffix in (".bmp", ".webp") for kind in ("grey", "rgb")),
    (".webp", 8, "grey+alpha"),
    (".webp", 8, "rgba"),
]


@pytest.mark.parametrize(("suffix", "bits", "kind"), LOSSLESS)
def test_lossless_formats_return_every_bit(tmp_path, suffix, bits, kind):
    array, folder = picture(kind, bits), tmp_path / "Ordner ä"
    folder.mkdir()
    # Names are of any letters, str or Path.
    path = write_image(f"{folder}/Regen über 日本 noël{suffix.upper()}", array, bits=bits)
    assert [path] == list(folder.iterdir())
    got = read_image_file(str(path))
    assert got.format == {".png": "PNG", ".bmp": "BMP", ".webp": "WebP"}.get(suffix, "TIFF")
    assert image_size(path) == array.shape[:2]
    if suffix == ".webp" and "grey" in kind:
        # It has no grey.
        array = np.atleast_3d(array)[..., [0, 0, 0, *([1] if kind == "grey+alpha" else [])]]
    assert got.pixels.dtype == array.dtype
    np.testing.assert_array_equal(got.pixels, array)


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_near_and_keeps_full_chroma(tmp_path, channels):
    array = smooth(channels=channels)
    path = write_image(tmp_path / "a.jpg", array)
    got = read_image(path)
    assert got.shape == array.shape
    assert np.abs(got.astype(int) - array).max() <= 8
    (tmp_path / "b.jpg").write_bytes(encoded(".jpg", array, quality=95))
    with Image.open(path) as image, Image.open(tmp_path / "b.jpg") as usual:
        assert all(layer[1:3] == (1, 1) for layer in image.layer)
        assert image.quantization[0] == usual.quantization[0]


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (2, 3), (600, 700)])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sizes_at_the_edges(tmp_path, suffix, size):
    array = picture("rgb", 16, size)
    np.testing.assert_array_equal(read_image(write_image(tmp_path / f"a{suffix}", array)), array)


def by_opencv(path):
    got = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return got if got.ndim == 2 else got[..., [2, 1, 0, 3][: got.shape[2]]]


def by_pillow(path):
    with Image.open(path) as image:
        image.verify()
    with Image.open(path) as image:
        return np.asarray(image)


def by_tifffile(path):
    with tifffile.TiffFile(path) as tiff:
        assert len(tiff.pages) == 1
        return tiff.pages[0].asarray()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("suffix", "bits", "read"),
    [
        (".png", 8, by_opencv),
        (".png", 16, by_opencv),
        (".png", 8, by_pillow),
        (".tif", 8, by_pillow),
        (".tif", 8, by_tifffile),
        (".tif", 16, by_tifffile),
        (".tif", 32, by_tifffile),
    ],
)
def test_other_libraries_read_the_same(tmp_path, kind, suffix, bits, read):
    array = picture(kind, bits)
    metadata = ImageMetadata(srgb() if "rgb" in kind else None, exif_bytes())
    path = write_image(tmp_path / f"a{suffix}", array, bits=bits, metadata=metadata)
    if read is by_opencv and kind == "grey+alpha":
        array = array[..., [0, 0, 0, 1]]  # it repeats the grey
    np.testing.assert_array_equal(read(path), array)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("bits", [8, 16])
def test_floats_are_rounded_to_the_nearest_level(tmp_path, dtype, bits):
    array = np.linspace(0, 1, 999).reshape(27, 37).astype(dtype)
    got = read_image(write_image(tmp_path / "a.png", array, bits=bits))
    np.testing.assert_array_equal(got, np.rint(array.astype(np.float64) * (2**bits - 1)))
    # And so every level survives floats.
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
    views = (array[::2, ::-1], array.swapaxes(0, 1), array[..., ::-1], array.astype(">u2"), np.asfortranarray(array))
    for odd in views:
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


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_what_goes_wrong_is_named_after_the_file_and_leaves_the_old_one(tmp_path, monkeypatch, suffix):
    import imageio.v3 as iio

    def broken(*_, **__):
        raise ValueError("broken")

    path = write_image(tmp_path / f"a{suffix}", picture())
    with pytest.raises(ImageFileExistsError, match=rf"a\{suffix}' exists already") as caught:
        write_image(path, picture(seed=1), overwrite=False)
    assert isinstance(caught.value, FileExistsError)
    monkeypatch.setattr(iio, "imwrite", broken)
    monkeypatch.setattr(iio, "imopen", broken)
    with pytest.raises(ImageFileError, match=rf"a\{suffix}' cannot be written \(broken\)"):
        write_image(path, picture(seed=1))
    np.testing.assert_array_equal(read_image(path), picture())
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
