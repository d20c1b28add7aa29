"""`rainopt derain` of videos: the same frames at the same times with the same sound, and a stopped run goes on."""

import errno
import functools
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from skimage import data
from typer.testing import CliRunner

from data_tools import RainSpec
from data_tools.rain.video import rain_video
from rainopt import UDGWeights
from rainopt.app.parts import Parts
from rainopt.commands import derain_video
from rainopt.commands import main as cli
from rainopt.commands.derain_photo import Options
from rainopt.commands.derain_video import VideoRecord, derain_video_file, video_results
from rainopt.io import read_image, write_image
from rainopt.io.video.read import open_video, read_frames
from rainopt.io.video.write import VideoWriter
from rainopt.video import stretches as footage

resource = pytest.importorskip("resource")

ROOT = Path(__file__).parents[3]
H, W, COUNT = 120, 160, 30
STRETCH, FEW, SAMPLES = 12, 10, 2  # 30 frames are stretches of 12, 12 and 6
ALONE = Options(background=False)
QUICK = Options(angle=8.0, weights=UDGWeights(), max_iter=2, background=False)
KEYS = {"input", "output", "status", "frames", "scenes", "angles", "dry", "still", "kept_parts", "height", "width"}
KEYS |= {"seconds"}


@functools.cache
def view(name):
    return cv2.resize(getattr(data, name)(), (W, H), interpolation=cv2.INTER_AREA)


@functools.cache
def rained(name="coffee", count=COUNT, preset="light"):
    rng = np.random.default_rng(0)
    if preset is None:
        rainy = itertools.repeat(view(name) / 255)
    else:
        spec = replace(RainSpec.sample(preset, rng), veil=0.0).scaled(0.4)
        rainy = (drawn.rainy for drawn in rain_video(view(name), spec, rng))
    noisy = (255 * picture + rng.normal(0, 1, (H, W, 1)) for picture in itertools.islice(rainy, count))
    return tuple(np.clip(np.rint(levels), 0, 255).astype(np.uint8) for levels in noisy)


def save(path, frames, times=None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"rate": Fraction(25), "quality": 5} | options
    with VideoWriter(path, height=frames[0].shape[0], width=frames[0].shape[1], **options) as writer:
        for number, pixels in enumerate(frames):
            writer.write(pixels, None if times is None else times[number])
    return path


