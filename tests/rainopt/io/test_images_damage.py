"""Files that end early, promise what they do not hold, or are made to fill the memory: refused by name, soon."""

import os
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from rainopt.io import ImageFileError, image_size, read_image, read_image_file, write_image
from rainopt.io.images import jpeg, libtiff
from tests.support.disk import full_disk
from tests.support.image_files import chunk, encoded, picture, plain_png, saved, smooth

MIB = 1 << 20


def zeros(mebibytes):
    """Return so many mebibytes of zeros, packed to a thousandth."""
    packer = zlib.compressobj(9)
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(mebibytes)), packer.flush()])


# JPEG: data that end before the picture does

JPEGS = [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 0, "optimize": True}]


def noisy(kind="RGB"):
    """A picture whose data are spread over all its rows."""
    image = Image.fromarray(picture("rgb", size=(70, 90)))
    return np.asarray(image.convert("L")) if kind == "L" else np.asarray(image)


@pytest.mark.parametrize("options", JPEGS)
@pytest.mark.parametrize("kind", ["RGB", "L"])
def test_jpeg_cut_before_its_end_mark_is_an_error(tmp_path, options, kind):
    path = saved(tmp_path / "a.jpg", noisy(kind), **options)
    whole = path.read_bytes()
    with Image.open(path) as image:
        np.testing.assert_array_equal(read_image(path), np.asarray(image))
    start = whole.rindex(b"\xff\xda") + 14
    for length in (*range(start + 40, len(whole) - 40, (len(whole) - start) // 5), len(whole) - 100):
        path.write_bytes(whole[:length].removesuffix(b"\xff") + b"\xff\xd9")
        with pytest.raises(ImageFileError, match=r"a\.jpg' is truncated or damaged: its data end before its picture"):
            read_image(path)


def test_jpeg_of_inks_cut_before_its_end_mark_is_an_error(tmp_path):
    Image.fromarray(noisy()).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert read_image(tmp_path / "a.jpg").shape == (70, 90, 3)
    (tmp_path / "a.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:-500] + b"\xff\xd9")
    with pytest.raises(ImageFileError, match="data end before"):
        read_image(tmp_path / "a.jpg")


@pytest.mark.parametrize("number", [0, 1])
def test_jpeg_whose_last_row_is_of_the_colour_that_stands_for_no_data(tmp_path, monkeypatch, number):
    path = saved(tmp_path / "a.jpg", smooth(), quality=95)
    want = read_image(path)
    want[-1] = want[-1, 0]
    path = saved(path, want, quality=100, subsampling=0)
    want = read_image(path)
    sentinels = [(0, 0, 0, 0), (9, 9, 9, 9)]
    sentinels[number] = (*map(int, want[-1, 0]), 0)
    monkeypatch.setattr(jpeg, "_SENTINELS", tuple(sentinels))
    np.testing.assert_array_equal(read_image(path), want)


def test_jpeg_of_endless_scans_is_refused(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.jpg", smooth(), progressive=True)
    monkeypatch.setattr(jpeg, "_MAX_WORK", 24 * 40 * 5)
    with pytest.raises(ImageFileError, match=r"in \d+ scans, which would take minutes"):
        read_image(path)


# PNG: the decoder's own lines name no file


def rows(array, *, filters=0):
    return b"".join(bytes([filters]) + row.tobytes() for row in array)


DAMAGES = {
    "rows are missing": lambda a: zlib.compress(rows(a[:-1])),
    "holds damaged PNG data": lambda a: zlib.compress(rows(a, filters=9)),
    "incorrect data check": lambda a: zlib.compress(rows(a))[:-4] + bytes(4),
    "invalid": lambda a: b"\x78\x9c" + b"\xff" * 100,
}


@pytest.mark.parametrize("says", DAMAGES)
def test_unsound_png_data_are_told_by_us_alone(tmp_path, capfd, says):
    array = picture()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 21, 13, 8, 2, 0, 0, 0))
    parts = [b"\x89PNG\r\n\x1a\n", head, chunk(b"IDAT", DAMAGES[says](array)), chunk(b"IEND", b"")]
    (tmp_path / "a.png").write_bytes(b"".join(parts))
    with pytest.raises(ImageFileError, match=says) as caught:
        read_image(tmp_path / "a.png")
    assert "a.png'" in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("extra", [b"x", b"x" * 1000, bytes(100_000)])
def test_more_png_data_than_promised_do_no_harm(tmp_path, capfd, extra):
    array = picture()
    packed = zlib.compress(rows(array) + extra)
    parts = [
        chunk(b"IHDR", struct.pack(">IIBBBBB", 21, 13, 8, 2, 0, 0, 0)),
        *(chunk(b"IDAT", packed[k : k + 99]) for k in range(0, len(packed), 99)),
    ]
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b""))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), array)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("size", [(13, 21), (1, 1), (3, 9), (8, 8)])
def test_interlaced_png(tmp_path, size):
    import cv2

    array = picture(size=size)
    # Adam7 by hand: no writer at hand makes such files.
    data = b""
    for top, left, down, right in (
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ):
        part = array[top::down, left::right]
        data += rows(part) if part.size else b""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", size[1], size[0], 8, 2, 0, 0, 1))
    (tmp_path / "a.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    )
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), array)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "a.png"))[..., ::-1], array)


# Files made to fill the memory


def tiff_bytes(tags, data, link=0):
    body = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + body + struct.pack("<I", link) + data


