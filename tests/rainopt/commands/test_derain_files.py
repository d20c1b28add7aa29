"""`rainopt derain` over folders of good and of bad files: what it writes, and what it says."""

import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

import rainopt
from rainopt.commands.main import app
from rainopt.io import image_size
from tests.support.photos import SIZE, clean, files, levels, rainy, save_photo
from tests.support.processes import call, environment, run

KEYS = {"input", "output", "status", "angle", "confidence", "height", "width", "iterations", "gap", "solver"}
KEYS |= {"rain", "seconds", "directions"}
ALPHA = np.random.default_rng(9).integers(0, 256, (*SIZE, 1), dtype=np.uint8)
PICTURES = {
    "plain.png": levels(rainy()),
    "Ünïcode ☂ and [brackets].png": levels(rainy(seed=1)),
    "sub/deep down/plain.jpg": levels(rainy(seed=2)),
    "sub/plain.webp": levels(rainy()),
    "grey.png": levels(rainy()[..., 0]),
    "grey_alpha.png": np.dstack([levels(rainy())[..., :1], ALPHA]),
    "rgba.png": np.dstack([levels(rainy()), ALPHA]),
    "constant.png": np.full((40, 50, 3), (200, 100, 50), np.uint8),
    "sixteen.png": levels(rainy(), np.uint16),
    "deep.tif": levels(rainy(), np.uint16),
    # The same light as in 16 bits: rounding may decide at which of its checks a solve is near enough.
    "float.tiff": (levels(rainy(), np.uint16) / np.float32(65535)).astype(np.float32),
}


def derain(*arguments, cwd):
    """Run the command; return status, standard output and error."""
    with contextlib.chdir(cwd):
        return call(app, "derain", *arguments)


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    """A folder of all kinds of pictures, and what one run over it says and writes."""
    top = tmp_path_factory.mktemp("album")
    folder = top / "my photos"
    (folder / "sub" / "deep down").mkdir(parents=True)
    for name, image in PICTURES.items():
        if name == "sixteen.png":
            cv2.imwrite(str(folder / name), image[..., ::-1])
        elif "tif" in name:
            tifffile.imwrite(folder / name, image, photometric="rgb")
        else:
            Image.fromarray(image).save(folder / name, quality=95, **({"lossless": True} if "webp" in name else {}))
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_bytes(b"no picture")
    return top, folder, *derain(folder.name, "-o", "dry", "--json", "--save-rain", "--compare", cwd=top)


def test_good_files_are_status_0_without_a_word_of_warning_and_have_three_results_each(album):
    top, _, status, _, err = album
    assert (status, err) == (0, "")
    more = {re.sub(r"\.\w+$", f"_{kind}.png", name) for name in PICTURES for kind in ("rain", "compare")}
    assert files(top / "dry").keys() == PICTURES.keys() | more


def test_json_is_one_object_a_line_with_the_documented_keys(album):
    entries = [json.loads(line) for line in album[3].splitlines()]
    assert {Path(entry["input"]).relative_to("my photos").as_posix() for entry in entries} == PICTURES.keys()
    for entry in entries:
        dry = {"untouched"} if entry["directions"] == [] else set()
        assert set(entry) == KEYS | dry
        assert entry["status"] == "ok"
        assert Path(entry["output"]) == Path("dry", *Path(entry["input"]).parts[1:])
        assert -90 < entry["angle"] <= 90
        assert 0 <= entry["confidence"] <= 1
        assert 0 <= entry["rain"] <= 1


