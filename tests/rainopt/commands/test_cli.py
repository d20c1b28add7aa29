"""The command as people run it: real files, a process of its own, its exit status, and what it says."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import typer
from PIL import Image
from typer.testing import CliRunner

import rainopt
from data_tools import RainSpec, add_rain
from rainopt.commands import main as cli
from rainopt.io import image_size

ROOT = Path(__file__).parents[3]
OPTIONS = ["--output", "--angle", "--weights", "--save-rain", "--compare", "--overwrite", "--jobs", "--device"]
OPTIONS += ["--crf", "--background", "--strength", "--veil", "--quality", "--max-iter", "--tol", "--json", "--help"]
KEYS = {"input", "output", "status", "angle", "confidence", "height", "width", "iterations", "gap", "solver"}
KEYS |= {"rain", "seconds", "directions"}
QUICK = ["--angle", "0", "--max-iter", "3"]
SLOW = ["--angle", "3", "--max-iter", "60", "--tol", "0"]
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")


def environment():
    """Ours, without what colours or wraps the output."""
    unset = {"FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "RAINOPT_NUM_THREADS", "PYTHONIOENCODING"}
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    paths = os.pathsep.join([str(ROOT), *filter(None, [kept.get("PYTHONPATH")])])
    return kept | {"NO_COLOR": "1", "COLUMNS": "200", "PYTHONUTF8": "1", "PYTHONPATH": paths}


def command(*arguments):
    return [sys.executable, "-m", "rainopt", *map(str, arguments)]


def process(*arguments, cwd, **options):
    """Run the command in a process of its own; return status, standard output and error."""
    done = subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        **options,
    )
    return done.returncode, done.stdout, done.stderr


def call(*arguments):
    """Run the command in this process; return status, standard output and error without frames and line breaks."""
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    plain = re.sub(r"\x1b\[[\d;]*m", "", result.stderr)
    return result.exit_code, result.stdout, " ".join(re.sub(r"[│╭╮╰╯─]", " ", plain).split())


def clean(size=(72, 96)):
    y, x = np.mgrid[: size[0], : size[1]]
    return np.stack([0.45 + 0.2 * np.sin(x / 13 + c) * np.cos(y / 9 - c) for c in range(3)], axis=-1)


def rainy(size=(72, 96), angle=0.0, seed=0):
    return add_rain(clean(size), RainSpec(angle=angle), np.random.default_rng(seed)).rainy


def levels(image, dtype=np.uint8):
    return np.rint(image * float(np.iinfo(dtype).max)).astype(dtype)


def save(path, seed=0, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(levels(rainy(seed=seed))).save(path, **options)
    return path


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAINOPT_NUM_THREADS", raising=False)
    return tmp_path


# Good files, all in one run


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    """A folder of all kinds of pictures, and what one run over it says and writes."""
    top = tmp_path_factory.mktemp("album")
    folder = top / "my photos"
    profile = exif = None
    save(folder / "plain.png")
    save(folder / "Ünïcode ☂ and [brackets].png", seed=1)
    exif = Image.Exif()
    exif[0x0112] = 6
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    save(folder / "sub" / "deep down" / "turned.jpg", seed=2, exif=exif, icc_profile=profile, quality=95)
    save(folder / "sub" / "plain.webp", lossless=True)
    cv2.imwrite(str(folder / "sixteen.png"), levels(rainy(), np.uint16)[..., ::-1])
    tifffile.imwrite(folder / "deep.tif", levels(rainy(), np.uint16), photometric="rgb")
    tifffile.imwrite(folder / "float.tiff", rainy(), photometric="rgb")
    Image.fromarray(levels(rainy()[..., 0])).save(folder / "grey.png")
    alpha = np.random.default_rng(9).integers(0, 256, (72, 96, 1), dtype=np.uint8)
    Image.fromarray(np.dstack([levels(rainy())[..., :1], alpha])).save(folder / "grey_alpha.png")
    Image.fromarray(np.dstack([levels(rainy()), alpha])).save(folder / "rgba.png")
    Image.fromarray(np.full((40, 50, 3), (200, 100, 50), np.uint8)).save(folder / "constant.png")
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_bytes(b"no picture")
    status, out, err = process("derain", folder.name, "-o", "dry", "--json", "--save-rain", "--compare", cwd=top)
    return top, folder, status, out, err


PICTURES = {
    "plain.png",
    "Ünïcode ☂ and [brackets].png",
    "sub/deep down/turned.jpg",
    "sub/plain.webp",
    "sixteen.png",
    "deep.tif",
    "float.tiff",
    "grey.png",
    "grey_alpha.png",
    "rgba.png",
    "constant.png",
}


def test_good_files_are_status_0_without_a_word_of_warning(album):
    _, _, status, _, err = album
    assert (status, err) == (0, "")


def test_each_file_has_its_three_results_in_its_own_folder(album):
    top = album[0]
    expected = set(PICTURES)
    for name in PICTURES:
        expected |= {re.sub(r"\.\w+$", f"_{kind}.png", name) for kind in ("rain", "compare")}
    assert set(files(top / "dry")) == expected


def test_json_is_one_object_a_line_with_the_documented_keys(album):
    entries = [json.loads(line) for line in album[3].splitlines()]
    assert {Path(entry["input"]).relative_to("my photos").as_posix() for entry in entries} == PICTURES
    for entry in entries:
        assert set(entry) == KEYS
        assert entry["status"] == "ok"
        assert Path(entry["output"]) == Path("dry", *Path(entry["input"]).parts[1:])
        assert -90 < entry["angle"] <= 90
        assert 0 <= entry["confidence"] <= 1
        assert 0 <= entry["rain"] <= 1


def test_depth_channels_and_format_are_kept(album):
    top, folder, *_ = album
    for name in PICTURES - {"sub/deep down/turned.jpg"}:
        before, after = rainopt.read_image(folder / name), rainopt.read_image(top / "dry" / name)
        assert (after.dtype, after.shape) == (before.dtype, before.shape), name
        assert (top / "dry" / name).read_bytes()[:4] == (folder / name).read_bytes()[:4]
    assert cv2.imread(str(top / "dry" / "sixteen.png"), cv2.IMREAD_UNCHANGED).dtype == np.uint16
    assert tifffile.imread(top / "dry" / "deep.tif").dtype == np.uint16
    assert tifffile.imread(top / "dry" / "float.tiff").dtype == np.float32


def test_alpha_and_pictures_without_rain_are_kept_bit_for_bit(album):
    top, folder, *_ = album
    for name, channels in (("grey_alpha.png", slice(1, 2)), ("rgba.png", slice(3, 4)), ("constant.png", slice(0, 3))):
        before, after = (np.asarray(Image.open(path / name)) for path in (folder, top / "dry"))
        np.testing.assert_array_equal(after[..., channels], before[..., channels])


def test_the_turned_photograph_is_upright_and_keeps_its_profile(album):
    top, folder, *_ = album
    with Image.open(top / "dry" / "sub" / "deep down" / "turned.jpg") as image:
        assert image.size == (72, 96)
        assert image.getexif().get(0x0112, 1) == 1
        with Image.open(folder / "sub" / "deep down" / "turned.jpg") as before:
            assert image.info["icc_profile"] == before.info["icc_profile"]
        upright = np.rot90(levels(rainy(seed=2)), -1)
        assert np.abs(np.asarray(image).astype(int) - upright).mean() < 12


def test_rain_is_gone_from_every_picture(album):
    top, *_ = album
    for name, truth in (("plain.png", rainy()), ("sixteen.png", rainy()), ("float.tiff", rainy())):
        after = rainopt.read_image(top / "dry" / name)
        after = after if after.dtype.kind == "f" else after / np.iinfo(after.dtype).max
        assert np.mean((after - clean()) ** 2) < 0.8 * np.mean((truth - clean()) ** 2), name


def test_the_sheet_shows_rainy_derained_and_rain(album):
    top, folder, *_ = album
    sheet = np.asarray(Image.open(top / "dry" / "plain_compare.png")).astype(int)
    height, width = 72, 96
    gap = (sheet.shape[1] - 3 * width) // 2
    first, second, third = (sheet[-height:, k * (width + gap) :][:, :width] for k in range(3))
    np.testing.assert_array_equal(first, np.asarray(Image.open(folder / "plain.png")))
    assert np.abs(second - np.asarray(Image.open(top / "dry" / "plain.png"))).max() <= 1
    layer = np.asarray(Image.open(top / "dry" / "plain_rain.png")).astype(int)
    assert np.corrcoef(third[..., 0].ravel(), layer.ravel())[0, 1] > 0.9


def test_two_jobs_write_the_same_bytes(album):
    top, folder, _, out, _ = album
    again = process("derain", folder, "-o", "two", "--json", "--save-rain", "--compare", "--jobs", 2, cwd=top)
    assert (again[0], again[2]) == (0, "")
    assert len(again[1].splitlines()) == len(out.splitlines())
    assert files(top / "two") == files(top / "dry")


# Bad files, all in one run


BAD = {
    "text.png": "not a PNG, JPEG",
    "empty.jpg": "empty",
    "cut.png": "truncated",
    "cut.jpg": "truncated",
    "cut.tif": "truncated",
    "cut.webp": "truncated",
    "cut16.png": "truncated",
    "one.png": "8 pixels",
    "row.png": "8 pixels",
    "column.png": "8 pixels",
    "small.png": "8 pixels",
    "nan.tif": "NaN",
    "inf.tif": "infinite",
    "range.tif": "[0, 1]",
    "pages.tif": "2 pictures",
    "five.tif": "channel",
}


@pytest.fixture(scope="module")
def heap(tmp_path_factory):
    """A folder of good and bad files, and what one run over it and over what is not there says and writes."""
    top = tmp_path_factory.mktemp("heap")
    folder = top / "in"
    save(folder / "a good one.png")
    save(folder / "z good one.jpg", seed=1)
    (folder / "text.png").write_text("This is no picture.")
    (folder / "empty.jpg").touch()
    for suffix, options in ((".png", {}), (".jpg", {}), (".tif", {"compression": "tiff_lzw"}), (".webp", {})):
        whole = save(folder / f"cut{suffix}", **options).read_bytes()
        (folder / f"cut{suffix}").write_bytes(whole[: len(whole) // 2])
    cv2.imwrite(str(folder / "cut16.png"), levels(rainy(), np.uint16))
    whole = (folder / "cut16.png").read_bytes()
    (folder / "cut16.png").write_bytes(whole[: len(whole) // 2])
    for name, size in (("one", (1, 1)), ("row", (1, 90)), ("column", (90, 1)), ("small", (7, 100))):
        Image.fromarray(np.full((*size, 3), 99, np.uint8)).save(folder / f"{name}.png")
    for name, value in (("nan", np.nan), ("inf", np.inf), ("range", 1.5)):
        image = rainy()
        image[3, 4, 1] = value
        tifffile.imwrite(folder / f"{name}.tif", image, photometric="rgb")
    tifffile.imwrite(folder / "pages.tif", np.stack([levels(rainy())] * 2), photometric="rgb")
    five = np.dstack([levels(rainy()), levels(rainy())[..., :2]])
    tifffile.imwrite(folder / "five.tif", five, photometric="rgb", extrasamples=[0, 0])
    (top / "nothing").mkdir()
    (top / "dry" / "there.png").mkdir(parents=True)
    save(top / "there.png")
    arguments = ["gone.png", "nothing", "no*.png", folder.name, "there.png", "-o", "dry", "--overwrite"]
    status, out, err = process("derain", *arguments, cwd=top)
    return top, status, out, err


def test_bad_files_are_status_1_and_the_good_ones_are_done(heap):
    top, status, out, err = heap
    assert status == 1
    assert len(out.splitlines()) == 2
    assert f"2 derained, {len(BAD) + 4} failed" in err.splitlines()[-1]
    for name in ("a good one.png", "z good one.jpg"):
        assert rainopt.read_image(top / "dry" / name).shape == (72, 96, 3)


def test_bad_files_leave_nothing_behind(heap):
    assert set(files(heap[0])) - {f"in/{name}" for name in (*BAD, "a good one.png", "z good one.jpg")} == {
        "there.png",
        "dry/a good one.png",
        "dry/z good one.jpg",
    }


def test_no_traceback_and_no_warning_for_bad_files(heap):
    assert "Traceback" not in heap[3]
    assert "Warning" not in heap[3]


def test_one_line_for_each_bad_file_and_no_log_of_a_library(heap):
    assert len(heap[3].splitlines()) == len(BAD) + 4 + 1


@pytest.mark.parametrize("name", BAD)
def test_each_bad_file_is_named_with_what_is_wrong(heap, name):
    (line,) = (line for line in heap[3].splitlines() if str(Path("in", name)) in line)
    assert line.startswith("failed")
    assert BAD[name] in line


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gone.png", "does not exist"),
        ("nothing", "holds no image"),
        ("no*.png", "matches no file"),
        (str(Path("dry", "there.png")), "folder"),
    ],
)
def test_what_is_not_there_is_named(heap, name, said):
    (line,) = (line for line in heap[3].splitlines() if f"'{name}'" in line)
    assert said in line


@posix
def test_a_disk_that_takes_no_more_leaves_no_half_of_a_file(tmp_path):
    import resource

    Image.fromarray(np.full((40, 40), 7, np.uint8)).save(tmp_path / "a_small.png")
    save(tmp_path / "b_large.png")
    status, out, err = process(
        *("derain", "a_small.png", "b_large.png", "-o", "dry", *QUICK),
        cwd=tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )
    assert status == 1
    assert "a_small.png" in out
    assert re.search(r"b_large\.png' cannot be written .*too large.*disk space", err)
    assert set(files(tmp_path / "dry")) == {"a_small.png"}


# Where results go


def test_one_file_to_a_name_and_to_a_folder(here):
    save(here / "a.png")
    status, out, err = call("derain", "a.png", "-o", "new/dry.jpg", "--angle", "12.5", "--compare")
    assert (status, err) == (0, "")
    assert "a.png" in out
    assert "+12.5°" in out
    assert "confidence" not in out
    assert call("derain", "a.png", "-o", "folder/", *QUICK)[0] == 0
    assert set(files(here)) == {"a.png", "new/dry.jpg", "new/dry_compare.png", "folder/a.png"}


def test_globs_several_inputs_and_doubles(here):
    for name in ("x/a1.png", "x/a2.png", "x/b.png", "y/c d.png"):
        save(here / name)
    status, out, err = call("derain", "x/a*.png", "x/a1.png", "y", "y/c d.png", "-o", "out", *QUICK)
    assert (status, err) == (0, "3 derained")
    assert len(out.splitlines()) == 3
    assert set(files(here / "out")) == {"a1.png", "a2.png", "c d.png"}


def refused(here, *arguments):
    """Run what is wrong usage; return the message, and check that nothing was written."""
    before = files(here)
    status, out, err = call(*arguments)
    assert (status, out) == (2, "")
    assert files(here) == before
    return err


def test_two_inputs_of_one_name_are_refused(here):
    save(here / "x" / "a.png")
    save(here / "y" / "a.png")
    message = refused(here, "derain", "x", "y", "-o", "out")
    assert str(Path("x", "a.png")) in message
    assert str(Path("y", "a.png")) in message


def test_no_result_replaces_an_input(here):
    save(here / "x" / "a.png")
    for output in ("x", "x/a.png"):
        assert "the input itself" in refused(here, "derain", "x/a.png", "-o", output, "--overwrite")


def test_no_rain_layer_replaces_an_input(here):
    save(here / "a_rain.png")
    refused(here, "derain", "a_rain.png", "-o", "a.png", "--save-rain", "--overwrite", *QUICK)


@pytest.mark.parametrize("names", [("a.png", "a.jpg"), ("a.png", "a_rain.png")])
def test_two_results_of_one_name_are_refused(here, names):
    for seed, name in enumerate(names):
        save(here / "in" / name, seed=seed)
    refused(here, "derain", "in", "-o", "out", "--save-rain", *QUICK)


def test_several_inputs_do_not_go_to_one_file(here):
    for name in ("a.png", "b.png", "there.png", "there.txt"):
        save(here / name) if name.endswith("png") else (here / name).write_text("text")
    for output in ("dry.png", "there.png", "there.txt"):
        assert f"'{output}'" in refused(here, "derain", "a.png", "b.png", "-o", output, "--overwrite")


def test_an_output_below_a_file_fails_and_is_named(here):
    save(here / "a.png")
    (here / "file").write_text("text")
    status, out, err = call("derain", "a.png", "-o", "file/out", *QUICK)
    assert (status, out) == (1, "")
    assert str(Path("file", "out")) in err
    assert (here / "file").read_text() == "text"


# Skipping, going on, overwriting


def test_results_are_kept_completed_and_replaced(here):
    for name in ("a", "b", "c"):
        save(here / "in" / f"{name}.png")
    run = ("derain", "in", "-o", "out", *QUICK, "--save-rain")
    assert call(*run)[0] == 0
    first = files(here / "out")
    for path in (here / "out").iterdir():
        os.utime(path, ns=(10**18, 10**18))

    status, out, err = call(*run)
    assert (status, err) == (0, "0 derained, 3 skipped")
    assert out.count("kept") == 3
    assert {path.stat().st_mtime_ns for path in (here / "out").iterdir()} == {10**18}

    (here / "out" / "a.png").unlink()
    (here / "out" / "b_rain.png").unlink()
    status, _, err = call(*run)
    assert (status, err) == (0, "2 derained, 1 skipped")
    assert files(here / "out") == first
    fresh = {path.name for path in (here / "out").iterdir() if path.stat().st_mtime_ns != 10**18}
    assert fresh == {"a.png", "b_rain.png"}

    (here / "out" / "c.png").write_bytes(b"something else")
    assert call(*run)[0] == 0
    assert (here / "out" / "c.png").read_bytes() == b"something else"
    status, _, err = call(*run, "--overwrite")
    assert (status, err) == (0, "3 derained")
    assert files(here / "out") == first
    assert all(path.stat().st_mtime_ns != 10**18 for path in (here / "out").iterdir())


# Options


def entry(*arguments):
    status, out, err = call("derain", *arguments, "--json", "--overwrite")
    assert (status, err) == (0, "")
    return json.loads(out)


def test_settings_reach_the_solver(here):
    save(here / "a.png")
    usual = entry("a.png", "-o", "usual.png")
    assert usual["confidence"] > 0
    given = entry("a.png", "-o", "given.png", "--angle", "-12")
    assert given["angle"] == -12
    assert "confidence" not in given
    assert entry("a.png", "-o", "b.png", "--max-iter", "2", "--tol", "0")["iterations"] <= 2
    assert entry("a.png", "-o", "c.png", "--tol", "0.005")["gap"] <= 0.0051  # and what rounding adds
    assert entry("a.png", "-o", "d.png", "--weights", "lambda_y=0.06, sparsity=0.001")["rain"] > usual["rain"]
    assert entry("a.png", "-o", "e.png", "--weights", "sparsity=0.1")["rain"] < usual["rain"]
    defaults = "tau=0.005,lambda_x=0.05,lambda_y=0.02,sparsity=0.005"
    for name, weights in (("f.png", defaults), ("g.png", "tau=0.005")):
        assert entry("a.png", "-o", name, "--weights", weights)["rain"] != usual["rain"]
    assert (here / "f.png").read_bytes() == (here / "g.png").read_bytes() != (here / "usual.png").read_bytes()
    assert entry("a.png", "-o", "h.png", "--strength", "2")["rain"] > usual["rain"]
    assert entry("a.png", "-o", "i.png", "--strength", "0")["rain"] == 0
    assert entry("a.png", "-o", "veil.png", "--veil")["status"] == "ok"
    bare, veiled = (np.asarray(Image.open(here / name)).astype(int) for name in ("usual.png", "veil.png"))
    assert (veiled <= bare).all()
    assert veiled.mean() < bare.mean() - 3


def test_strength_is_checked(here):
    save(here / "a.png")
    for arguments in (("--strength", "-1"), ("--strength", "nan"), ("--strength", "2", "--weights", "tau=0.01")):
        status, _, err = call("derain", "a.png", "-o", "out", *arguments)
        assert status == 2
        assert "--strength" in err


def test_weights_are_read():
    weights = cli.parse_weights(" tau = 0.01 ,lambda_y=1e-3")
    assert weights == rainopt.UDGWeights(tau=0.01, lambda_y=0.001)
    assert cli.parse_weights(None) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "NAME=VALUE"),
        ("tau", "tau"),
        ("tau=", "tau"),
        ("tau=high", "high"),
        ("gamma=1", "gamma=1"),
        ("bounded=1", "bounded=1"),
        ("tau=0.1,", "NAME=VALUE"),
        ("tau=-1", "tau"),
        ("tau=nan", "tau"),
        ("sparsity=inf", "sparsity"),
        ("tau:0.1", "tau:0.1"),
    ],
)
def test_weights_that_make_no_sense(text, said):
    with pytest.raises(typer.BadParameter) as caught:
        cli.parse_weights(text)
    assert caught.value.param_hint == "--weights"
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--angle", "-90"], "(-90, 90] degrees, got -90"),
        (["--angle", "90.5"], "got 90.5"),
        (["--angle", "nan"], "got nan"),
        (["--angle", "inf"], "got inf"),
        (["--angle", "steep"], "--angle"),
        (["--device", "gpu"], "auto, cpu or cuda:N"),
        (["--device", "cuda:x"], "auto, cpu or cuda:N"),
        (["--device", "cuda:99"], "cuda:99"),
        (["--quality", "0"], "--quality"),
        (["--quality", "101"], "--quality"),
        (["--jobs", "0"], "--jobs"),
        (["--jobs", "two"], "--jobs"),
        (["--max-iter", "0"], "--max-iter"),
        (["--tol", "-0.1"], "--tol"),
        (["--tol", "nan"], "--tol"),
        (["--weights", "gamma=1"], "--weights"),
        (["--fast"], "--fast"),
    ],
)
def test_wrong_usage_is_status_2_before_anything_is_done(here, arguments, said):
    save(here / "a.png")
    assert said in refused(here, "derain", "a.png", "-o", "out", *arguments)


@pytest.mark.parametrize(
    ("arguments", "said"), [(["-o", "out"], "INPUT"), (["a.png"], "--output"), (["a.png", "-o"], "-o"), ([], "INPUT")]
)
def test_missing_arguments_are_status_2(here, arguments, said):
    assert said in refused(here, "derain", *arguments)


def test_a_command_that_is_none(here):
    assert "dry" in refused(here, "dry")


def test_a_device_without_its_library_is_status_2_and_says_what_to_install(here, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name, package=None: None)
    assert "pip install 'rainopt[gpu]'" in refused(here, "derain", "a.png", "-o", "out", "--device", "cuda:0")


@pytest.mark.parametrize("angle", ["90", "-89.9", "0"])
def test_angles_at_the_ends_of_their_range(here, angle):
    save(here / "a.png")
    assert entry("a.png", "-o", "b.png", "--max-iter", "3", "--angle", angle)["angle"] == float(angle)


# Help


def test_help_of_the_process(tmp_path):
    status, out, err = process("--help", cwd=tmp_path)
    assert (status, err) == (0, "")
    assert all(word in out for word in ("derain", "--version", "--help"))
    status, out, err = process("derain", "--help", cwd=tmp_path)
    assert (status, err) == (0, "")
    assert all(option in out for option in OPTIONS)
    assert all(text in out for text in ("Exit status", "photo.jpg", "tau=0.005", "0 is vertical"))


def test_version_of_the_process(tmp_path):
    assert process("--version", cwd=tmp_path) == (0, f"rainopt {rainopt.__version__}\n", "")


def test_help_names_every_option_there_is():
    click = typer.main.get_command(cli.app).commands["derain"]
    named = {option for parameter in click.params for option in parameter.opts if option.startswith("--")}
    assert named | {"--help"} == set(OPTIONS)
    assert all(getattr(parameter, "help", None) for parameter in click.params)


def test_the_defaults_that_help_names_are_the_defaults():
    click = typer.main.get_command(cli.app).commands["derain"]
    (text,) = (parameter.help for parameter in click.params if parameter.name == "weights")
    found = {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+\d)", text)}
    defaults = rainopt.UDGWeights()
    assert found == {name: getattr(defaults, name) for name in ("tau", "lambda_x", "lambda_y", "sparsity")}


# Interruptions


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Thirty pictures, enough to stop in the middle of."""
    top = tmp_path_factory.mktemp("many")
    image = Image.fromarray(levels(rainy((160, 240))))
    (top / "in").mkdir()
    for k in range(30):
        image.save(top / "in" / f"{k:02}.png")
    return top


