"""Raw photographs are developed, whatever they are called; no preview is ever taken for the photograph."""

import builtins

import numpy as np
import pytest
import tifffile

from rainopt.io import ImageFileError, image_size, read_image_file, write_image
from rainopt.io.images.raw import is_raw
from tests.support.image_files import picture, smooth

rawpy = pytest.importorskip("rawpy")
SIZE = (48, 64)
MOSAIC = [(33421, 3, 2, (2, 2), True), (33422, 1, 4, bytes([0, 1, 1, 2]), True)]
DNG = (50706, 1, 4, bytes([1, 4, 0, 0]), True)


def mosaic():
    """What a sensor sees of a grey scene that is brighter on its right."""
    return np.tile(np.linspace(8_000, 40_000, SIZE[1]), (SIZE[0], 1)).astype(np.uint16)


def camera_file(path, *, preview=True, compression=None, dng=True, orientation=1):
    more = [DNG] if dng else []
    more += [(271, 2, 5, "Acme", True), (274, 3, 1, orientation, True)]
    with tifffile.TiffWriter(path) as tiff:
        if preview:
            tiff.write(smooth((12, 16)), photometric="rgb", subfiletype=1, subifds=1, metadata=None, extratags=more)
        tiff.write(
            mosaic(),
            photometric=32803,
            subfiletype=0,
            metadata=None,
            compression=compression,
            extratags=MOSAIC + ([] if preview else more),
        )
    return path


@pytest.mark.parametrize("name", ["a.dng", "a.tif", "a.png"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("preview", [True, False])
def test_the_mosaic_is_developed_and_not_the_preview_taken(tmp_path, name, compression, preview):
    path = camera_file(tmp_path / name, preview=preview, compression=compression)
    got = read_image_file(path)
    assert (got.format, got.pixels.shape, got.pixels.dtype) == ("RAW", (*SIZE, 3), np.uint16)
    assert image_size(path) == SIZE
    # Brighter to the right, all rows alike: the scene itself.
    columns = got.pixels[8:-8, 8:-8].mean(axis=(0, 2))
    assert np.corrcoef(columns, np.arange(columns.size))[0, 1] > 0.9
    assert got.metadata.icc is not None
    assert any("developed from raw data" in note for note in got.metadata.notes)


def test_both_ways_of_packing_come_out_the_same(tmp_path):
    plain, packed = (
        read_image_file(camera_file(tmp_path / f"{kind}.dng", compression=kind)).pixels for kind in (None, "zlib")
    )
    np.testing.assert_array_equal(plain, packed)


def test_a_developed_photograph_is_written_and_that_is_told(tmp_path, caplog):
    got = read_image_file(camera_file(tmp_path / "a.dng"))
    write_image(tmp_path / "b.tif", got.pixels, metadata=got.metadata)
    back = read_image_file(tmp_path / "b.tif")
    np.testing.assert_array_equal(back.pixels, got.pixels)
    assert back.format == "TIFF"
    assert b"Acme" in back.metadata.exif
    assert "b.tif' is written as developed from raw data" in caplog.text


@pytest.mark.parametrize(
    "head",
    [b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FUJIFILMCCD-RAW 0201", b"II*\0\x10\0\0\0CR\2\0", b"\0\0\0\x18ftypcrx "],
)
def test_raw_files_are_known_by_their_first_bytes(tmp_path, head):
    path = tmp_path / "a.png"
    path.write_bytes(head + bytes(200))
    with pytest.raises(ImageFileError, match=r"a\.png' is a raw photograph that LibRaw cannot develop"):
        read_image_file(path)


def test_mosaics_are_raw_without_a_version_too_and_pictures_are_not(tmp_path):
    for name, options in (("a.nef", {"dng": False}), ("b.arw", {"dng": False, "preview": False})):
        with open(camera_file(tmp_path / name, **options), "rb") as file:
            assert is_raw(file)
    tifffile.imwrite(tmp_path / "c.tif", picture(), photometric="rgb")
    with tifffile.TiffWriter(tmp_path / "d.tif") as tiff:  # a thumbnail and a picture
        tiff.write(picture(size=(4, 5)), photometric="rgb", subfiletype=1)
        tiff.write(picture(), photometric="rgb")
    with tifffile.TiffWriter(tmp_path / "e.tif") as tiff:  # a pyramid
        tiff.write(picture(), photometric="rgb", subifds=1)
        tiff.write(picture(size=(4, 5)), photometric="rgb", subfiletype=1)
    for name in ("c.tif", "d.tif", "e.tif"):
        with open(tmp_path / name, "rb") as file:
            assert not is_raw(file)
        np.testing.assert_array_equal(read_image_file(tmp_path / name).pixels, picture())


def test_without_the_extra_it_is_said_what_to_do(tmp_path, monkeypatch):
    path, plain = camera_file(tmp_path / "a.tif"), builtins.__import__

    def without(name, *rest, **options):
        if name == "rawpy":
            raise ImportError("No module named 'rawpy'")
        return plain(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImageFileError, match=r"a\.tif' is a raw photograph.*pip install 'rainopt\[raw\]'.*TIFF or PNG"):
        read_image_file(path)
