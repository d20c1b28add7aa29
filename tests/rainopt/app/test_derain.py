"""One photograph to its results, whatever derains it: what goes with the pixels is kept, and a bad file or disk leaves
nothing behind.
"""

import errno
import functools
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

import rainopt
from rainopt.app.compare import side_by_side
from rainopt.app.derain import Derained, DerainTask, photo_to_photo
from rainopt.app.results import OutputSettings
from rainopt.app.task import FileRecord
from tests.support import records
from tests.support.disk import full_disk
from tests.support.photos import SIZE, levels, rainy, save_photo

PLAIN, ALL = OutputSettings(), OutputSettings(save_rain=True, compare=True)


@dataclass(frozen=True)
class Record(FileRecord):
    height: int | None = None
    width: int | None = None
    rain: float | None = None
    seconds: float | None = None
    angle: float | None = None


def halved(pixels):
    """Take half of the light for rain, in the picture's own dtype."""
    rain = pixels.astype(np.float32).reshape(*pixels.shape[:2], -1)[..., 0] / 2
    full = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1
    return Derained((pixels / 2).astype(pixels.dtype), rain / np.float32(full), False, {"angle": 7.0})


def untouched(pixels):
    return Derained(pixels, np.zeros(pixels.shape[:2], np.float32), True, {})


def derain(source, target, output=PLAIN, work=halved):
    return photo_to_photo(source, target, output, work, Record)


done = functools.partial(records.done, derain)
refused = functools.partial(records.refused, derain)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def source(tmp_path):
    return save_photo(tmp_path / "in" / "a.png")


@pytest.mark.parametrize(
    ("suffix", "dtype", "channels"),
    [(".png", "uint8", 3), (".png", "uint16", 4), (".tif", "uint16", 1), (".tif", "float32", 3), (".webp", "uint8", 4)],
)
def test_depth_channels_and_size_are_kept_and_the_rain_layer_is_as_deep(tmp_path, suffix, dtype, channels):
    image = np.random.default_rng(5).random((*SIZE, channels)).squeeze()
    image = image.astype(dtype) if dtype == "float32" else levels(image, dtype)
    rainopt.write_image(tmp_path / f"a{suffix}", image, bits={"float32": 32, "uint16": 16}.get(dtype, 8))
    read = rainopt.read_image(tmp_path / f"a{suffix}")
    record = done(tmp_path / f"a{suffix}", tmp_path / "out" / f"b.c{suffix}", ALL)
    names = [f"b.c{suffix}", "b.c_rain.png", "b.c_compare.png"]
    assert sorted(contents(tmp_path / "out")) == sorted(names)
    result, rain, sheet = (rainopt.read_image(tmp_path / "out" / name) for name in names)
    assert (result.dtype, result.shape) == (read.dtype, read.shape)
    expected = halved(read)
    if suffix != ".webp":  # Pillow writes it with losses
        np.testing.assert_array_equal(result, expected.background)
    deep = np.uint8 if dtype == "uint8" else np.uint16
    np.testing.assert_array_equal(rain, levels(expected.rain.astype(float), deep))
    np.testing.assert_array_equal(sheet, side_by_side(read, expected.background, expected.rain))
    assert (record.height, record.width, record.angle) == (*SIZE, 7.0)
    assert record.rain == pytest.approx(expected.rain.mean())
    assert 0 < record.seconds < 60
    assert (record.input, record.output) == (str(tmp_path / f"a{suffix}"), str(tmp_path / "out" / names[0]))


