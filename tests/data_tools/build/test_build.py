"""Datasets built of rain videos, as people run it: what is in them, what is said, and what a stopped run leaves."""

import contextlib
import functools
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data
from typer.testing import CliRunner

from data_tools import RainSpec
from data_tools.build import video as build_video
from data_tools.build.dataset import _groups, _in_split, _uniform, begin, finish
from data_tools.build.plan import NOTES, BuildOptions, VideoJob, plan_videos, video_name
from data_tools.build.video import Window, _write_notes
from data_tools.commands import main as cli
from data_tools.manifest.file import PairRecord, append_record, read_manifest
from data_tools.manifest.paths import checksum
from data_tools.rain.video import rain_video
from rainopt.io import read_image, write_image
from rainopt.io.video.read import read_frames
from rainopt.io.video.write import VideoWriter

ROOT = Path(__file__).parents[3]
H, W = 144, 192
OPTIONS = ["--every", "0.8", "-n", "2", "--licence", "CC0-1.0"]
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@functools.cache
def view(name):
    return cv2.resize(getattr(data, name)(), (W, H), interpolation=cv2.INTER_AREA)


@functools.cache
def rained(name, count, seed=0, preset="light"):
    rng = np.random.default_rng(seed)
    spec = replace(RainSpec.sample(preset, rng), veil=0.0).scaled(0.45)
    if preset == "light":
        spec = replace(spec, density=2000.0)
    drawn = (one.rainy * 255 + rng.normal(0, 1, (H, W, 1)) for one in rain_video(view(name), spec, rng))
    return [np.clip(np.rint(levels), 0, 255).astype(np.uint8) for levels in itertools.islice(drawn, count)]


def save(path, frames):
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, height=frames[0].shape[0], width=frames[0].shape[1], rate=Fraction(25), quality=5) as out:
        for frame in frames:
            out.write(frame)
    return path