def grey_tiff(width, height, compression, data, *more, link=0):
    place = 8 + 2 + 12 * (9 + len(more)) + 4
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, compression), (262, 3, 1, 1)]
    tags += [(273, 4, 1, place), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, len(data)), *more]
    return tiff_bytes(tags, data, link)


def sharing(count, size, base=0):
    """Return EXIF data whose tags all claim the same bytes, in a directory of their own at ``base``."""
    body = b"".join(struct.pack("<HHII", 1000 + k, 7, size, base + 6 + 12 * count) for k in range(count))
    return struct.pack("<H", count) + body + bytes(4 + size)


def bombs():
    packed = zeros(300)
    exif = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x8769, 4, 1, 26, 0) + sharing(5000, MIB, 26)
    yield "self.tif", grey_tiff(8, 8, 1, bytes(64), link=8), "directories have no end"
    yield "deflate.tif", grey_tiff(8, 8, 8, packed), "more data than its header promises"
    yield "large.tif", grey_tiff(22_000, 22_000, 8, zlib.compress(b"")), "as only blank or made-up pictures do"
    place = 8 + 2 + 12 * 10 + 4
    data = bytes(64) + sharing(5000, MIB, place + 64)
    yield "exif.tif", grey_tiff(8, 8, 1, data, (0x8769, 4, 1, place + 64)), None
    array = picture()
    yield "profile.png", plain_png(array, 8, 2, chunk(b"iCCP", b"x\0\0" + packed)), None
    yield "text.png", plain_png(array, 8, 2, chunk(b"zTXt", b"x\0\0" + packed)), None
    yield "xmp.png", plain_png(array, 8, 2, chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + packed)), None
    yield "exif.png", plain_png(array, 8, 2, chunk(b"eXIf", exif)), None
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    yield "data.png", b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", packed) + chunk(b"IEND", b""), None
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 22_000, 22_000, 16, 6, 0, 0, 0))
    yield "large.png", b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", packed) + chunk(b"IEND", b""), "as only blank"
    large = bytearray(encoded(".jpg", smooth()))
    struct.pack_into(">HH", large, large.index(b"\xff\xc0") + 5, 22_000, 22_000)
    yield "large.jpg", bytes(large), "as only blank"
    yield "exif.webp", encoded(".webp", smooth(), exif=b"Exif\0\0" + exif), None


def test_bombs_are_refused_or_read_within_bounds(tmp_path):
    for name, data, says in bombs():
        (tmp_path / name).write_bytes(data)
        got, error = None, ""
        tracemalloc.start()
        try:
            got = read_image_file(tmp_path / name)
        except ImageFileError as refused:
            error = str(refused)
        # What was read is written too, wherever it goes.
        for suffix in (".tif", ".avif", ".jpg") if got else ():
            write_image(tmp_path / f"b{suffix}", got.pixels, metadata=got.metadata)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (says is None) == (got is not None), error
        assert got or (says in error and name in error)
        assert most < 300 * MIB, name
        (tmp_path / name).unlink()


def test_a_large_picture_with_something_on_it_is_read(tmp_path, monkeypatch):
    from rainopt.io.images import opening

    path = write_image(tmp_path / "a.png", picture())
    monkeypatch.setattr(opening, "_LARGE", 100)
    assert read_image(path).shape == (13, 21, 3)


def test_pipes_are_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    for function in (read_image, image_size):
        with pytest.raises(ImageFileError, match=r"a\.png' is a pipe or a device"):
            function(tmp_path / "a.png")


def test_tiff_that_nothing_at_hand_unpacks_says_what_to_do(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", picture("grey", 16), byteorder="<")
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        at = tiff.pages[0].tags["Compression"].valueoffset
    data = bytearray((tmp_path / "a.tif").read_bytes())
    struct.pack_into("<H", data, at, 50_000)  # Zstandard
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(ImageFileError, match=r"compression ZSTD.*Deflate.*pip install imagecodecs"):
        read_image(tmp_path / "a.tif")


def test_what_libtiff_says_of_damage_is_told_by_us_alone(tmp_path, capfd):
    bits = Image.fromarray(picture("grey") > 128)
    bits.save(tmp_path / "a.tif", compression="group4")
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[12:30] = bytes(18)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(ImageFileError, match=r"a\.tif' is damaged \(.*code word"):
        read_image(tmp_path / "a.tif")
    assert capfd.readouterr() == ("", "")


def test_what_others_print_while_a_tiff_is_decoded_is_not_swallowed(capfd):
    with libtiff.listening():
        os.write(2, b"75 % done\n")
    assert capfd.readouterr().err == "75 % done\n"


def test_a_damaged_profile_is_told(tmp_path):
    bad = chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(500))[:-8])
    (tmp_path / "a.png").write_bytes(plain_png(picture(), 8, 2, bad))
    assert read_image_file(tmp_path / "a.png").metadata.notes == ("without the colour profile, which is damaged",)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".avif", ".bmp"])
def test_a_full_disk_leaves_no_part_of_a_picture(tmp_path, rng, suffix):
    picture = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole = write_image(tmp_path / f"whole{suffix}", picture).stat().st_size
    for size in (0, whole // 2, whole - 1):
        with pytest.raises(ImageFileError, match="cannot be written"), full_disk(size):
            write_image(tmp_path / f"cut{suffix}", picture)
    assert [file.name for file in tmp_path.iterdir()] == [f"whole{suffix}"]