def test_the_result_is_upright_and_keeps_profile_and_exif_data(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    save_photo(tmp_path / "a.jpg", exif=exif, icc_profile=profile, quality=98)
    done(tmp_path / "a.jpg", tmp_path / "b.jpg")
    with Image.open(tmp_path / "b.jpg") as image:
        assert image.size == SIZE  # height and width have changed places
        assert (image.getexif().get(0x0112, 1), image.getexif()[0x010F]) == (1, "Maker")
        assert image.info["icc_profile"] == profile
        assert np.abs(np.asarray(image) - np.rot90(levels(rainy() / 2), -1).astype(int)).mean() < 2


def test_results_that_are_there_are_kept(tmp_path, source):
    target = tmp_path / "out" / "a.png"
    done(source, target, ALL)
    for path in target.parent.iterdir():
        path.write_bytes(b"kept")
        os.utime(path, ns=(10**18, 10**18))
    assert derain(source, target, ALL) == Record(str(source), str(target), "skipped")
    source.unlink()  # There is no need to look at it.
    assert derain(source, target, ALL).status == "skipped"
    assert all(path.read_bytes() == b"kept" and path.stat().st_mtime_ns == 10**18 for path in target.parent.iterdir())


def test_only_what_is_missing_is_made_unless_all_is_to_be_overwritten(tmp_path, source):
    done(source, tmp_path / "whole" / "a.png", ALL)
    whole = contents(tmp_path / "whole")
    for missing in ({"a.png"}, {"a_rain.png"}, {"a_compare.png"}, {"a.png", "a_compare.png"}):
        out = tmp_path / "_".join(sorted(missing))
        out.mkdir()
        for name in whole.keys() - missing:
            (out / name).write_bytes(b"kept")
        done(source, out / "a.png", ALL)
        assert contents(out) == {name: whole[name] if name in missing else b"kept" for name in whole}
        done(source, out / "a.png", OutputSettings(save_rain=True, compare=True, overwrite=True))
        assert contents(out) == whole


def test_a_file_that_is_left_untouched_is_copied_byte_for_byte(tmp_path):
    source = save_photo(tmp_path / "dry.jpg", quality=60, comment=b"as it was")
    done(source, tmp_path / "out.jpg", work=untouched)
    assert (tmp_path / "out.jpg").read_bytes() == source.read_bytes()
    # Not over another, and not where it would not be as it says.
    (tmp_path / "mine.jpg").write_text("mine")
    assert derain(source, tmp_path / "mine.jpg", work=untouched).status == "skipped"
    assert (tmp_path / "mine.jpg").read_text() == "mine"
    done(source, tmp_path / "mine.jpg", OutputSettings(overwrite=True), untouched)
    assert (tmp_path / "mine.jpg").read_bytes() == source.read_bytes()
    done(source, tmp_path / "out.tif", work=untouched)
    np.testing.assert_array_equal(rainopt.read_image(tmp_path / "out.tif"), rainopt.read_image(source))
    exif = Image.Exif()
    exif[0x0112] = 6
    done(save_photo(tmp_path / "turned.jpg", exif=exif), tmp_path / "upright.jpg", work=untouched)
    with Image.open(tmp_path / "upright.jpg") as upright:
        assert (upright.size, upright.getexif().get(0x0112, 1)) == (SIZE, 1)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_where_the_result_is_expected(tmp_path, source, overwrite):
    target = tmp_path / "out" / "a.png"
    target.mkdir(parents=True)
    message = refused(source, target, OutputSettings(overwrite=overwrite))
    assert f"'{target}'" in message
    assert "folder" in message


def test_an_output_folder_that_cannot_be_made(tmp_path, source, monkeypatch):
    file = tmp_path / "file"
    file.write_text("not a folder")
    assert str(file / "out") in refused(source, file / "out" / "a.png")

    def refuse(path, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert f"'{tmp_path / 'new'}': Permission denied" in refused(source, tmp_path / "new" / "a.png")


def test_a_disk_that_takes_no_more_leaves_everything_as_it_was(tmp_path, source):
    target = tmp_path / "out" / "a.png"
    for output in (ALL, OutputSettings(overwrite=True)):
        was_there = target.parent.exists()
        with full_disk(1000):
            message = refused(source, target, output)
        assert re.search(r"\.png' cannot be written .*too large.*disk space", message)
        assert target.parent.exists() == was_there
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(b"earlier result")
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "does not fit into memory (MemoryError); use fewer --jobs"),
        (MemoryError("Unable to allocate 1.5 GiB"), "(Unable to allocate 1.5 GiB); use fewer --jobs"),
        (RuntimeError("cudaErrorMemoryAllocation"), "RuntimeError: cudaErrorMemoryAllocation"),
        (ValueError("`angle` is odd"), "`angle` is odd"),
        (KeyError("odd"), "KeyError: 'odd'"),
    ],
)
def test_whatever_goes_wrong_is_a_record_that_names_the_file(tmp_path, source, monkeypatch, error, said):
    def fail(pixels):
        raise error

    assert f"'{source}': " in refused(source, tmp_path / "out" / "a.png", work=fail)
    assert said in refused(source, tmp_path / "out" / "a.png", work=fail)
    # Also from and to the current folder, whose name is in no message.
    monkeypatch.chdir(source.parent)
    assert "'a.png'" in derain(Path("a.png"), Path("b.png"), work=fail).error


def test_a_name_too_long_for_its_layer_is_a_record(tmp_path, source):
    long = source.rename(source.with_name("x" * 251 + ".png"))
    (tmp_path / "out").mkdir()
    assert "too long" in refused(long, tmp_path / "out" / long.name, ALL)


class Toy(DerainTask):
    def live(self):
        """Derain no stream."""

    def photo(self, source, target, progress):
        return FileRecord(str(source), str(target), "photo")

    def video(self, source, target, progress):
        return FileRecord(str(source), str(target), "video")


def test_images_and_videos_part_by_their_suffix():
    task = Toy(output=ALL)
    for name, kind, results in (
        ("a.png", "photo", 3),
        ("A.JPG", "photo", 3),
        ("a.mp4", "video", 2),
        ("a.MKV", "video", 2),
    ):
        assert task(Path(name), Path("out", name)) == FileRecord(name, str(Path("out", name)), kind)
        assert len(set(task.results(Path("out", name)))) == results
    assert task.failed(Path("a"), None, "why") == FileRecord("a", None, "failed", "why")
    with pytest.raises(ValueError, match=r"'a.png' has no place"):
        task(Path("a.png"), None)