def environment():
    """Ours, without what colours or wraps the output."""
    unset = {"FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "RAINOPT_NUM_THREADS", "PYTHONIOENCODING"}
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    paths = os.pathsep.join([str(ROOT), *filter(None, [kept.get("PYTHONPATH")])])
    return kept | {"NO_COLOR": "1", "COLUMNS": "200", "PYTHONUTF8": "1", "PYTHONPATH": paths}


def command(*arguments):
    return [sys.executable, "-m", "data_tools.commands.main", *map(str, arguments)]


def call(*arguments):
    """Run the command in this process; return status, standard output and error without frames and line breaks."""
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    plain = re.sub(r"\x1b\[[\d;]*m", "", result.stderr)
    return result.exit_code, result.stdout, " ".join(re.sub(r"[│╭╮╰╯─]", " ", plain).split())


def built(*arguments, status=0):
    got, out, err = call("build", *arguments)
    assert got == status, err
    return out, err


def verified(folder, pairs):
    status, out, _ = call("verify", folder, "--json")
    report = json.loads(out)
    assert (status, report["findings"], report["pairs"], report["notes"]) == (0, [], pairs, [])


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def stamps(folder):
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*.png") if p.name != "contact_sheet.png"}


def never(*args, **kwargs):
    raise AssertionError("a video is opened again")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def top(tmp_path_factory):
    """Three videos, and the dataset of a run that nothing stopped."""
    top = tmp_path_factory.mktemp("build")
    save(top / "videos" / "Ä [x] ☂.mp4", rained("astronaut", 42))
    save(top / "videos" / "sub dir" / "b.mkv", rained("coffee", 42))
    for number, frame in enumerate(rained("chelsea", 21)):
        (top / "videos" / "c").mkdir(exist_ok=True)
        write_image(top / "videos" / "c" / f"{number}.png", frame)
    with contextlib.chdir(top):
        out, err = built("videos", "videos/c", "-o", "whole", *OPTIONS)
    assert err == ""
    assert re.search(r"whole holds 10 pairs, whole/contact_sheet\.png \([\d.]+ s\)\n$", out)
    return top


@pytest.fixture
def copy(top, monkeypatch):
    """A copy of that dataset, to be changed."""
    monkeypatch.chdir(top)
    yield Path(shutil.copytree("whole", "copy"))
    shutil.rmtree("copy")


# A dataset


@pytest.fixture(scope="module")
def manifest(top):
    return read_manifest(top / "whole")


def test_a_dataset_is_built_that_verify_accepts(top, manifest):
    assert {record.id.partition("/")[0].rpartition("-")[0] for record in manifest} == {"Ä [x] ☂", "b", "c"}
    verified(top / "whole", 10)


def test_records_say_where_pairs_are_from(manifest):
    assert [record.id for record in manifest] == sorted(record.id for record in manifest)
    for record in manifest:
        name, _, stem = record.id.partition("/")
        start, number = map(int, stem.split("_"))
        assert record.extra["frame"] == number
        assert 0 <= number - start < record.extra["background_frames"] <= 22
        assert record.scene == f"{name}/000"
        assert record.licence == "CC0-1.0"
        assert record.split == "train"
        assert record.source in ("Ä [x] ☂.mp4", "b.mkv", "c")
        assert abs(record.angle) < 30
        assert record.clean == f"clean/{name}/{start:06}.png"
        assert (record.rainy, record.extra["valid"]) == (f"rainy/{record.id}.png", f"valid/{record.id}.png")
        assert record.extra["expected_psnr"] > 40
        assert record.extra["stabilised"] is False
        assert 0 < record.extra["rain_share"] < 0.5
        assert 0 < record.extra["percentile"] < 60
        assert record.checksums == {
            path: checksum(manifest.path(path)) for path in (record.rainy, record.clean, record.extra["valid"])
        }
    settings = manifest.header.extra["build"]
    assert (settings["every"], settings["pairs"], settings["crop"]) == (0.8, 2, None)
    assert manifest.header.licence == "CC0-1.0"


def test_rainy_pictures_are_frames_and_clean_ones_are_close_to_the_truth(top, manifest):
    sources = {"Ä [x] ☂.mp4": "astronaut", "sub dir/b.mkv": "coffee", "c": "chelsea"}
    for source, place in sources.items():
        frames = read_frames(top / "videos" / source)
        for record in (one for one in manifest if one.source == Path(source).name):
            rainy, clean = (read_image(manifest.path(path)) for path in (record.rainy, record.clean))
            np.testing.assert_array_equal(rainy, frames[record.extra["frame"]])
            # Luma, which the videos keep better than colour.
            error, rain = ((image - view(place).astype(float)) @ (0.299, 0.587, 0.114) for image in (clean, rainy))
            assert -10 * np.log10(np.square(error / 255).mean()) > 40
            assert np.square(rain).mean() > 10 * np.square(error).mean()


def test_valid_masks_are_white_where_rain_is_all_that_differs(manifest):
    for record in manifest:
        valid = read_image(manifest.path(record.extra["valid"]))
        assert (valid.dtype, valid.shape) == (np.uint8, (H, W))
        assert set(np.unique(valid)) <= {0, 255}
        assert np.mean(valid == 255) == pytest.approx(record.extra["valid_share"], abs=1e-5)
        assert record.extra["valid_share"] > 0.9


def test_there_are_no_other_files(top, manifest):
    named = {path for record in manifest for path in record.checksums}
    found = {name for name in files(top / "whole") if not name.startswith(f"{NOTES}/")}
    assert found == named | {"manifest.jsonl", "contact_sheet.png"}


def test_things_that_move_are_not_valid(here):
    frames = [frame.copy() for frame in rained("coffee", 21)]
    for k, frame in enumerate(frames):
        frame[40:70, 8 * k : 8 * k + 24] = 10
    save(Path("v.mkv"), frames)
    built("v.mkv", "-o", "out", "-n", "3")
    pairs = read_manifest("out")
    assert len(pairs) == 3
    for record in pairs:
        valid = read_image(pairs.path(record.extra["valid"]))
        k = record.extra["frame"]
        bright = view("coffee")[40:70, 8 * k : 8 * k + 24].mean(axis=-1) > 60
        assert bright.any()
        assert not valid[40:70, 8 * k : 8 * k + 24][bright].any()
        assert (valid[80:] == 255).mean() > 0.9
    verified("out", 3)


def test_webdataset_shards_carry_the_masks(top, manifest, tmp_path):
    assert call("export", top / "whole", "-o", tmp_path / "shards", "--to", "webdataset")[0] == 0
    members = {}
    for shard in (tmp_path / "shards").rglob("*.tar"):
        with tarfile.open(shard) as tar:
            members |= {name: tar.extractfile(name).read() for name in tar.getnames()}
    kinds = {"rainy", "clean", "valid"}
    found = {json.loads(text)["id"]: name.removesuffix(".json") for name, text in members.items() if ".json" in name}
    assert set(found) == {record.id for record in manifest}
    for record in manifest:
        paths = dict(zip(("rainy", "clean", "valid"), (record.rainy, record.clean, record.extra["valid"]), strict=True))
        for kind in kinds:
            assert members[f"{found[record.id]}.{kind}.png"] == manifest.path(paths[kind]).read_bytes()


def test_json_is_one_object_a_line(here):
    save(Path("v.mkv"), rained("coffee", 22))
    Path("zero.mp4").touch()
    out, err = built("v.mkv", "zero.mp4", "-o", "out", *OPTIONS, "--json", status=1)
    lines = {line["video"]: line for line in map(json.loads, out.splitlines())}
    assert set(lines) == {"v.mkv", "zero.mp4"}
    good, bad = lines["v.mkv"], lines["zero.mp4"]
    assert (good["frames"], good["scenes"], good["windows"], good["accepted"], good["pairs"]) == (22, 1, 2, 1, 2)
    assert good["expected_psnr"] > 40
    assert list(good["rejected"]) == ["20"]
    assert "zero.mp4" in bad["error"]
    assert bad["error"] in err


# Crops


def test_crops_lie_apart_and_belong_to_their_frames(here):
    save(Path("v.mkv"), rained("coffee", 21))
    built("v.mkv", "-o", "out", "-n", "2", "--crop", "64", "--crops", "3")
    pairs = read_manifest("out")
    assert len(pairs) == 2 * 3
    verified("out", 6)
    frames = read_frames("v.mkv")
    corners = set()
    for record in pairs:
        _, number, top, left = map(int, record.id.partition("/")[2].split("_"))
        corners.add((top, left))
        rainy, clean, valid = (
            read_image(pairs.path(path)) for path in (record.rainy, record.clean, record.extra["valid"])
        )
        assert clean.shape == (64, 64, 3)
        assert valid.shape == (64, 64)
        np.testing.assert_array_equal(rainy, frames[number][top : top + 64, left : left + 64])
        assert np.abs(clean.astype(int) - view("coffee")[top : top + 64, left : left + 64]).mean() < 5
    assert len(corners) == 3
    assert all(max(abs(a[0] - b[0]), abs(a[1] - b[1])) >= 64 for a, b in itertools.combinations(corners, 2))


def test_crops_that_do_not_fit_are_told(here):
    save(Path("v.mkv"), rained("coffee", 21))
    _, err = built("v.mkv", "-o", "out", "--crop", "160", status=1)
    assert err == ("failed 'v.mkv': crops of 160 pixels do not fit into frames of 144 x 192; choose a smaller --crop")


# Again


def test_a_second_run_changes_no_byte_and_opens_no_video(copy, monkeypatch):
    before, at = files(copy), stamps(copy)
    monkeypatch.setattr("data_tools.build.video.open_video", never)
    out, err = built("videos", "videos/c", "-o", copy, *OPTIONS)
    assert err == ""
    assert "holds 10 pairs" in out
    assert files(copy) == before
    assert stamps(copy) == at


def test_a_file_that_was_removed_is_made_again_with_the_same_bytes(copy, top):
    pairs = read_manifest(copy).records
    gone = [
        pairs[0].rainy,
        pairs[2].clean,
        pairs[-1].extra["valid"],
        "contact_sheet.png",
        f"{NOTES}/{pairs[4].id[:-14]}",
    ]
    for path in gone[:-1]:
        (copy / path).unlink()
    shutil.rmtree(copy / gone[-1])
    built("videos", "videos/c", "-o", copy, *OPTIONS)
    assert files(copy) == files(top / "whole")


def test_notes_that_are_damaged_are_made_again(copy, top):
    notes = sorted((copy / NOTES).rglob("*.json"))
    for file, text in zip(notes, itertools.cycle(["", "{}", "[1]", '{"a": 1}', "no json"]), strict=False):
        file.write_text(text)
    built("videos", "videos/c", "-o", copy, *OPTIONS)
    assert files(copy) == files(top / "whole")


def test_a_manifest_that_was_torn_is_mended(copy, top):
    file = copy / "manifest.jsonl"
    file.write_bytes(file.read_bytes()[:-40])
    built("videos", "videos/c", "-o", copy, *OPTIONS)
    assert files(copy) == files(top / "whole")


def test_videos_that_were_moved_or_renamed_are_not_done_again(copy, top, monkeypatch):
    shutil.copytree("videos", "elsewhere")
    os.rename("elsewhere/sub dir/b.mkv", "elsewhere/renamed.mkv")
    monkeypatch.setattr("data_tools.build.video.open_video", never)
    built("elsewhere", "elsewhere/c", "-o", copy, *OPTIONS)
    assert files(copy) == files(top / "whole")
    shutil.rmtree("elsewhere")


@pytest.mark.parametrize("other", [["-n", "3"], ["--every", "2"], ["--crop", "32"], ["-s", "1"], ["--no-stabilise"]])
def test_other_settings_are_refused(copy, other):
    before = files(copy)
    out, err = built("videos", "-o", copy, *OPTIONS, *other, status=2)
    assert out == ""
    assert "use the same settings or another folder" in err
    assert files(copy) == before


def test_a_folder_of_something_else_is_refused(top, here):
    Path("full").mkdir()
    Path("full/letter.txt").write_text("mine")
    for place, said in (("full", "is not empty and holds no manifest.jsonl"), ("full/letter.txt", "letter.txt")):
        _, err = built(top / "videos", "-o", place, status=2)
        assert said in err
    assert files(Path("full")) == {"letter.txt": b"mine"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument 'VIDEO"),
        (["v.mkv"], "Missing option '-o' / '--output'"),
        (["v.mkv", "-o", "out", "--val-share", "0.6", "--test-share", "0.4"], "must leave something to train on"),
        (["v.mkv", "-o", "out", "-n", "0"], "--pairs"),
        (["v.mkv", "-o", "out", "--crop", "8"], "--crop"),
        (["v.mkv", "-o", "out", "--every", "-1"], "--every"),
    ],
)
def test_wrong_usage_is_status_2_before_anything_is_done(here, arguments, said):
    _, err = built(*arguments, status=2)
    assert said in err
    assert not list(here.iterdir())


