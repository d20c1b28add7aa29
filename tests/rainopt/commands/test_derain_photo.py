"""One file to its results: pixels and what goes with them are kept, and a bad file or disk leaves nothing behind."""

import builtins
import errno
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps

import rainopt
from data_tools import RainSpec, add_rain
from rainopt.commands.derain_photo import Options, Record, derain_file, results_of
from rainopt.io import atomic as _replace

QUICK = Options(angle=0, max_iter=3)
SIZE = (72, 96)


def clean(size=SIZE):
    y, x = np.mgrid[: size[0], : size[1]]
    return np.stack([0.45 + 0.2 * np.sin(x / 13 + c) * np.cos(y / 9 - c) for c in range(3)], axis=-1)


def rainy(size=SIZE, angle=0.0, seed=0):
    return add_rain(clean(size), RainSpec(angle=angle), np.random.default_rng(seed)).rainy


def levels(image, dtype=np.uint8):
    return np.rint(image * float(np.iinfo(dtype).max)).astype(dtype)


def psnr(a, b):
    return -10 * np.log10(np.mean((a.astype(float) - b) ** 2))


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in" / "a.png"
    path.parent.mkdir()
    Image.fromarray(levels(rainy())).save(path)
    return path


def done(source, target, options=QUICK):
    record = derain_file(source, target, options)
    assert record.error is None
    assert record.status == "ok"
    return record


def refused(source, target, options=QUICK):
    """Derain what cannot be; return the message, and check that nothing but earlier files is there."""
    before = sorted(target.parent.rglob("*")) if target.parent.is_dir() else []
    record = derain_file(source, target, options)
    assert record.status == "failed"
    assert (record.input, record.output) == (str(source), str(target))
    assert sorted(target.parent.rglob("*") if target.parent.is_dir() else []) == before
    return record.error


# Pictures


def test_rain_is_taken_off(tmp_path, source):
    record = done(source, tmp_path / "b.png", Options())
    before, after = (np.asarray(Image.open(path)) / 255 for path in (source, tmp_path / "b.png"))
    assert psnr(after, clean()) > psnr(before, clean()) + 1
    assert (after <= before).all()
    assert record.rain == pytest.approx(np.mean(before - after), abs=2e-3)
    assert abs(record.angle) < 5


def test_the_file_holds_what_the_array_function_returns(tmp_path, source):
    done(source, tmp_path / "b.png", Options(angle=2.0))
    expected = rainopt.derain(np.asarray(Image.open(source)), angle=2.0).background
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "b.png")), levels(expected.astype(float)))