def coded(path, frames, codec="libx264", pix="yuv420p", turn=None, sound=False, options=None):
    """Write a clip as other programs do."""
    with av.open(str(path), "w") as output:
        pictures = output.add_stream(codec, rate=25, options={"bf": "0"} if options is None else options)
        pictures.height, pictures.width, pictures.pix_fmt = *frames[0].shape[:2], pix
        if turn:
            pictures.set_display_matrix(turn)
        if sound:
            audio = output.add_stream("aac", rate=48000)
            audio.layout = "mono"
        for pixels in frames:
            output.mux(pictures.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        output.mux(pictures.encode(None))
        if sound:
            tone = 0.6 * np.sin(np.arange(48000 * len(frames) // 25) * 2 * np.pi * 440 / 48000)
            for start in range(0, len(tone) - 1024, 1024):
                frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1024].astype(np.float32), "fltp", "mono")
                frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
                output.mux(audio.encode(frame))
            output.mux(audio.encode(None))
    return path


def sound_of(path):
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        return [(packet.pts * packet.time_base, bytes(packet)) for packet in packets]


def times_of(path):
    return [frame.time for frame in open_video(path).frames()]


def psnr(frames, name="coffee"):
    return -10 * np.log10(np.mean([np.square((frame.astype(float) - view(name)) / 255) for frame in frames]))


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def hidden(target):
    return target.with_name(f".{target.name}.parts")


@contextmanager
def full_disk(size):
    """Let no file grow beyond `size` bytes: writing fails as on a full disk, in the system itself."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch):
    monkeypatch.setattr(derain_video, "STRETCH", STRETCH)
    monkeypatch.setattr(footage, "FEW", FEW)
    monkeypatch.setattr(footage, "SAMPLES", SAMPLES)


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    return save(tmp_path_factory.mktemp("clip") / "clip.mp4", rained())


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def done(source, target, options=QUICK, **more):
    record = derain_video_file(source, target, options, **more)
    assert record.error is None
    assert record.status == "ok"
    return record


def refused(source, target, options=QUICK):
    """Derain what cannot be; return the message, and check that nothing but earlier files is there."""
    before = sorted(target.parent.rglob("*")) if target.parent.is_dir() else []
    record = derain_video_file(source, target, options)
    assert record.status == "failed"
    assert (record.input, record.output) == (str(source), str(target))
    assert sorted(target.parent.rglob("*") if target.parent.is_dir() else []) == before
    return record.error


def call(*arguments):
    """Run the command in this process; return status, standard output and error without frames and line breaks."""
    result = CliRunner().invoke(cli.app, ["derain", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    plain = re.sub(r"\x1b\[[\d;]*m", "", result.stderr)
    return result.exit_code, result.stdout, " ".join(re.sub(r"[│╭╮╰╯─]", " ", plain).split())


# What is written


def test_a_video_comes_back_without_its_rain(tmp_path, clip):
    record = done(clip, tmp_path / "out" / "a.mp4", Options())
    frames = read_frames(tmp_path / "out" / "a.mp4")
    assert frames.shape == (COUNT, H, W, 3)
    assert psnr(frames) > psnr(read_frames(clip)) + 5
    assert times_of(tmp_path / "out" / "a.mp4") == times_of(clip)
    assert open_video(tmp_path / "out" / "a.mp4").rate == 25
    assert (record.frames, record.scenes, record.still, record.dry, record.lost) == (COUNT, 1, 1.0, 0.0, None)
    assert (record.height, record.width, record.kept_parts) == (H, W, 0)
    assert len(record.angles) == 3
    assert all(abs(angle - 8.2) < 2 for angle in record.angles)
    assert names(tmp_path) == {"out/a.mp4"}
    assert "100 % helped by the background" in record.line()
    assert re.search(r"30 frames; rain at \+\d\.\d°", record.line())


def test_each_frame_alone(tmp_path, clip):
    record = done(clip, tmp_path / "a.mkv", ALONE)
    before, after = psnr(read_frames(clip)), psnr(read_frames(tmp_path / "a.mkv"))
    assert after > before + 1
    assert record.still == 0
    assert "background" not in record.line()


@pytest.mark.parametrize("suffix", [".mov", ".nut", ".webm"])
def test_other_containers(tmp_path, clip, suffix):
    done(clip, tmp_path / f"a{suffix}")
    assert len(read_frames(tmp_path / f"a{suffix}")) == COUNT
    step = Fraction(1, 2000) if suffix == ".webm" else 0
    assert max(abs(a - b) for a, b in zip(times_of(tmp_path / f"a{suffix}"), times_of(clip), strict=True)) <= step


def test_a_rate_that_varies(tmp_path):
    ticks = np.cumsum(np.random.default_rng(2).choice([20, 21, 33, 50, 400], COUNT))
    times = [Fraction(int(tick), 600) for tick in ticks]
    source = save(tmp_path / "a.mp4", rained(), times, time_base=Fraction(1, 600))
    assert times_of(source) == times
    done(source, tmp_path / "out" / "a.mp4")
    assert times_of(tmp_path / "out" / "a.mp4") == times


def test_a_rotated_video_is_upright(tmp_path):
    one = 1 << 16
    turn = [0, one, 0, -one, 0, 0, 0, 0, 1 << 30]
    frames = [np.rot90(frame) for frame in rained(count=5)]
    source = coded(tmp_path / "a.mp4", [np.ascontiguousarray(frame) for frame in frames], turn=turn)
    record = done(source, tmp_path / "b.mp4")
    assert (record.height, record.width) == (H, W)
    got = read_frames(tmp_path / "b.mp4")
    assert got.shape == (5, H, W, 3)
    assert np.abs(got - read_frames(source).astype(int)).mean() < 12
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert next(container.decode(video=0)).rotation == 0


def test_sound_is_copied_bit_for_bit(tmp_path):
    source = coded(tmp_path / "a.mp4", rained(), sound=True)
    done(source, tmp_path / "out" / "a.mp4")
    before, after = sound_of(source), sound_of(tmp_path / "out" / "a.mp4")
    assert len(before) > 50
    assert [packet for _, packet in after] == [packet for _, packet in before]
    # Seen from the pictures.
    starts = [times_of(path)[0] for path in (source, tmp_path / "out" / "a.mp4")]
    for (one, _), (other, _) in zip(before, after, strict=True):
        assert abs((one - starts[0]) - (other - starts[1])) <= Fraction(1, 1000)


def test_frames_of_10_bits_stay_so(tmp_path, monkeypatch):
    deep = [frame.astype(np.uint16) * 257 + 64 for frame in np.minimum(rained(count=14), 250)]
    source = save(tmp_path / "a.mp4", deep, bits=16)
    seen = set()
    real = footage.derain_frame

    def watched(frame, treatment):
        seen.add(frame.dtype)
        return real(frame, treatment)

    monkeypatch.setattr(footage, "derain_frame", watched)
    done(source, tmp_path / "b.mp4")
    assert seen == {np.dtype(np.uint16)}
    video = open_video(tmp_path / "b.mp4")
    assert (video.bits, video.count()) == (16, 14)
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert container.streams.video[0].format.name == "yuv420p10le"
    done(source, tmp_path / "c.mp4", replace(QUICK, compare=True, background=True))
    assert read_image(tmp_path / "c_compare.png").shape[1] > 3 * W


def test_odd_sides(tmp_path):
    source = save(tmp_path / "a.mkv", [frame[:-1, :-1] for frame in rained(count=3)])
    done(source, tmp_path / "b.mp4")
    assert read_frames(tmp_path / "b.mp4").shape == (3, H - 1, W - 1, 3)


def test_a_dry_video_is_left_and_that_is_said(tmp_path):
    source = save(tmp_path / "a.mkv", rained(preset=None))
    record = done(source, tmp_path / "b.mkv", Options(crf=0))
    assert (record.dry, record.angles, record.still) == (1.0, [], 0.0)
    assert "no rain seen in 100 % of them, left as they are (--angle derains them)" in record.line()
    # Colours are rounded once more.
    lumas = [read_frames(path) @ np.array([0.299, 0.587, 0.114]) for path in (source, tmp_path / "b.mkv")]
    assert np.abs(lumas[1] - lumas[0]).mean() < 0.5


def test_one_frame(tmp_path):
    record = done(save(tmp_path / "a.mp4", rained(count=1)), tmp_path / "b.mp4", Options())
    assert (record.frames, record.scenes) == (1, 1)
    assert len(read_frames(tmp_path / "b.mp4")) == 1


def test_a_comparison(tmp_path, clip):
    options = replace(QUICK, compare=True)
    assert video_results(Path("o/a.mp4"), options) == {"derained": Path("o/a.mp4"), "compare": Path("o/a_compare.png")}
    done(clip, tmp_path / "a.mp4", options)
    sheet = read_image(tmp_path / "a_compare.png").astype(int)
    gap = (sheet.shape[1] - 3 * W) // 2
    first, second, third = (sheet[-H:, k * (W + gap) :][:, :W] for k in range(3))
    before, after = (next(open_video(path).frames(COUNT // 2)).pixels for path in (clip, tmp_path / "a.mp4"))
    assert np.abs(first - before).max() <= 1
    assert np.abs(second - after).max() <= 1
    taken = np.clip(before.astype(int) - after, 0, 255).mean(axis=-1)
    assert np.corrcoef(third[..., 0].ravel(), taken.ravel())[0, 1] > 0.9
    # Missing, it is made of the result that is there.
    stamp = (tmp_path / "a.mp4").stat().st_mtime_ns
    (tmp_path / "a_compare.png").unlink()
    done(clip, tmp_path / "a.mp4", options)
    np.testing.assert_array_equal(read_image(tmp_path / "a_compare.png"), sheet)
    assert (tmp_path / "a.mp4").stat().st_mtime_ns == stamp


def test_progress_rises_to_one(tmp_path, clip):
    shares = []
    done(clip, tmp_path / "a.mp4", progress=shares.append)
    assert len(shares) > COUNT / 2
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert all(0 < share < 1 for share in shares[:-1])


def test_quality_is_heard(tmp_path, clip):
    sizes = []
    for crf in (5, 20, 40):
        done(clip, tmp_path / f"{crf}.mp4", replace(QUICK, crf=crf))
        sizes.append((tmp_path / f"{crf}.mp4").stat().st_size)
    assert sizes[0] > 2 * sizes[1] > 4 * sizes[2]


# Scenes and stretches


@pytest.fixture
def cares(monkeypatch):
    """What was asked of `care_for`: so many frames, and whether after others of the scene."""
    asked = []
    real = derain_video.care_for

    def watched(store, wishes, before=None):
        asked.append((len(store), before is not None))
        return real(store, wishes, before)

    monkeypatch.setattr(derain_video, "care_for", watched)
    return asked


def test_stretches_follow_one_another(tmp_path, clip, cares):
    done(clip, tmp_path / "a.mp4")
    assert cares == [(12, False), (12, True), (6, True)]


def test_after_a_cut_the_treatment_begins_anew(tmp_path, cares):
    frames = rained("coffee", 15) + rained("astronaut", 24)
    source = save(tmp_path / "a.mp4", frames)
    record = done(source, tmp_path / "b.mp4", ALONE)
    assert cares == [(12, False), (3, True), (12, False), (12, True)]
    assert (record.scenes, record.frames, len(record.angles)) == (2, 39, 4)
    assert "39 frames in 2 scenes" in record.line()
    assert times_of(tmp_path / "b.mp4") == times_of(source)
    got = read_frames(tmp_path / "b.mp4")
    for number, frame in enumerate(got):
        name, other = ("coffee", "astronaut") if number < 15 else ("astronaut", "coffee")
        assert psnr([frame], name) > psnr([frame], other) + 5


# A run that was stopped


@pytest.fixture
def stopped(monkeypatch):
    """Interrupt a run at a given stretch."""

    def stop(source, target, options, at):
        real, count = derain_video._stretch, itertools.count()

        def interrupted(*arguments):
            if next(count) == at:
                raise KeyboardInterrupt
            return real(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(derain_video, "_stretch", interrupted)
            with pytest.raises(KeyboardInterrupt):
                derain_video_file(source, target, options)

    return stop


@pytest.fixture
def joined(monkeypatch):
    """When the parts were written that are put together."""
    stamps = []
    real = derain_video.join_parts

    def watched(files, *arguments, **options):
        stamps[:] = [(file.name, file.stat().st_mtime_ns) for file in files]
        return real(files, *arguments, **options)

    monkeypatch.setattr(derain_video, "join_parts", watched)
    return stamps


def stamps_of(folder):
    return [(path.name, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.nut"))]


@pytest.fixture(scope="session")
def whole(tmp_path_factory, clip):
    """The frames of runs that nothing stopped."""

    @functools.cache
    def made(options):
        target = tmp_path_factory.mktemp("whole") / "a.mp4"
        done(clip, target, options)
        return read_frames(target)

    return made


@pytest.mark.parametrize("options", [Options(), ALONE], ids=["backdrop", "alone"])
@pytest.mark.parametrize("at", [1, 2])
def test_it_goes_on_as_if_nothing_had_happened(tmp_path, clip, whole, stopped, joined, cares, options, at):
    target = tmp_path / "a.mp4"
    stopped(clip, target, options, at)
    assert not target.exists()
    kept = stamps_of(hidden(target))
    assert [name for name, _ in kept] == ["00000000.nut", "00000012.nut"][:at]
    os.utime(hidden(target) / kept[0][0], ns=(10**18, 10**18))
    kept = stamps_of(hidden(target))
    cares.clear()
    record = done(clip, target, options)
    assert cares == [(12, True), (6, True)][at - 1 :]
    assert joined[:at] == kept
    assert len(joined) == 3
    assert (record.kept_parts, record.frames, len(record.angles)) == (at, COUNT, 3)
    np.testing.assert_array_equal(read_frames(target), whole(options))
    assert times_of(target) == times_of(clip)
    assert names(tmp_path) == {"a.mp4"}
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_it_goes_on_in_the_second_scene(tmp_path, stopped, cares):
    source = save(tmp_path / "in" / "a.mp4", rained("coffee", 15) + rained("astronaut", 24))
    done(source, tmp_path / "whole.mp4", ALONE)
    for at, left in ((2, [(12, False), (12, True)]), (3, [(12, True)])):
        target = tmp_path / f"{at}.mp4"
        stopped(source, target, ALONE, at)
        cares.clear()
        done(source, target, ALONE)
        assert cares == left
        np.testing.assert_array_equal(read_frames(target), read_frames(tmp_path / "whole.mp4"))


def test_stopped_before_the_first_part_it_leaves_nothing(tmp_path, clip, stopped):
    stopped(clip, tmp_path / "a.mp4", QUICK, 0)
    assert list(tmp_path.iterdir()) == []


def test_stopped_while_joining(tmp_path, clip, monkeypatch):
    target = tmp_path / "a.mp4"

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(derain_video, "join_parts", interrupted)
        with pytest.raises(KeyboardInterrupt):
            derain_video_file(clip, target, QUICK)
    assert len(stamps_of(hidden(target))) == 3
    assert done(clip, target).kept_parts == 3
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    "change",
    [{"angle": 9.0}, {"crf": 19}, {"weights": None}, {"max_iter": 3}, {"background": True}],
    ids=lambda change: next(iter(change)),
)
def test_parts_of_other_settings_are_thrown_away(tmp_path, clip, stopped, change):
    target = tmp_path / "a.mp4"
    stopped(clip, target, QUICK, 2)
    assert len(stamps_of(hidden(target))) == 2
    assert done(clip, target, replace(QUICK, **change)).kept_parts == 0
    assert list(tmp_path.iterdir()) == [target]


def test_parts_of_other_weights_are_thrown_away_and_those_of_the_same_are_not(tmp_path, clip, stopped):
    for name, weights, kept in (("a", UDGWeights(), 2), ("b", UDGWeights(sparsity=0.02), 0)):
        stopped(clip, tmp_path / f"{name}.mp4", QUICK, 2)
        assert done(clip, tmp_path / f"{name}.mp4", replace(QUICK, weights=weights)).kept_parts == kept


def test_parts_of_another_source_are_thrown_away(tmp_path, clip, stopped):
    source, target = tmp_path / "in.mp4", tmp_path / "a.mp4"
    source.write_bytes(clip.read_bytes())
    stopped(source, target, QUICK, 2)
    # Another film of the same name: of another date, or of another size.
    save(source, rained("astronaut"))
    assert done(source, target).kept_parts == 0
    assert psnr(read_frames(target), "astronaut") > psnr(read_frames(target), "coffee") + 5
    stopped(source, tmp_path / "b.mp4", QUICK, 2)
    os.utime(source, ns=(10**18, 10**18))
    assert done(source, tmp_path / "b.mp4").kept_parts == 0


def test_options_that_do_not_change_the_frames_keep_the_parts(tmp_path, clip, stopped):
    target = tmp_path / "a.mp4"
    stopped(clip, target, QUICK, 2)
    assert done(clip, target, replace(QUICK, compare=True, overwrite=True, quality=50)).kept_parts == 2


@pytest.mark.parametrize("damage", ["note", "part", "settings"])
def test_parts_that_are_not_whole_are_made_again(tmp_path, clip, whole, stopped, damage):
    target = tmp_path / "a.mp4"
    stopped(clip, target, ALONE, 2)
    if damage == "note":
        (hidden(target) / "00000012.json").write_text('{"first": 12, "fra')
    elif damage == "part":
        (hidden(target) / "00000012.nut").unlink()
    else:
        (hidden(target) / "settings.json").write_text("")
    assert done(clip, target, ALONE).kept_parts == (0 if damage == "settings" else 1)
    np.testing.assert_array_equal(read_frames(target), whole(ALONE))


SMALL_STEPS = f"""
import sys
from rainopt.commands import main as cli
from rainopt.video import stretches as footage
from rainopt.commands import derain_video
derain_video.STRETCH, footage.FEW, footage.SAMPLES = {STRETCH}, {FEW}, {SAMPLES}
cli.main()
"""


def process(*arguments, cwd):
    """Start the command, with short stretches, in a process of its own."""
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-c", SMALL_STEPS, "derain", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "200", "PYTHONUTF8": "1", "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGKILL])
def test_a_signal_stops_it_and_the_next_run_goes_on(tmp_path, joined, signum):
    source = save(tmp_path / "in" / "two words ☂.mp4", rained(count=60))
    target = tmp_path / "out" / "two words ☂.mp4"
    arguments = [tmp_path / "in", "-o", tmp_path / "out", "--no-background"]
    with process(*arguments, cwd=tmp_path) as run:
        try:
            end = time.monotonic() + 60
            while not (hidden(target) / "00000000.json").exists() and run.poll() is None and time.monotonic() < end:
                time.sleep(0.002)
            run.send_signal(signum)
            _, err = run.communicate(timeout=20)
        finally:
            run.kill()
    assert not target.exists()
    if signum == signal.SIGINT:
        assert run.returncode == 130
        assert err == "interrupted: 0 done, 1 left; run the same command again to go on\n"
        assert not list(hidden(target).glob(".*"))
    else:
        assert run.returncode == -signal.SIGKILL
    notes = sorted(path.stem for path in hidden(target).glob("0*.json"))
    kept = [(name, stamp) for name, stamp in stamps_of(hidden(target)) if Path(name).stem in notes]
    assert 1 <= len(kept) < 5
    status, out, _ = call(*arguments, "--json")
    assert status == 0
    assert json.loads(out)["kept_parts"] == len(kept)
    assert joined[: len(kept)] == kept
    assert [path.name for path in (tmp_path / "out").iterdir()] == [target.name]
    done(source, tmp_path / "whole.mp4", ALONE)
    np.testing.assert_array_equal(read_frames(target), read_frames(tmp_path / "whole.mp4"))


# Parts


def test_parts_are_finished_with_their_note(tmp_path):
    settings = {"crf": 18, "wishes": {"angle": None}, "source": ["é", 1]}
    parts = Parts(tmp_path / "a b.mp4", settings)
    assert parts.file(7) == tmp_path / ".a b.mp4.parts" / "00000007.nut"
    assert Parts(tmp_path / "a.webm", settings).file(7).suffix == ".webm"
    assert parts.finished(7) is None
    parts.note(7, {"frames": 3})
    assert parts.finished(7) is None
    parts.file(7).write_bytes(b"frames")
    assert parts.finished(7) == {"frames": 3}
    assert Parts(tmp_path / "a b.mp4", settings).finished(7) == {"frames": 3}
    for broken in ("", "[1]", '{"frames": 3', "null"):
        (parts.folder / "00000007.json").write_text(broken)
        assert parts.finished(7) is None
    parts.note(7, {"frames": 3})
    assert Parts(tmp_path / "a b.mp4", settings | {"crf": 19}).finished(7) is None
    assert not parts.file(7).exists()
    parts.remove()
    parts.remove()
    assert not parts.folder.exists()


def test_parts_none_of_which_is_finished_are_removed(tmp_path):
    parts = Parts(tmp_path / "a.mp4", {})
    parts.file(0).write_bytes(b"half")
    parts.remove_if_none_is_finished()
    assert not parts.folder.exists()
    parts = Parts(tmp_path / "a.mp4", {})
    parts.file(0).write_bytes(b"whole")
    parts.note(0, {})
    parts.remove_if_none_is_finished()
    assert parts.finished(0) == {}


# What is there


def test_a_result_that_is_there_is_kept(tmp_path, clip):
    target = tmp_path / "a.mp4"
    target.write_bytes(b"kept")
    assert derain_video_file(clip, target, QUICK) == VideoRecord(str(clip), str(target), "skipped")
    # There is no need to look at the source.
    assert derain_video_file(tmp_path / "gone.mp4", target, QUICK).status == "skipped"
    assert target.read_bytes() == b"kept"
    assert list(tmp_path.iterdir()) == [target]
    done(clip, target, replace(QUICK, overwrite=True))
    assert len(read_frames(target)) == COUNT


def test_a_folder_where_the_result_is_expected(tmp_path, clip):
    (tmp_path / "a.mp4").mkdir()
    assert "a folder has the name of the result" in refused(clip, tmp_path / "a.mp4")


# What goes wrong


@pytest.mark.parametrize(("option", "said"), [("save_rain", "--save-rain"), ("veil", "--veil")])
def test_options_of_images_are_refused(tmp_path, clip, option, said):
    message = refused(clip, tmp_path / "out" / "a.mp4", replace(QUICK, **{option: True}))
    assert message == f"'{clip}': {said} is for images; leave it out for videos"


def test_a_device_that_was_found_for_images_does_not_matter(tmp_path, clip):
    done(clip, tmp_path / "a.mp4", replace(QUICK, device="cuda:0"))


@pytest.mark.parametrize("name", ["a.avi", "a.png", "a"])
def test_a_suffix_that_is_not_written(tmp_path, clip, name):
    message = refused(clip, tmp_path / "out" / name)
    assert f"{name}' cannot be written; use .m4v, .mkv, .mov, .mp4, .nut, .webm" in message
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_no_videos(tmp_path):
    (tmp_path / "zero.mp4").touch()
    (tmp_path / "text.mkv").write_text("no video")
    for name, said in (("zero.mp4", "is empty"), ("text.mkv", "no video file"), ("gone.mp4", "does not exist")):
        message = refused(tmp_path / name, tmp_path / "out" / "a.mp4")
        assert f"'{tmp_path / name}'" in message
        assert said in message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_what_decodes_of_a_torn_file_is_written_and_the_rest_told(tmp_path, suffix):
    source = coded(tmp_path / f"a{suffix}", rained())
    data = source.read_bytes()
    source.write_bytes(data[: int(0.7 * len(data))])
    record = done(source, tmp_path / "b.mkv")
    assert 10 < record.frames < COUNT
    got = read_frames(tmp_path / "b.mkv")
    assert len(got) == record.frames
    assert record.lost
    assert record.lost in record.line()
    expected = times_of(source)
    assert all(abs(a - b) <= Fraction(1, 1000) for a, b in zip(times_of(tmp_path / "b.mkv"), expected, strict=True))


def test_a_size_that_changes_is_told_and_what_was_done_is_kept(tmp_path):
    sizes = [rained(count=16), [frame[:64, :96] for frame in rained(count=4)]]
    pieces = [coded(tmp_path / f"{n}.h264", frames).read_bytes() for n, frames in enumerate(sizes)]
    source = tmp_path / "a.h264"
    source.write_bytes(b"".join(pieces))
    record = derain_video_file(source, tmp_path / "out" / "a.mp4", QUICK)
    assert record.status == "failed"
    assert f"'{source}' changes its size: frame 16 has 64 x 96 pixels, the first has {H} x {W}" in record.error
    assert not (tmp_path / "out" / "a.mp4").exists()
    # In the first stretch nothing is kept.
    source.write_bytes(coded(tmp_path / "0.h264", rained(count=5)).read_bytes() + pieces[1])
    assert "changes its size" in derain_video_file(source, tmp_path / "new" / "a.mp4", QUICK).error
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("size", [300, 12_000])
def test_a_full_disk_leaves_no_half_of_a_file(tmp_path, clip, size):
    target = tmp_path / "out" / "a.mp4"
    with full_disk(size):
        record = derain_video_file(clip, target, replace(QUICK, crf=2))
    assert record.status == "failed"
    assert re.search(r"cannot be written \(File too large\); check the disk space", record.error)
    assert str(target.parent) in record.error
    assert list(target.parent.iterdir()) == []
    done(clip, target, replace(QUICK, crf=2))
    assert list(target.parent.iterdir()) == [target]


def test_a_disk_that_is_full_while_joining_keeps_the_parts(tmp_path, clip, stopped):
    target = tmp_path / "out" / "a.mp4"
    done(clip, tmp_path / "whole.mp4")
    # Room for each part, and not for the whole.
    with full_disk(int(0.7 * (tmp_path / "whole.mp4").stat().st_size)):
        record = derain_video_file(clip, target, QUICK)
    assert record.status == "failed"
    assert f"'{target}' cannot be written (File too large)" in record.error
    assert [path.name for path in target.parent.iterdir()] == [hidden(target).name]
    assert done(clip, target).kept_parts == 3
    np.testing.assert_array_equal(read_frames(target), read_frames(tmp_path / "whole.mp4"))
    assert list(target.parent.iterdir()) == [target]


def test_a_folder_that_cannot_be_written(tmp_path, clip, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    assert f"'{tmp_path / 'file'}" in refused(clip, tmp_path / "file" / "a.mp4")
    real = Path.mkdir

    def refuse(self, *arguments, **options):
        if self.name.endswith(".parts"):
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return real(self, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    message = refused(clip, tmp_path / "a.mp4")
    assert f"'{hidden(tmp_path / 'a.mp4')}': Permission denied" in message


def test_whatever_goes_wrong_is_a_record(tmp_path, clip, monkeypatch):
    def fail(*arguments, **options):
        raise ArithmeticError("odd")

    monkeypatch.setattr(derain_video, "care_for", fail)
    assert refused(clip, tmp_path / "a.mp4") == f"'{clip}': ArithmeticError: odd"


# The command


def test_a_folder_of_images_and_videos(here, clip):
    save(here / "in" / "Ünï [x] ☂" / "two words.avi.mkv", rained(count=6))
    coded(here / "in" / "old.avi", rained(count=6), "mpeg4", options={"qscale": "2"})
    write_image(here / "in" / "photo.png", rained()[0])
    (here / "in" / "zero.mp4").touch()
    (here / "in" / "notes.txt").write_text("no video")
    fast = ["--angle", "8", "--weights", "sparsity=0.01", "--max-iter", "2", "--no-background"]
    status, out, err = call("in", "-o", "out", *fast)
    assert status == 1
    assert names(here / "out") == {"Ünï [x] ☂/two words.avi.mkv", "old.mp4", "photo.png"}
    assert len(out.splitlines()) == 3
    assert "failed 'in/zero.mp4' is empty" in err
    assert err.endswith("3 derained, 1 failed")
    assert len(read_frames(here / "out" / "old.mp4")) == 6
    status, out, err = call("in", "-o", "out", *fast)
    assert status == 1
    assert err.endswith("0 derained, 3 skipped, 1 failed")
    assert "in/old.avi: kept out/old.mp4 (--overwrite to do it again)" in out
    # Two at a time write the same.
    (here / "in" / "zero.mp4").unlink()
    assert call("in", "-o", "two", *fast, "--jobs", "2")[0] == 0
    assert names(here / "two") == names(here / "out")
    for name in names(here / "out") - {"photo.png"}:
        np.testing.assert_array_equal(read_frames(here / "two" / name), read_frames(here / "out" / name))
    assert (here / "two" / "photo.png").read_bytes() == (here / "out" / "photo.png").read_bytes()


def test_json_has_its_keys(here, clip):
    status, out, err = call(clip, "-o", "a.mp4", "--angle", "8", "--max-iter", "2", "--no-background", "--json")
    assert (status, err) == (0, "")
    entry = json.loads(out)
    assert set(entry) == KEYS
    assert (entry["input"], entry["output"], entry["status"]) == (str(clip), "a.mp4", "ok")
    assert entry["angles"] == [8.0, 8.0, 8.0]
    status, out, _ = call(clip, "-o", "a.mp4", "--json")
    assert json.loads(out) == {"input": str(clip), "output": "a.mp4", "status": "skipped"}
    status, out, err = call(clip, "-o", "b.mp4", "--json", "--veil")
    assert status == 1
    assert json.loads(out)["error"] == f"'{clip}': --veil is for images; leave it out for videos"
    assert err == f"failed '{clip}': --veil is for images; leave it out for videos"
    assert names(here) == {"a.mp4"}


def test_an_image_does_not_become_a_video_nor_a_video_an_image(here, clip):
    write_image(here / "a.png", rained()[0])
    for source, target in (("a.png", "b.mp4"), (clip, "b.png")):
        status, _, err = call(source, "-o", target)
        assert status in (1, 2)
        assert "b." in err
        assert "Traceback" not in err
    assert names(here) == {"a.png"}