# Names


def test_videos_of_one_name_are_two_and_copies_are_one(here):
    save(Path("x/cam.mkv"), rained("coffee", 21))
    save(Path("y/cam.mkv"), rained("chelsea", 21))
    shutil.copy("x/cam.mkv", "y/copy.mkv")
    out, err = built("x", "y", "x/cam.mkv", "-o", "out", *OPTIONS)
    assert err == "'y/copy.mkv' is the same video as 'x/cam.mkv' and is taken once"
    assert "holds 4 pairs" in out
    names = {record.id.partition("/")[0] for record in read_manifest("out")}
    assert names == {video_name(Path("x/cam.mkv")), video_name(Path("y/cam.mkv"))}
    assert all(name.startswith("cam-") for name in names)
    verified("out", 4)


def test_what_is_inside_the_dataset_is_no_input(here):
    save(Path("v/a.mkv"), rained("coffee", 21))
    built("v", "-o", "v/out", *OPTIONS)
    before = files(Path("v"))
    built("v", "-o", "v/out", *OPTIONS)
    assert files(Path("v")) == before


@pytest.mark.parametrize("name", ["a:b*c?.mkv", " . .mkv", "x" * 200 + ".mkv", "é☂" * 40 + ".mkv", "-n.mkv"])
def test_any_name_of_a_file_gives_one_for_the_dataset(here, name):
    Path(name).write_bytes(b"content")
    found = video_name(Path(name))
    assert re.fullmatch(r"[^\\/:*?\"<>|\x00-\x1f]+-[0-9a-f]{10}", found)
    assert not found.startswith((".", " "))
    assert len(found.encode()) <= 91
    os.replace(name, "other.mkv")
    assert video_name(Path("other.mkv")) == f"other{found[-11:]}"