def stopped(top, out, jobs, signum, group):
    """Start a run, send a signal after the first results, and return status and standard error."""
    with subprocess.Popen(
        command("derain", "in", "-o", out, "--jobs", jobs, *SLOW),
        cwd=top,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    ) as run:
        try:
            end = time.monotonic() + 60
            while len(images(top / out)) < 2 and run.poll() is None and time.monotonic() < end:
                time.sleep(0.005)
            (os.killpg if group else os.kill)(run.pid, signum)
            _, err = run.communicate(timeout=20 if signum == signal.SIGINT else 6)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)
    return run.returncode, err


def images(folder):
    return sorted(folder.glob("*.png")) if folder.is_dir() else []


def completed(top, out):
    """Run again; check that all is there and that what was done is kept."""
    before = {path: path.stat().st_mtime_ns for path in images(top / out)}
    for path in before:
        assert rainopt.read_image(path).shape == (160, 240, 3)
    status, _, err = process("derain", "in", "-o", out, *SLOW, cwd=top)
    assert status == 0
    assert f"{30 - len(before)} derained, {len(before)} skipped" in err
    assert len(images(top / out)) == 30
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in before.items())
    first, *others = (path.read_bytes() for path in images(top / out))
    assert all(other == first for other in others)


@posix
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("jobs", "group"),
    [pytest.param(1, False, marks=pytest.mark.slow), (2, True), pytest.param(2, False, marks=pytest.mark.slow)],
)
def test_an_interruption_is_status_130_and_the_next_run_goes_on(many, jobs, group):
    out = f"int{jobs}{group}"
    status, err = stopped(many, out, jobs, signal.SIGINT, group)
    assert status == 130
    assert "Traceback" not in err
    done, left = map(int, re.search(r"interrupted: (\d+) done, (\d+) left", err).groups())
    assert done + left == 30
    assert left > 0
    assert done <= len(images(many / out)) < 30
    assert set(os.listdir(many / out)) == {path.name for path in images(many / out)}
    completed(many, out)


