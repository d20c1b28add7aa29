"""`rainnet derain`: files in, files out, with everything about them kept; and videos in steady stretches."""

import itertools
import json
import pickle
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from rainnet.commands.derain_options import network
from rainnet.commands.derain_task import Derain, Options
from torch import nn
from typer.testing import CliRunner

import rainnet
from data_tools import RainSpec, add_rain
from rainnet.commands import derain_photo as derain_picture
from rainnet.commands import derain_video
from rainnet.commands import main as cli
from rainnet.commands.derain_photo import Record
from rainnet.infer.derain import derain
from rainopt.app.task import FileRecord
from rainopt.image import LUMA
from rainopt.io import read_image, write_image
from rainopt.io.video.read import open_video, read_frames
from rainopt.io.video.write import VideoWriter

H, W, COUNT, STRETCH = 64, 80, 14, 6
ROOT = Path(__file__).parents[3]
KEYS = {"input", "output", "status", "angle", "height", "width", "rain", "removed", "seconds"}


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    torch.manual_seed(1)
    net = rainnet.create("udgnet", features=4, blocks=1, stride=2, angle_features=4, angle_stages=2)
    for stream in (net.image_stream, net.rain_stream):
        nn.init.normal_(stream.last.weight, std=0.03)
        nn.init.normal_(stream.last.bias, std=0.02)
    return rainnet.save(net, tmp_path_factory.mktemp("model") / "tiny.safetensors")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def scene(seed=0, dtype=np.uint8, channels=3):
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:H, :W] / 11
    smooth = 0.5 + 0.2 * np.sin(row + seed)[..., None] * np.cos(column)[..., None] * rng.uniform(0.5, 1, channels)
    streaks = np.kron(rng.random((H // 16, W)) > 0.9, np.ones((16, 1)))
    full = np.iinfo(dtype).max
    return np.rint((smooth + 0.2 * streaks[..., None]).clip(0, 1) * full).astype(dtype)


def clip(path, count=COUNT, seed=0, sound=False):
    """Write a clip with uneven time stamps, and a tone where there is to be sound."""
    with av.open(str(path), "w") as output:
        pictures = output.add_stream("libx264", rate=25, options={"bf": "0", "crf": "5"})
        pictures.height, pictures.width, pictures.pix_fmt = H, W, "yuv420p"
        pictures.codec_context.time_base = pictures.time_base = Fraction(1, 600)
        if sound:
            audio = output.add_stream("aac", rate=48000)
            audio.layout = "mono"
        tick = 0
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(np.roll(scene(seed), 5 * number, axis=0), "rgb24")
            frame.pts, frame.time_base = tick, Fraction(1, 600)
            tick += 24 + 12 * (number % 3)
            output.mux(pictures.encode(frame))
        output.mux(pictures.encode(None))
        if sound:
            tone = 0.6 * np.sin(np.arange(48000 * count // 25) * 2 * np.pi * 440 / 48000)
            for start in range(0, len(tone) - 1024, 1024):
                frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1024].astype(np.float32), "fltp", "mono")
                frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
                output.mux(audio.encode(frame))
            output.mux(audio.encode(None))
    return path


def packets_of(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def times_of(path):
    return [frame.time for frame in open_video(path).frames()]


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def call(*arguments):
    """Run the command in this process; return status, standard output and error without frames and line breaks."""
    result = CliRunner().invoke(cli.app, ["derain", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    plain = re.sub(r"\x1b\[[\d;]*m", "", result.stderr)
    return result.exit_code, result.stdout, " ".join(re.sub(r"[│╭╮╰╯─]", " ", plain).split())


# Pictures


def test_a_picture_becomes_what_the_network_makes_of_it(here, model):
    write_image(here / "a.png", scene())
    status, out, err = call("a.png", "-o", "out", "--model", model, "--angle", "12", "--compare", "--save-rain")
    assert (status, err) == (0, "")
    assert re.fullmatch(r"a\.png → out/a\.png  rain at \+12\.0°, -?\d+\.\d % light removed, \d+\.\d\d s\n", out)
    assert names(here) == {"a.png", "out/a.png", "out/a_rain.png", "out/a_compare.png"}
    expected = derain(rainnet.load(model), scene(), angle=12.0)
    assert np.abs(read_image(here / "out/a.png") - 255 * expected.background).max() < 0.51
    assert np.abs(read_image(here / "out/a_rain.png") - 255 * expected.rain).max() < 0.51
    assert np.abs(expected.background - scene() / 255).mean() > 0.005
    sheet = read_image(here / "out/a_compare.png")
    np.testing.assert_array_equal(sheet[-H:, :W], scene())
    np.testing.assert_array_equal(sheet[-H:, W + 8 : 2 * W + 8], read_image(here / "out/a.png"))


def test_settings_reach_the_network(here, model):
    write_image(here / "a.png", scene())
    for number, (options, settings) in enumerate(
        [
            (["--angle", "solver", "--polish", "20"], {"angle": "solver", "polish": 20}),
            (["--tile", "32", "--batch", "3"], {"tile": 32}),
            (["--angle", "network"], {"angle": "network"}),
            (["--ensemble", "4"], {"ensemble": 4}),
        ]
    ):
        assert call("a.png", "-o", f"{number}.png", "-m", model, *options)[0] == 0
        expected = derain(rainnet.load(model), scene(), **settings).background * 255
        assert np.abs(read_image(here / f"{number}.png") - expected).max() < 0.51


def test_depth_alpha_and_metadata_are_kept(here, model):
    write_image(here / "deep.png", scene(dtype=np.uint16))
    write_image(here / "clear.png", scene(channels=4))
    write_image(here / "grey.tif", scene(dtype=np.uint16, channels=1)[..., 0])
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker", 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(scene()).save(here / "turned.jpg", exif=exif, icc_profile=profile, quality=100)
    assert call(".", "-o", "out", "-m", model, "--angle", "0", "--save-rain")[0] == 0
    deep = read_image(here / "out/deep.png")
    assert deep.dtype == np.uint16
    expected = derain(rainnet.load(model), scene(dtype=np.uint16), angle=0.0)
    assert np.abs(deep - 65535 * expected.background.astype(float)).max() < 0.6
    assert read_image(here / "out/deep_rain.png").dtype == np.uint16
    np.testing.assert_array_equal(read_image(here / "out/clear.png")[..., 3], scene(channels=4)[..., 3])
    assert read_image(here / "out/grey.tif").shape == (H, W)
    assert read_image(here / "out/turned.jpg").shape == (W, H, 3)
    with Image.open(here / "out/turned.jpg") as result:
        assert result.getexif()[0x010F] == "Maker"
        assert result.getexif().get(0x0112, 1) == 1
        assert result.info["icc_profile"] == profile


def test_what_fails_is_named_and_the_rest_is_done(here, model):
    (here / "in/deep").mkdir(parents=True)
    write_image(here / "in/deep/a.png", scene())
    write_image(here / "in/b.png", scene(1))
    (here / "in/broken.png").write_bytes((here / "in/b.png").read_bytes()[:200])
    status, out, err = call("in", "missing.png", "-o", "out", "-m", model)
    assert status == 1
    assert names(here / "out") == {"deep/a.png", "b.png"}
    assert len(out.splitlines()) == 2
    assert "failed 'in/broken.png'" in err
    assert "failed 'missing.png'" in err
    assert err.endswith("2 derained, 2 failed")
    assert "Traceback" not in err


def test_results_that_are_there_are_kept(here, model):
    write_image(here / "a.png", scene())
    write_image(here / "b.png", scene(1))
    (here / "out").mkdir()
    (here / "out/a.png").write_bytes(b"mine")
    status, out, err = call("a.png", "b.png", "-o", "out", "-m", model)
    assert status == 0
    assert "a.png: kept out/a.png (--overwrite to do it again)" in out
    assert err == "1 derained, 1 skipped"
    assert (here / "out/a.png").read_bytes() == b"mine"
    # A file that is missing is made, and those that are there stay.
    assert call("a.png", "-o", "out", "-m", model, "--compare")[0] == 0
    assert (here / "out/a.png").read_bytes() == b"mine"
    assert (here / "out/a_compare.png").exists()
    assert call("a.png", "-o", "out", "-m", model, "--overwrite")[0] == 0
    assert read_image(here / "out/a.png").shape == (H, W, 3)


def test_json_has_its_keys(here, model):
    write_image(here / "a.png", scene())
    status, out, err = call("a.png", "missing.png", "-o", "out", "-m", model, "--angle", "0", "--json")
    assert status == 1
    entries = {entry["input"]: entry for entry in map(json.loads, out.splitlines())}
    done, failed = entries["a.png"], entries["missing.png"]
    assert set(done) == KEYS
    assert (done["status"], done["angle"], done["height"], done["width"]) == ("ok", 0.0, H, W)
    result = derain(rainnet.load(model), scene(), angle=0.0)
    assert done["rain"] == pytest.approx(result.rain.mean(), rel=1e-4)
    assert done["removed"] == pytest.approx((scene() / 255 - result.background).mean(), rel=1e-3)
    assert failed["status"] == "failed"
    assert "missing.png" in failed["error"]
    assert "missing.png" in err


@pytest.mark.slow
def test_two_at_a_time_write_the_same(here, model):
    for number in range(2):
        write_image(here / f"{number}.png", scene(number))
    assert call("0.png", "1.png", "-o", "one", "-m", model)[0] == 0
    status, _, err = call("0.png", "1.png", "-o", "two", "-m", model, "--jobs", "2")
    assert (status, err) == (0, "2 derained")
    for number in range(2):
        assert (here / f"one/{number}.png").read_bytes() == (here / f"two/{number}.png").read_bytes()


def test_the_network_is_read_once(here, model, monkeypatch):
    from rainnet.weights import checkpoint

    reads = []
    real = checkpoint.load
    monkeypatch.setattr(checkpoint, "load", lambda *args, **more: reads.append(args) or real(*args, **more))
    network.cache_clear()
    for number in range(3):
        write_image(here / f"{number}.png", scene(number))
    assert call("0.png", "1.png", "2.png", "-o", "out", "-m", model)[0] == 0
    assert len(reads) == 1


# Usage


@pytest.mark.parametrize(
    ("options", "where", "message"),
    [
        (["--angle", "left"], "--angle", "'network' or 'solver', got 'left'"),
        (["--angle", "-95"], "--angle", "(-90, 90]"),
        (["--ensemble", "3"], "--ensemble", "must be 1, 2 or 4, got 3"),
        (["--tile", "20"], "--tile", "at least 32 pixels, got 20"),
        (["--device", "gpu"], "--device", "cpu or cuda:N, got 'gpu'"),
        (["--device", "cuda:77"], "--device", "there is no device 'cuda:77'"),
        (["--model", "nowhere.safetensors"], "--model", "there is no file 'nowhere.safetensors'"),
        (["--model", "bad.safetensors"], "--model", "'bad.safetensors'"),
        (["--model", "official.pth"], "--model", "rainnet convert"),
        (["--batch", "0"], "--batch", "1"),
        (["--polish", "-1"], "--polish", "0"),
        (["-o", "a.png"], "--output", "input itself"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_done(here, model, options, where, message):
    write_image(here / "a.png", scene())
    (here / "bad.safetensors").write_bytes(b"no network at all")
    (here / "official.pth").write_bytes(b"whatever")
    before = names(here)
    status, out, err = call("a.png", "-o", "out", "-m", model, *options)
    assert (status, out) == (2, "")
    assert where in err
    assert message in err
    assert "Traceback" not in err
    assert names(here) == before


def test_help_answers_without_torch():
    code = (
        "import sys; from typer.testing import CliRunner; from rainnet.commands.main import app; "
        "result = CliRunner().invoke(app, ['derain', '--help']); print(result.exit_code, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["0", "False"]


def test_an_interruption_is_status_130(monkeypatch, capsys):
    def stop(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", stop)
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert exit_.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_version():
    result = CliRunner().invoke(cli.app, ["--version"])
    assert result.exit_code == 0
    assert re.fullmatch(r"rainnet \d+\.\d+\.\d+\n", result.stdout)


def test_records(model):
    task = pickle.loads(pickle.dumps(Derain(Options(model))))
    assert task == Derain(Options(model))
    with pytest.raises(ValueError, match="no place"):
        task(Path("a.png"), None)
    assert task.failed(Path("a.png"), None, "why").as_dict() == {"input": "a.png", "status": "failed", "error": "why"}
    assert isinstance(task.failed(Path("a.png"), None, "why"), FileRecord)
    record = Record("a.png", "b.png", "ok", height=3, width=4, rain=0.2, removed=0.04, seconds=1.5)
    assert record.line() == "a.png → b.png  4.0 % light removed, 1.50 s"
    assert "rain at -3.2°, " in Record("a", "b", "ok", angle=-3.21, removed=0.0, seconds=0.0).line()


def test_whatever_goes_wrong_is_a_record(here, model, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("out of everything")

    write_image(here / "a.png", scene())
    monkeypatch.setattr(derain_picture, "derain", fail)
    record = derain_picture.derain_picture(Path("a.png"), Path("b.png"), Options(model))
    assert (record.status, record.error) == ("failed", "'a.png': RuntimeError: out of everything")


# Videos


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(derain_video, "STRETCH", STRETCH)
    monkeypatch.setattr(derain_video, "SAMPLES", 3)


def test_a_video_keeps_its_frames_times_and_sound(here, model, short):
    clip(here / "a.mp4", sound=True)
    status, out, err = call("a.mp4", "-o", "out/b.mp4", "-m", model, "--angle", "9", "--crf", "1", "--compare")
    assert (status, err) == (0, "")
    assert re.search(r"a\.mp4 → out/b\.mp4  14 frames; rain at \+9\.0°, \d+\.\d s", out)
    assert times_of(here / "out/b.mp4") == times_of(here / "a.mp4")
    assert len(packets_of(here / "a.mp4")) > 10
    assert packets_of(here / "out/b.mp4") == packets_of(here / "a.mp4")
    before, after = read_frames(here / "a.mp4"), read_frames(here / "out/b.mp4")
    net = rainnet.load(model)
    for rainy, clean in zip(before, after, strict=True):
        expected = derain(net, rainy, angle=9.0).background * 255
        # Colours are stored at half the resolution, so brightness is compared.
        assert np.abs((clean - expected) @ LUMA).mean() < 1
        assert np.abs((clean - rainy.astype(float)) @ LUMA).mean() > 1.5
    assert names(here) == {"a.mp4", "out/b.mp4", "out/b_compare.png"}


def test_angles_are_steady_within_a_stretch(here, model, short, monkeypatch):
    clip(here / "a.mp4")
    # The second stretch turns a little, and the third, of two frames, shows another rain.
    answers = iter([10.0, 12.0, 40.0, 16.0, 18.0, 46.0, -38.0, -38.0])
    asked, used = [], []
    real = derain_video.derain

    def find(net, image, *, by, device):
        asked.append((image.shape, by))
        return next(answers)

    def watched(net, image, *, angle, **more):
        used.append(angle)
        return real(net, image, angle=angle, **more)

    monkeypatch.setattr(derain_video, "find_angle", find)
    monkeypatch.setattr(derain_video, "derain", watched)
    record = derain_video.derain_video_file(Path("a.mp4"), Path("b.mp4"), Options(model, angle="network"))
    assert record.error is None
    assert asked == [((H, W, 3), "network")] * 8
    assert used == [12.0] * 6 + [15.0] * 6 + [-38.0] * 2
    assert record.angles == [12.0, 15.0, -38.0]
    assert (record.frames, record.scenes, record.kept_parts, record.dry) == (COUNT, 1, 0, None)


def test_frames_without_rain_say_nothing_of_its_angle():
    dry = np.full((120, 160, 3), 90, np.uint8)
    rainy = np.rint(add_rain(dry, RainSpec(angle=20.0), np.random.default_rng(1)).rainy * 255).astype(np.uint8)
    seen = derain_video._seen_by_solver([dry, rainy, dry], None)
    assert len(seen) == 1
    assert seen[0] == pytest.approx(20, abs=2)
    assert derain_video._seen_by_solver([dry, dry], 7.5) == [7.5]
    assert len(derain_video._seen_by_solver([dry, dry], None)) == 2


def test_a_stopped_run_goes_on(here, model, short, monkeypatch):
    clip(here / "a.mp4")
    source, target, options = Path("a.mp4"), Path("b.mp4"), Options(model)
    whole = derain_video.derain_video_file(source, Path("whole.mp4"), options)
    real, count = derain_video.derain, itertools.count()

    def interrupted(*arguments, **more):
        if next(count) == STRETCH + 2:
            raise KeyboardInterrupt
        return real(*arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(derain_video, "derain", interrupted)
        with pytest.raises(KeyboardInterrupt):
            derain_video.derain_video_file(source, target, options)
    assert not target.exists()
    shares = []
    record = derain_video.derain_video_file(source, target, options, shares.append)
    assert (record.error, record.kept_parts, record.angles) == (None, 1, whole.angles)
    np.testing.assert_array_equal(read_frames(target), read_frames("whole.mp4"))
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert names(here) == {"a.mp4", "b.mp4", "whole.mp4"}
    # Parts that were made with another setting are of no use.
    count = itertools.count()
    with monkeypatch.context() as patch:
        patch.setattr(derain_video, "derain", interrupted)
        with pytest.raises(KeyboardInterrupt):
            derain_video.derain_video_file(source, Path("c.mp4"), options)
    other = derain_video.derain_video_file(source, Path("c.mp4"), Options(model, angle=3.0))
    assert (other.kept_parts, other.angles) == (0, [3.0] * 3)


def test_frames_of_10_bits_stay_so(here, model):
    with VideoWriter(here / "a.mp4", height=H, width=W, rate=Fraction(25), bits=16) as writer:
        for seed in range(2):
            writer.write(scene(seed, np.uint16))
    assert call("a.mp4", "-o", "b.mp4", "-m", model)[0] == 0
    assert (open_video(here / "b.mp4").bits, open_video(here / "b.mp4").count()) == (16, 2)


def test_what_cannot_be_done_with_a_video(here, model):
    clip(here / "a.mp4", count=2)
    (here / "bad.mp4").write_bytes(b"nothing")
    write_image(here / "p.png", scene())
    status, out, _ = call("a.mp4", "bad.mp4", "p.png", "-o", "out", "-m", model, "--save-rain", "--json")
    assert status == 1
    entries = {entry["input"]: entry for entry in map(json.loads, out.splitlines())}
    assert "--save-rain is for images; leave it out for videos" in entries["a.mp4"]["error"]
    assert entries["bad.mp4"]["status"] == "failed"
    assert entries["p.png"]["status"] == "ok"
    assert names(here / "out") == {"p.png", "p_rain.png"}
    assert call("a.mp4", "-o", "out", "-m", model)[0] == 0
    status, out, _ = call("a.mp4", "-o", "out", "-m", model)
    assert status == 0
    assert "kept out/a.mp4" in out