def test_content_makes_the_name_of_a_folder_too(here):
    for folder in ("one", "two", "three"):
        for number in range(3):
            write_image_at(Path(folder, f"{number}.png"), number + 10 * (folder == "three"))
    assert video_name(Path("one"))[-10:] == video_name(Path("two"))[-10:] != video_name(Path("three"))[-10:]


def write_image_at(path, value):
    path.parent.mkdir(exist_ok=True)
    write_image(path, np.full((8, 8, 3), value, np.uint8))


# Videos that are not good


def test_bad_videos_are_named_and_the_rest_is_done(here):
    save(Path("in/good.mkv"), rained("coffee", 21))
    save(Path("in/one.mkv"), rained("coffee", 1))
    dry = np.random.default_rng(0).normal(0, 1, (21, H, W, 1)) + view("chelsea")
    save(Path("in/dry.mkv"), [np.clip(np.rint(frame), 0, 255).astype(np.uint8) for frame in dry])
    save(Path("in/heavy.mkv"), rained("coffee", 21, preset="heavy"))
    long = save(Path("long.mkv"), rained("astronaut", 60)).read_bytes()
    Path("in/torn.mkv").write_bytes(long[: len(long) * 3 // 4])
    Path("in/zero.mp4").touch()
    Path("in/text.mp4").write_text("no video")
    out, err = built("in", "missing.mp4", "nothing*.mp4", "-o", "out", "-n", "2", status=1)
    for said in (
        "failed 'nothing*.mp4' matches no file",
        "failed 'missing.mp4' cannot be read (No such file or directory)",
        "failed 'in/zero.mp4' is empty",
        "failed 'in/text.mp4'",
    ):
        assert said in err
    assert "Traceback" not in err
    assert err.count("failed") == 4
    assert re.search(r"'in/torn\.mkv': .*(lost|cut off|decoded|ends)", err), err
    assert re.search(r"one-\w+: no pairs of the frames from 0: expected 0\.0 dB of 40 \(only 1 frame\)", out)
    assert re.search(r"dry-\w+: no pairs of the frames from 0: no rain is seen in the frames", out)
    assert re.search(r"heavy-\w+: no pairs of the frames from 0: expected [\d.]+ dB of 40 \(only 21 frames\)", out)
    assert {record.source for record in read_manifest("out")} == {"good.mkv", "torn.mkv"}
    verified("out", 4)


def test_what_was_made_before_a_video_breaks_is_kept(here):
    for number, frame in enumerate(rained("coffee", 30)):
        Path("v").mkdir(exist_ok=True)
        write_image(Path("v", f"{number}.png"), frame if number != 27 else frame[:100])
    _, err = built("v", "-o", "out", *OPTIONS, status=1)
    assert err.startswith("failed 'v' changes its size: frame 27 ('27.png') has 100 x 192 pixels")
    verified("out", 2)
    # Mended, it is another video; what is no longer asked for stays.
    write_image(Path("v", "27.png"), rained("coffee", 30)[27])
    built("v", "-o", "out", *OPTIONS)
    assert len(read_manifest("out")) > 2


def test_no_video_at_all_is_an_empty_dataset(here):
    out, err = built("nowhere", "-o", "out", status=1)
    assert "failed 'nowhere' cannot be read" in err
    assert "out holds 0 pairs" in out
    assert len(read_manifest("out")) == 0


def test_a_full_disk_is_told_and_the_next_run_completes(top, here, monkeypatch):
    def until_full(path, image, **options):
        if "b-" in str(path) and "rainy" in str(path):
            raise OSError(28, "No space left on device", str(path))
        return write_image(path, image, **options)

    monkeypatch.chdir(top)
    out = here / "out"
    with monkeypatch.context() as patch:
        patch.setattr("data_tools.build.video.write_image", until_full)
        _, err = built("videos", "videos/c", "-o", out, *OPTIONS, status=1)
    assert err.count("failed") == 1
    assert "No space left on device" in err
    assert "b-" in err
    assert len(read_manifest(out)) == 6
    report = json.loads(call("verify", out, "--json")[1])
    assert report["ok"]
    built("videos", "videos/c", "-o", out, *OPTIONS)
    assert files(out) == files(top / "whole")


@posix
def test_a_disk_that_takes_no_large_file_is_told(top, here):
    """The files themselves fail to be written, not the function."""
    limit = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)); "
    limit += "sys.argv = sys.argv[1:]; runpy.run_module('data_tools.commands.main', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", limit, "raindata", "build", "videos/c", "-o", str(here / "out"), *OPTIONS],
        cwd=top,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "cannot be written (File too large); check the disk space" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(here.rglob("*.tmp"))
    assert not list(here.rglob("*.png"))