@pytest.mark.skipif(not Path(f"/proc/self/task/{os.getpid()}/children").exists(), reason="children from /proc")
def test_an_interruption_while_workers_start_is_one_line(many):
    with subprocess.Popen(
        command("derain", "in", "-o", "early", "--jobs", 2),
        cwd=many,
        env=environment(),
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    ) as run:
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
        # The first child keeps track of semaphores, the two others work.
        while run.poll() is None and len(children.read_text().split()) < 3:
            time.sleep(0.005)
        time.sleep(0.05)
        os.killpg(run.pid, signal.SIGINT)
        _, err = run.communicate(timeout=20)
    assert run.returncode == 130
    assert re.fullmatch(r"interrupted: \d+ done, \d+ left; run the same command again to go on\n", err)


@posix
@pytest.mark.timeout(120)
@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_after_a_kill_the_next_run_goes_on(many, jobs):
    out = f"kill{jobs}"
    status, _ = stopped(many, out, jobs, signal.SIGKILL, group=True)
    assert status == -signal.SIGKILL
    assert len(images(many / out)) < 30
    completed(many, out)


@posix
@pytest.mark.timeout(120)
@pytest.mark.parametrize("signum", ["SIGKILL", pytest.param("SIGTERM", marks=pytest.mark.slow)])
def test_no_worker_outlives_the_command(many, signum):
    # They hold standard error open for as long as they live.
    status, _ = stopped(many, f"orphan{signum}", 2, getattr(signal, signum), group=False)
    assert status == -getattr(signal, signum)