def test_depth_channels_format_and_alpha_are_kept(album):
    top, folder, *_ = album
    for name in PICTURES:
        before, after = rainopt.read_image(folder / name), rainopt.read_image(top / "dry" / name)
        assert (after.dtype, after.shape) == (before.dtype, before.shape), name
        assert (top / "dry" / name).read_bytes()[:4] == (folder / name).read_bytes()[:4]
        if name in ("grey_alpha.png", "rgba.png"):
            np.testing.assert_array_equal(after[..., -1], before[..., -1])
        if name == "constant.png":
            np.testing.assert_array_equal(after, before)
    # Other programs find the same in them.
    png = cv2.imread(str(top / "dry" / "sixteen.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    tif, floats = (tifffile.imread(top / "dry" / name) for name in ("deep.tif", "float.tiff"))
    assert (png.dtype, tif.dtype, floats.dtype) == (np.uint16, np.uint16, np.float32)
    np.testing.assert_array_equal(png, tif)
    np.testing.assert_allclose(floats, png / 65535, atol=2e-4)


def test_rain_is_gone_from_every_picture(album):
    for name in ("plain.png", "sixteen.png", "float.tiff", "sub/plain.webp"):
        after = rainopt.read_image(album[0] / "dry" / name)
        after = after if after.dtype.kind == "f" else after / np.iinfo(after.dtype).max
        assert np.mean((after - clean()) ** 2) < 0.8 * np.mean((rainy() - clean()) ** 2), name


def test_two_jobs_write_the_same_bytes(album):
    top, folder, *_ = album
    status, again, err = derain(folder / "sub", "-o", "two", "--json", "--save-rain", "--compare", "--jobs", 2, cwd=top)
    assert (status, err) == (0, "")
    assert len(again.splitlines()) == 2
    assert files(top / "two") == files(top / "dry" / "sub")


BAD = {
    "text.png": "not a PNG, JPEG",
    "empty.jpg": "empty",
    "cut.png": "truncated",
    "cut.jpg": "truncated",
    "cut.tif": "truncated",
    "cut.webp": "truncated",
    "cut16.png": "truncated",
    "row.png": "8 pixels",
    "small.png": "8 pixels",
    "nan.tif": "NaN",
    "range.tif": "[0, 1]",
    "pages.tif": "2 pictures",
    "five.tif": "channel",
}
MISSING = {
    "gone.png": "does not exist",
    "nothing": "holds no image",
    "no*.png": "matches no file",
    str(Path("dry", "there.png")): "folder",
}
GOOD = {"a good one.png", "z good one.jpg"}


def halve(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def test_bad_files_are_named_in_a_line_each_leave_nothing_behind_and_the_good_ones_are_done(tmp_path):
    folder = tmp_path / "in"
    for name in GOOD:
        save_photo(folder / name)
    (folder / "text.png").write_text("This is no picture.")
    (folder / "empty.jpg").touch()
    for suffix, options in ((".png", {}), (".jpg", {}), (".tif", {"compression": "tiff_lzw"}), (".webp", {})):
        halve(save_photo(folder / f"cut{suffix}", **options))
    cv2.imwrite(str(folder / "cut16.png"), levels(rainy(), np.uint16))
    halve(folder / "cut16.png")
    for name, size in (("row", (1, 90)), ("small", (7, 100))):
        Image.fromarray(np.full((*size, 3), 99, np.uint8)).save(folder / f"{name}.png")
    for name, value in (("nan", np.nan), ("range", 1.5)):
        image = rainy()
        image[3, 4, 1] = value
        tifffile.imwrite(folder / f"{name}.tif", image, photometric="rgb")
    tifffile.imwrite(folder / "pages.tif", np.stack([levels(rainy())] * 2), photometric="rgb")
    five = np.dstack([levels(rainy()), levels(rainy())[..., :2]])
    tifffile.imwrite(folder / "five.tif", five, photometric="rgb", extrasamples=[0, 0])
    (tmp_path / "nothing").mkdir()
    (tmp_path / "dry" / "there.png").mkdir(parents=True)
    save_photo(tmp_path / "there.png")
    inputs = ["gone.png", "nothing", "no*.png", "in", "there.png"]
    # A process of its own, so that all is seen that any library says.
    done = run("rainopt", "derain", *inputs, "-o", "dry", "--overwrite", cwd=tmp_path)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 2
    # No traceback, no warning, and no log of a library: one line for each.
    *lines, last = done.stderr.splitlines()
    assert last == f"2 derained, {len(BAD) + len(MISSING)} failed"
    assert len(lines) == len(BAD) + len(MISSING)
    for name, said in ({str(Path("in", name)): said for name, said in BAD.items()} | MISSING).items():
        (line,) = (line for line in lines if f"'{name}'" in line)
        assert line.startswith("failed")
        assert said in line
    assert files(tmp_path).keys() == {f"in/{name}" for name in BAD.keys() | GOOD} | {
        "there.png",
        *(f"dry/{name}" for name in GOOD),
    }


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory from /proc")
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_100_megapixels_within_3_gibibytes(tmp_path):
    Image.fromarray(np.tile(levels(rainy((1000, 1000))), (10, 10, 1))).save(tmp_path / "large.jpg", quality=90)
    # The largest resident set of this program alone: `ru_maxrss` would count that of the process which started it.
    program = r"""
import pathlib, re, runpy, sys
sys.argv = ["rainopt", "derain", "large.jpg", "-o", "out", "--save-rain", "--json"]
try:
    runpy.run_module("rainopt", run_name="__main__")
finally:
    print(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1], file=sys.stderr)
"""
    options = {"cwd": tmp_path, "env": environment(), "capture_output": True, "encoding": "utf-8"}
    done = subprocess.run([sys.executable, "-c", program], timeout=800, check=False, **options)
    assert done.returncode == 0, done.stderr
    entry = json.loads(done.stdout)
    assert (entry["height"], entry["width"], entry["status"]) == (10_000, 10_000, "ok")
    assert int(done.stderr.split()[-1]) * 1024 <= 3 * 2**30
    assert image_size(tmp_path / "out" / "large.jpg") == (10_000, 10_000)