# Runs that were stopped


def stopped(top, out, jobs, signum, group, after):
    """Start a run, send a signal when so many files are there, and return status and what was said."""
    with subprocess.Popen(
        command("build", "videos", "videos/c", "-o", out, *OPTIONS, "-j", jobs),
        cwd=top,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    ) as run:
        try:
            end = time.monotonic() + 60
            while len(list(Path(out).rglob("*.png"))) < after and run.poll() is None and time.monotonic() < end:
                time.sleep(0.002)
            (os.killpg if group else os.kill)(run.pid, signum)
            said, err = run.communicate(timeout=30)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)
    return run.returncode, said, err


def completed(top, out):
    """Check that what is there is a good dataset, and that the same command makes a whole one of it."""
    assert 0 <= len(read_manifest(out, repair=True)) < 10
    status, said, _ = call("verify", out, "--json")
    assert (status, json.loads(said)["findings"]) == (0, [])
    at = {path: stamp for path, stamp in stamps(out).items() if path.parent.name.startswith("Ä")}
    first = {path for record in read_manifest(out, repair=True) for path in record.checksums}
    with contextlib.chdir(top):
        built("videos", "videos/c", "-o", out, *OPTIONS)
    assert files(out) == files(top / "whole")
    after = stamps(out)
    assert all(after[path] == stamp for path, stamp in at.items() if path.relative_to(out).as_posix() in first)