def test_the_layer_and_the_picture_add_up(tmp_path):
    y = levels(rainy()[..., 0])
    Image.fromarray(y).save(tmp_path / "y.png")
    done(tmp_path / "y.png", tmp_path / "out.png", Options(save_rain=True))
    dry, rain = (np.asarray(Image.open(tmp_path / name)).astype(int) for name in ("out.png", "out_rain.png"))
    assert rain.max() > 20
    assert np.abs(dry + rain - y).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("kind", ["grey", "grey+alpha", "rgb", "rgba"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_depth_and_alpha_are_kept_bit_for_bit(tmp_path, suffix, kind, dtype):
    rng = np.random.default_rng(5)
    image = levels(rainy(), dtype)[..., :1] if "grey" in kind else levels(rainy(), dtype)
    if kind.endswith("a"):
        image = np.concatenate([image, rng.integers(0, np.iinfo(dtype).max + 1, (*SIZE, 1)).astype(dtype)], axis=2)
    image = image.squeeze()
    rainopt.write_image(tmp_path / f"a{suffix}", image)
    done(tmp_path / f"a{suffix}", tmp_path / "out" / f"b{suffix}", Options(angle=0))
    result = rainopt.read_image(tmp_path / "out" / f"b{suffix}")
    assert (result.dtype, result.shape) == (image.dtype, image.shape)
    colours = image
    if kind.endswith("a"):
        np.testing.assert_array_equal(result[..., -1], image[..., -1])
        colours, result = image[..., :-1], result[..., :-1]
    assert (result <= colours).all()
    assert (result < colours).any()
    if dtype is np.uint16:
        assert (result % 257 != 0).any()


def test_16_bits_and_floats_by_other_readers(tmp_path):
    sixteen = levels(rainy(), np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), sixteen[..., ::-1])
    tifffile.imwrite(tmp_path / "b.tif", sixteen, photometric="rgb")
    tifffile.imwrite(tmp_path / "c.tif", rainy(), photometric="rgb")
    for name in ("a.png", "b.tif", "c.tif"):
        done(tmp_path / name, tmp_path / "out" / name, Options(angle=0))
    png = cv2.imread(str(tmp_path / "out" / "a.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    tif, floats = (tifffile.imread(tmp_path / "out" / name) for name in ("b.tif", "c.tif"))
    assert (png.dtype, tif.dtype, floats.dtype) == (np.uint16, np.uint16, np.float32)
    np.testing.assert_array_equal(png, tif)
    np.testing.assert_allclose(floats, png / 65535, atol=2e-4)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".JPG", ".webp", ".bmp", ".PNG", ".TIFF"])
def test_formats_of_8_bits(tmp_path, suffix):
    image = levels(rainy())
    Image.fromarray(image).save(tmp_path / f"a{suffix}", **({"quality": 95} if "j" in suffix.lower() else {}))
    done(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}")
    with Image.open(tmp_path / f"a{suffix}") as before, Image.open(tmp_path / f"b{suffix}") as after:
        assert (after.format, after.size, after.mode) == (before.format, before.size, before.mode)


def test_the_name_of_the_result_chooses_its_format(tmp_path, source):
    for name, form in (("b.jpg", "JPEG"), ("b.tif", "TIFF"), ("b.webp", "WEBP"), ("b.bmp", "BMP")):
        done(source, tmp_path / name)
        with Image.open(tmp_path / name) as image:
            assert image.format == form


def test_quality_of_jpeg(tmp_path, source):
    sizes = []
    for quality in (30, 95, 100):
        done(source, tmp_path / f"{quality}.jpg", Options(angle=0, max_iter=3, quality=quality))
        sizes.append((tmp_path / f"{quality}.jpg").stat().st_size)
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_result_is_upright_and_says_so(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Maker"
    stored = Image.fromarray(levels(rainy()))
    stored.save(tmp_path / "a.jpg", exif=exif, quality=98)
    done(tmp_path / "a.jpg", tmp_path / "b.jpg", Options(angle=0))
    with Image.open(tmp_path / "a.jpg") as before, Image.open(tmp_path / "b.jpg") as after:
        upright = ImageOps.exif_transpose(before)
        assert after.size == upright.size
        assert after.getexif().get(0x0112, 1) == 1
        assert after.getexif()[0x010F] == "Maker"
        difference = np.asarray(after).astype(int) - np.asarray(upright)
    assert np.abs(difference).mean() < 12
    # Were it turned, about as many pixels would become brighter as darker.
    assert (difference > 12).mean() < 0.01


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_the_profile_is_kept(tmp_path, suffix):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(levels(rainy())).save(tmp_path / f"a{suffix}", icc_profile=profile)
    done(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}")
    with Image.open(tmp_path / f"b{suffix}") as image:
        assert image.info["icc_profile"] == profile


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("level", [0, 90, -1])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_without_structure_nothing_changes(tmp_path, channels, level, dtype):
    image = np.full((40, 56, channels), np.iinfo(dtype).max if level < 0 else level, dtype).squeeze()
    rainopt.write_image(tmp_path / "a.png", image)
    record = done(tmp_path / "a.png", tmp_path / "b.png", Options())
    np.testing.assert_array_equal(rainopt.read_image(tmp_path / "b.png"), image)
    assert record.rain == 0
    assert np.isfinite(record.gap)


def test_the_smallest_picture(tmp_path):
    Image.fromarray(levels(rainy((8, 8)))).save(tmp_path / "a.png")
    record = done(tmp_path / "a.png", tmp_path / "b.png", Options(save_rain=True, compare=True))
    assert (record.height, record.width) == (8, 8)


# Records and results


def test_a_given_angle_is_used_and_reported(tmp_path):
    Image.fromarray(levels(rainy(angle=20))).save(tmp_path / "a.png")
    right = done(tmp_path / "a.png", tmp_path / "right.png", Options(angle=20))
    wrong = done(tmp_path / "a.png", tmp_path / "wrong.png", Options(angle=-45))
    assert (right.angle, right.confidence) == (20, None)
    assert (wrong.angle, wrong.confidence) == (-45, None)
    good, bad = (np.asarray(Image.open(tmp_path / name)) / 255 for name in ("right.png", "wrong.png"))
    assert psnr(good, clean()) > psnr(bad, clean())


def test_a_record_says_what_happened(tmp_path, source):
    record = done(source, tmp_path / "b.png", Options())
    assert (record.input, record.output) == (str(source), str(tmp_path / "b.png"))
    assert (record.height, record.width) == SIZE
    assert 0 <= record.confidence <= 1
    assert 1 <= record.iterations <= 400
    assert 0 <= record.gap <= 0.02
    assert record.solver == "converged"
    assert 0 < record.seconds < 60
    every = {field for field in Record.__dataclass_fields__ if field != "error"}
    assert set(record.as_dict()) == every - {"veil"}
    veiled = done(source, tmp_path / "veiled.png", Options(veil=True))
    assert set(veiled.as_dict()) == every
    assert 0 <= veiled.veil < 1
    assert derain_file(source, tmp_path / "c.png", Options(max_iter=1, tol=0)).solver == "max_iter"


def test_names_of_the_results():
    everything = Options(save_rain=True, compare=True)
    assert results_of(Path("out/a.b.jpg"), everything) == {
        "derained": Path("out/a.b.jpg"),
        "rain": Path("out/a.b_rain.png"),
        "compare": Path("out/a.b_compare.png"),
    }
    assert results_of(Path("a.tif"), Options()) == {"derained": Path("a.tif")}


def test_results_that_are_there_are_kept(tmp_path, source):
    options = Options(angle=0, max_iter=3, save_rain=True, compare=True)
    target = tmp_path / "out" / "a.png"
    done(source, target, options)
    for path in target.parent.iterdir():
        path.write_bytes(b"kept")
        os.utime(path, ns=(10**18, 10**18))
    assert derain_file(source, target, options) == Record(str(source), str(target), "skipped")
    source.unlink()  # There is no need to look at it.
    assert derain_file(source, target, options).status == "skipped"
    assert all(path.read_bytes() == b"kept" and path.stat().st_mtime_ns == 10**18 for path in target.parent.iterdir())


def test_only_what_is_missing_is_made(tmp_path, source):
    options = Options(angle=0, max_iter=3, save_rain=True, compare=True)
    whole = tmp_path / "whole" / "a.png"
    done(source, whole, options)
    for missing in ({"a.png"}, {"a_rain.png"}, {"a_compare.png"}, {"a.png", "a_compare.png"}):
        out = tmp_path / "_".join(sorted(missing))
        out.mkdir()
        for path in whole.parent.iterdir():
            if path.name not in missing:
                (out / path.name).write_bytes(b"kept")
        done(source, out / "a.png", options)
        for path in whole.parent.iterdir():
            assert (out / path.name).read_bytes() == (path.read_bytes() if path.name in missing else b"kept")


def test_overwriting_replaces_all_of_them(tmp_path, source):
    target = tmp_path / "out" / "a.png"
    options = Options(angle=0, max_iter=3, save_rain=True, compare=True)
    done(source, target, options)
    whole = {path: path.read_bytes() for path in target.parent.iterdir()}
    for path in whole:
        path.write_bytes(b"old")
    done(source, target, Options(angle=0, max_iter=3, save_rain=True, compare=True, overwrite=True))
    assert {path: path.read_bytes() for path in target.parent.iterdir()} == whole


# What goes wrong


def test_a_file_that_may_not_be_read(tmp_path, source, monkeypatch):
    real = builtins.open

    def guarded(file, *args, **kwargs):
        if file == source:
            raise PermissionError(errno.EACCES, "Permission denied", str(file))
        return real(file, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", guarded)
    message = refused(source, tmp_path / "out" / "a.png")
    assert f"'{source}'" in message
    assert "permission denied" in message.lower()


def test_a_folder_where_the_result_is_expected(tmp_path, source):
    target = tmp_path / "out" / "a.png"
    target.mkdir(parents=True)
    message = refused(source, target, Options(angle=0, max_iter=3, overwrite=True))
    assert f"'{target}'" in message
    assert "folder" in message


def test_a_folder_is_no_result_to_be_kept(tmp_path, source):
    target = tmp_path / "out" / "a.png"
    target.mkdir(parents=True)
    assert "folder" in refused(source, target)


def test_an_output_folder_that_cannot_be_made(tmp_path, source, monkeypatch):
    file = tmp_path / "file"
    file.write_text("not a folder")
    assert str(file / "out") in refused(source, file / "out" / "a.png")

    def refuse(self, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    message = refused(source, tmp_path / "new" / "a.png")
    assert str(tmp_path / "new") in message
    assert "Permission denied" in message


def test_an_output_folder_that_may_not_be_written(tmp_path, source, monkeypatch):
    def refuse(file, *args):
        raise PermissionError(errno.EACCES, "Permission denied", str(file))

    monkeypatch.setattr(_replace, "open", refuse, raising=False)
    message = refused(source, tmp_path / "a.png")
    assert f"'{tmp_path / 'a.png'}' cannot be written (Permission denied)" in message
    assert ".tmp" not in message


@pytest.mark.parametrize("where", ["write", "rename"])
@pytest.mark.parametrize("there", [False, True])
def test_a_full_disk_leaves_everything_as_it_was(tmp_path, source, monkeypatch, where, there):
    target = tmp_path / "out" / "a.png"
    target.parent.mkdir()
    if there:
        target.write_bytes(b"earlier result")

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    def half(file, *args, **kwargs):
        file.write(b"half a picture")
        full()

    if where == "write":
        monkeypatch.setattr("rainopt.io.images.files.encode", half)
    else:
        monkeypatch.setattr(os, "replace", full)
    options = Options(angle=0, max_iter=3, overwrite=there, save_rain=True, compare=True)
    message = refused(source, target, options)
    assert "No space left on device" in message
    assert str(target.parent) in message
    assert not there or target.read_bytes() == b"earlier result"


@pytest.mark.parametrize(
    ("error", "said"), [(MemoryError(), "memory"), (MemoryError("Unable to allocate 1.5 GiB"), "1.5 GiB")]
)
def test_too_little_memory(tmp_path, source, monkeypatch, error, said):
    def too_large(*args, **kwargs):
        raise error

    monkeypatch.setattr("rainopt.still.derain.decompose", too_large)
    message = refused(source, tmp_path / "out" / "a.png")
    assert f"'{source}'" in message
    assert said in message
    assert "--jobs" in message


def test_a_message_names_the_input_when_the_result_goes_to_the_current_folder(source, monkeypatch):
    def too_large(*args, **kwargs):
        raise MemoryError("Unable to allocate 1.5 GiB")

    monkeypatch.setattr("rainopt.still.derain.decompose", too_large)
    monkeypatch.chdir(source.parent)
    assert "'a.png'" in derain_file(Path("a.png"), Path("b.png"), QUICK).error


@pytest.mark.parametrize("error", [RuntimeError("cudaErrorMemoryAllocation"), ArithmeticError("odd"), KeyError("odd")])
def test_whatever_goes_wrong_is_a_record(tmp_path, source, monkeypatch, error):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr("rainopt.still.derain.decompose", fail)
    assert f"'{source}'" in refused(source, tmp_path / "out" / "a.png")


def test_an_interruption_is_passed_on_and_leaves_nothing(tmp_path, source, monkeypatch):
    def interrupted(file, *args, **kwargs):
        file.write(b"half a picture")
        raise KeyboardInterrupt

    monkeypatch.setattr("rainopt.io.images.files.encode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        derain_file(source, tmp_path / "out" / "a.png", QUICK)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_name_too_long_for_its_layer_is_a_record(tmp_path, source):
    long = source.with_name("x" * 251 + ".png")
    source.rename(long)
    (tmp_path / "out").mkdir()
    message = refused(long, tmp_path / "out" / long.name, Options(angle=0, max_iter=3, save_rain=True))
    assert "too long" in message


@pytest.mark.parametrize(
    ("suffix", "dtype", "channels"), [(".jpg", np.uint16, 3), (".jpg", np.uint8, 4), (".bmp", np.uint8, 4)]
)
def test_a_format_that_cannot_hold_the_picture(tmp_path, suffix, dtype, channels):
    image = np.dstack([levels(rainy(), dtype)] + [levels(rainy(), dtype)[..., :1]] * (channels - 3))
    rainopt.write_image(tmp_path / "a.png", image)
    message = refused(tmp_path / "a.png", tmp_path / f"b{suffix}")
    assert f"'{tmp_path / ('b' + suffix)}'" in message
    assert ".png" in message


# Pictures without rain


def test_a_dry_file_is_copied_byte_for_byte(tmp_path):
    source = tmp_path / "dry.jpg"
    Image.fromarray(levels(clean())).save(source, quality=60, comment=b"as it was")
    record = done(source, tmp_path / "out.jpg", Options())
    assert record.directions == []
    assert record.rain == 0
    assert record.solver == "nothing_to_do"
    assert (tmp_path / "out.jpg").read_bytes() == source.read_bytes()
    # Told the angle it does something.
    assert done(source, tmp_path / "forced.jpg", Options(angle=0.0)).directions == [{"angle": 0.0, "share": 1.0}]
    assert (tmp_path / "forced.jpg").read_bytes() != source.read_bytes()


def test_a_dry_file_in_another_format_or_position_is_written(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(levels(clean())).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    done(tmp_path / "turned.jpg", tmp_path / "upright.jpg", Options())
    with Image.open(tmp_path / "upright.jpg") as upright:
        assert upright.size == SIZE  # height and width have changed places
        assert upright.getexif().get(0x0112, 1) == 1
    Image.fromarray(levels(clean())).save(tmp_path / "dry.png")
    done(tmp_path / "dry.png", tmp_path / "dry.tif", Options())
    assert tifffile.imread(tmp_path / "dry.tif").shape == (*SIZE, 3)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "dry.tif"), levels(clean()))


def test_a_dry_file_is_not_copied_over_another(tmp_path):
    Image.fromarray(levels(clean())).save(tmp_path / "dry.png")
    (tmp_path / "out.png").write_text("mine")
    assert derain_file(tmp_path / "dry.png", tmp_path / "out.png", Options()).status == "skipped"
    assert (tmp_path / "out.png").read_text() == "mine"
    done(tmp_path / "dry.png", tmp_path / "out.png", Options(overwrite=True))
    assert (tmp_path / "out.png").read_bytes() == (tmp_path / "dry.png").read_bytes()


@pytest.mark.parametrize("angle", [None, 5.0])
def test_strength_0_leaves_the_file_as_it_is_and_says_so(tmp_path, source, angle):
    record = done(source, tmp_path / "out.png", Options(angle=angle, strength=0.0))
    assert record.directions == []
    assert "strength 0" in record.line()
    assert (tmp_path / "out.png").read_bytes() == source.read_bytes()