@pytest.mark.parametrize("where", ["rainopt.app.inputs.plan", "rainopt.commands.derain_task.derain_file"])
def test_an_interruption_at_any_time_is_status_130(here, monkeypatch, where):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    save(here / "a.png")
    monkeypatch.setattr(where, interrupt)
    monkeypatch.setattr(sys, "argv", ["rainopt", "derain", "a.png", "-o", "out"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 130


@posix
def test_a_reader_that_goes_away_is_no_traceback(tmp_path):
    save(tmp_path / "a.png")
    reader, writer = os.pipe()
    os.close(reader)
    for form in (["--overwrite"], ["--overwrite", "--json"]):
        done = subprocess.run(
            command("derain", "a.png", "-o", "out", *QUICK, *form),
            cwd=tmp_path,
            env=environment(),
            stdout=writer,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
    os.close(writer)


# Size


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory from /proc")
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_100_megapixels_within_3_gibibytes(tmp_path):
    tile = levels(rainy((1000, 1000)))
    Image.fromarray(np.tile(tile, (10, 10, 1))).save(tmp_path / "large.jpg", quality=90)
    # The largest resident set of this program alone: `ru_maxrss` would count that of the process which started it.
    program = r"""
import pathlib, re, runpy, sys
sys.argv = ["rainopt", "derain", "large.jpg", "-o", "out", "--save-rain", "--json"]
try:
    runpy.run_module("rainopt", run_name="__main__")
finally:
    print(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1], file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    entry = json.loads(done.stdout)
    assert (entry["height"], entry["width"], entry["status"]) == (10_000, 10_000, "ok")
    assert int(done.stderr.split()[-1]) * 1024 <= 3 * 2**30
    assert image_size(tmp_path / "out" / "large.jpg") == (10_000, 10_000)