@posix
@pytest.mark.parametrize(
    ("after", "jobs"),
    [
        (6, 1),
        pytest.param(1, 2, marks=pytest.mark.slow),
        pytest.param(9, 2, marks=pytest.mark.slow),
        pytest.param(13, 1, marks=pytest.mark.slow),
        pytest.param(17, 1, marks=pytest.mark.slow),
    ],
)
def test_after_a_kill_the_next_run_completes(top, tmp_path, after, jobs):
    out = tmp_path / "out"
    assert stopped(top, out, jobs, signal.SIGKILL, True, after)[0] == -signal.SIGKILL
    completed(top, out)


@posix
@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_an_interruption_is_status_130_and_the_next_run_goes_on(top, tmp_path, jobs):
    out = tmp_path / "out"
    status, said, err = stopped(top, out, jobs, signal.SIGINT, jobs > 1, 6)
    assert (status, said) == (130, "")
    made, left = map(
        int,
        re.fullmatch(
            r"interrupted: (\d+) videos done, (\d+) left; run the same command again to go on", err.strip()
        ).groups(),
    )
    assert made + left == 3
    assert not list(tmp_path.rglob("*.tmp"))
    completed(top, out)


@posix
def test_half_written_files_of_killed_runs_are_removed(copy, top):
    (copy / "rainy" / ".0123456789abcdef.999999999.01234567.tmp").write_bytes(b"half")
    built("videos", "videos/c", "-o", copy, *OPTIONS)
    assert files(copy) == files(top / "whole")


def test_an_interruption_at_any_time_is_status_130(here, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    for where in (
        "data_tools.build.plan.survey",
        "data_tools.build.video.open_video",
        "data_tools.commands.build.write_sheet",
    ):
        save(Path("v.mkv"), rained("coffee", 4))
        with monkeypatch.context() as patch:
            patch.setattr(where, interrupt)
            patch.setattr(sys, "argv", ["raindata", "build", "v.mkv", "-o", "out"])
            with pytest.raises(SystemExit) as caught:
                cli.main()
        assert caught.value.code == 130


def test_windows_after_a_knock_do_not_depend_on_what_was_noted(here):
    frames = [np.roll(frame, -6 * (k >= 22), axis=1) for k, frame in enumerate(rained("coffee", 45))]
    save(Path("v.mkv"), frames)
    job = VideoJob(Path("v.mkv"), "v", here / "out", BuildOptions(every=0.0, pairs=1, accept=99))
    first = build_video.build_video(job)
    assert first.error is None
    assert len(first.windows) > 1
    for note in (here / "out" / NOTES).rglob("*.json"):
        if note.name != "000000.json":
            note.unlink()
    assert build_video.build_video(job).windows == first.windows


# Splits


def record_of(name):
    return PairRecord(id=f"{name}/000000_000000", rainy="a.png", clean="b.png", scene=f"{name}/000")


def test_shares_are_those_asked_for_over_many_videos():
    options = BuildOptions(val_share=0.2, test_share=0.1, seed=3)
    splits = [_in_split(record_of(f"v{k}"), {}, options).split for k in range(3000)]
    assert splits.count("test") / 3000 == pytest.approx(0.1, abs=0.02)
    assert splits.count("val") / 3000 == pytest.approx(0.2, abs=0.025)
    assert splits.count("train") == 3000 - splits.count("test") - splits.count("val")
    other = [_in_split(record_of(f"v{k}"), {}, replace(options, seed=4)).split for k in range(3000)]
    assert other != splits
    assert {_in_split(record_of(f"v{k}"), {}, BuildOptions()).split for k in range(50)} == {"train"}


def test_more_videos_do_not_move_the_others():
    names = [f"v{k}" for k in range(50)]
    options = BuildOptions(val_share=0.5)
    prints = {(name, 0x9E3779B97F4A7C15 * (k + 1) % 2**64) for k, name in enumerate(names)}
    assert _groups(prints) == {name: name for name in names}
    few = {name: _in_split(record_of(name), _groups(sorted(prints)[:20]), options).split for name in names[:20]}
    all_of_them = {name: _in_split(record_of(name), _groups(prints), options).split for name in names[:20]}
    assert few == all_of_them


def test_videos_that_look_alike_are_one_group():
    base = 0x0123456789ABCDEF
    prints = {
        ("d", base),
        ("b", base ^ 0b1111),  # four bits off d
        ("c", base ^ 0b1111 ^ (0b1111 << 30)),  # four off b, eight off d
        ("a", base ^ (0b11111 << 20)),  # five off d
        ("e", ~base % 2**64),
        ("b", ~base % 2**64 ^ (1 << 63)),  # another scene of b, which e looks like
    }
    assert _groups(prints) == {"a": "a", "b": "b", "c": "b", "d": "b", "e": "b"}


def test_every_near_fingerprint_is_found():
    rng = np.random.default_rng(0)
    for _ in range(300):
        value = int.from_bytes(rng.bytes(8), "big")
        bits = rng.choice(64, 4, replace=False)
        other = value ^ sum(1 << int(bit) for bit in bits)
        assert _groups({("x", value), ("y", other)}) == {"x": "x", "y": "x"}


def test_videos_of_earlier_runs_keep_their_group(here):
    options = BuildOptions(val_share=0.5)
    begin(here / "out", options)

    def noted(name, fingerprint):
        job = VideoJob(here / name, name, here / "out", options)
        record = record_of(name)
        window = Window(0, 9, 0, 9, True, 50.0, True, fingerprint=fingerprint, records=(record.model_dump(),))
        _write_notes(job, "000000", vars(window))
        append_record(here / "out", record)
        return build_video.VideoResult(name, name, (window,))

    pair = next((f"a{k}", f"b{k}") for k in range(99) if (_uniform(0, f"a{k}") < 0.5) != (_uniform(0, f"b{k}") < 0.5))
    first = [noted(name, 12345) for name in pair]
    before = {record.id: record.split for record in finish(here / "out", options, first)}
    assert len(set(before.values())) == 1
    after = {record.id: record.split for record in finish(here / "out", options, [noted("other", 999 << 40)])}
    assert {name: after[name] for name in before} == before
    # A run that is stopped before it comes to a video must not move it either.
    assert {record.id: record.split for record in finish(here / "out", options, [])} == after


def test_two_videos_of_one_place_share_a_split(here):
    for name, place, seed in (("a", "coffee", 0), ("b", "coffee", 1), ("c", "chelsea", 0)):
        save(Path("in", f"{name}.mkv"), rained(place, 21, seed=seed))
    names = {job.source.stem: job.name for job in plan_videos(["in"], Path("out"), BuildOptions()).jobs}

    def split(seed, name):
        place = _uniform(seed, names[name])
        return "test" if place < 0.3 else "val" if place < 0.6 else "train"

    # By their own names all three would go apart, so that all splits are there.
    seed = next(s for s in range(999) if {split(s, name) for name in "abc"} == {"train", "val", "test"})
    shares = ["--val-share", "0.3", "--test-share", "0.3", "-s", seed]
    built("in", "-o", "out", *OPTIONS, *shares)
    found = {record.source[0]: record.split for record in read_manifest("out")}
    assert found == {"a": split(seed, "a"), "b": split(seed, "a"), "c": split(seed, "c")}
    verified("out", 6)
