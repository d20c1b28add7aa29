"""Streams are derained while they come, and what cannot be done in time is dropped and told."""

import http.server
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time
from dataclasses import dataclass, field
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest

from rainnet.commands.main import app as rainnet
from rainopt.app import live, live_settings
from rainopt.app.keep import Keep
from rainopt.app.live import derain_live
from rainopt.app.results import OutputSettings
from rainopt.commands.main import app
from rainopt.io.video.live import _Pace, without_secrets
from rainopt.io.video.read import read_frames
from rainopt.io.video.span import Moment, Span
from tests.support.clips import blocks, coded, rained, save, view
from tests.support.photos import files
from tests.support.processes import call, command, environment
from tests.support.stretches import times_of

QUICK = ["--angle", "8", "--weights", "sparsity=0.01", "--max-iter", "2", "--no-background"]


def grey(count):
    return [frame[..., :1].repeat(3, axis=-1) for frame in blocks(count)]


@dataclass
class Dark:
    """Darken frames by 16, taking some seconds for each, as a `rainopt.app.preview.PreviewWork`."""

    seconds: float = 0.0
    around: int = 8
    length: int = 120
    seen: list = field(default_factory=list)
    found: threading.Event = field(default_factory=threading.Event)

    def choose(self, store, before):
        self.found.set()
        self.seen.append((len(store), before))
        return len(self.seen)

    def part(self, chosen, frames):
        return chosen

    def derained(self, store, chosen):
        for frame in store:
            time.sleep(self.seconds)
            yield np.maximum(frame, 16) - 16

    def angle(self, chosen):
        return 8.0


@pytest.fixture
def quickly(monkeypatch):
    """Know the rain after a few frames; and drop none because others use the computer."""
    monkeypatch.setattr(live, "WAITING", 10.0)
    monkeypatch.setattr(live_settings, "FIRST", 3)
    monkeypatch.setattr(live_settings, "LEAST", 10)
    monkeypatch.setattr(live_settings, "MOST", 10)


@pytest.fixture
def at_once(quickly, monkeypatch):
    """Let frames wait for the rain to be known, and files not for the time at which their frames are shown."""

    class AtOnce(threading.Thread):
        def start(self):
            super().start()
            self.join()

    monkeypatch.setattr(live_settings, "threading", SimpleNamespace(Thread=AtOnce))
    monkeypatch.setattr(_Pace, "wait", lambda *_: None)


def run(source, target, work=None, stop=None, **output):
    record = derain_live(
        str(source), str(target), OutputSettings(crf=5, **output), work or Dark(), stop or threading.Event()
    )
    assert (record.status, record.error) == ("ok", None)
    return record


def changed(got, expected):
    """Which frames are darker by 16 than those that came."""
    darker = [np.abs(a - np.maximum(b.astype(int) - 16, 0)).mean() < 4 for a, b in zip(got, expected, strict=True)]
    as_is = [np.abs(a - b.astype(int)).mean() < 4 for a, b in zip(got, expected, strict=True)]
    assert all(one != other for one, other in zip(darker, as_is, strict=True))
    return darker


def test_no_thread_is_left_that_looks_for_settings(tmp_path, quickly):
    # The interpreter would abort if it ended before the kernels that such a thread runs.
    class Slow(Dark):
        def choose(self, store, before):
            time.sleep(1.5)
            return super().choose(store, before)

    run(save(tmp_path / "a.mkv", grey(12)), tmp_path / "b.mkv", Slow())
    assert not [thread for thread in threading.enumerate() if thread.name == "settings"]


def test_a_file_at_its_own_pace_comes_out_whole_and_in_time(tmp_path, quickly, monkeypatch):
    # Where the machine pauses, frames come in a burst, and the rain would be known before the first ones have gone.
    written, real = [], live.LiveWriter.write
    gone = threading.Event()

    def write(writer, *frame):
        real(writer, *frame)
        written.append(frame)
        if len(written) == 2:
            gone.set()

    class Patient(Dark):
        def choose(self, store, before):
            assert gone.wait(30)
            return super().choose(store, before)

    monkeypatch.setattr(live.LiveWriter, "write", write)
    source, work = save(tmp_path / "a.mkv", grey(30)), Patient()
    begin = time.monotonic()
    record = run(source, tmp_path / "b.mp4", work)
    assert time.monotonic() - begin > 1.1
    assert (record.frames, record.dropped, record.lost) == (30, 0, None)
    assert times_of(tmp_path / "b.mp4") == times_of(source)
    darker = changed(read_frames(tmp_path / "b.mp4"), read_frames(source))
    assert darker == [False] * record.raw + [True] * (30 - record.raw)
    assert 2 <= record.raw < 15
    assert record.delay < 10
    # Settings are renewed, from frames that have gone, after the ones before.
    assert work.seen[:2] == [(3, None), (10, 1)]
    assert (
        f"30 frames; rain at +8.0°; {record.raw} as they came, before the rain was known; at most 0." in record.line()
    )
    assert not list(tmp_path.glob(".*"))


def test_frames_are_dropped_before_the_delay_grows(tmp_path, quickly, monkeypatch):
    monkeypatch.setattr(live, "WAITING", 0.3)
    monkeypatch.setattr(live, "TELL_EVERY", 0.2)
    source, told = save(tmp_path / "a.mkv", grey(50), rate=Fraction(50)), []
    record = derain_live(
        str(source),
        str(tmp_path / "b.mkv"),
        OutputSettings(),
        Dark(seconds=0.1, around=0),
        threading.Event(),
        told.append,
    )
    assert record.dropped > 10
    assert record.frames + record.dropped == 50
    assert record.delay < 4
    got = times_of(tmp_path / "b.mkv")
    assert len(got) == record.frames
    # Those that are left are shown when they came.
    assert set(got) <= {Fraction(k, 50) for k in range(50)}
    assert f"{record.dropped} dropped to keep up" in record.line()
    assert any("frames dropped to keep up, at" in text for text in told)


def test_it_ends_when_it_is_told_to_and_at_a_time(tmp_path, quickly):
    source, stop = save(tmp_path / "a.mkv", grey(50)), threading.Event()
    threading.Timer(0.5, stop.set).start()
    record = run(source, tmp_path / "b.mp4", stop=stop)
    assert 5 < record.frames < 25
    assert len(read_frames(tmp_path / "b.mp4")) == record.frames
    assert run(source, tmp_path / "c.mp4", span=Span(None, Moment.of("0.4"))).frames == 10


@pytest.mark.parametrize(("name", "target"), [("a.mp4", "b.mkv"), ("a.ts", "b.mp4"), ("a.mkv", "b.webm")])
def test_a_region_is_left_alone_and_sound_is_copied(tmp_path, at_once, name, target):
    source = coded(tmp_path / name, grey(20), sound=True, begin=5 if name == "a.ts" else 0)
    record = run(source, tmp_path / target, keep=Keep.of(["0,0,32,48"]))
    got, expected = read_frames(tmp_path / target), read_frames(source)
    assert np.abs(got[-1, :, :28] - expected[-1, :, :28].astype(int)).mean() < 4
    assert np.abs(got[-1, :, 36:] - np.maximum(expected[-1, :, 36:].astype(int) - 16, 0)).mean() < 4
    if target == "b.webm":
        assert record.lost == "its sound cannot be held and is left out"
        return
    assert record.lost is None
    with av.open(str(tmp_path / target)) as file:
        heard = [frame.time for frame in file.decode(audio=0)]
    assert len(heard) > 25
    assert heard[0] < 0.1
    assert 0.7 < heard[-1] < 0.85


def test_a_size_that_changes_ends_it_with_what_came_before(tmp_path, at_once):
    parts = [coded(tmp_path / f"{n}.h264", [frame[: 24 * n] for frame in grey(8)]).read_bytes() for n in (2, 1)]
    (tmp_path / "a.h264").write_bytes(b"".join(parts))
    record = run(tmp_path / "a.h264", tmp_path / "b.mkv")
    assert (
        record.lost
        == f"'{tmp_path / 'a.h264'}' changes its size from 64 x 48 pixels to 64 x 24, and is written up to there"
    )
    assert len(read_frames(tmp_path / "b.mkv")) == record.frames == 8


def test_a_new_scene_is_not_derained_as_the_one_before(tmp_path, at_once):
    frames = list(rained(view(), None, 20)) + list(rained(view("astronaut"), None, 20))
    work = Dark()
    record = run(save(tmp_path / "a.mkv", frames), tmp_path / "b.mkv", work)
    assert record.frames == 40
    assert [before for _, before in work.seen].count(None) == 2


@pytest.fixture
def server(tmp_path):
    """The address of an HTTP server."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(tmp_path))

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://user:secret@127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_address_is_read_and_its_password_is_not_shown(tmp_path, server, at_once):
    coded(tmp_path / "a.ts", grey(20))
    record = run(f"{server}/a.ts", tmp_path / "b.mkv")
    assert record.input == without_secrets(f"{server}/a.ts")
    assert "secret" not in record.input
    assert record.frames + record.dropped == 20
    failed = derain_live(f"{server}/gone.ts", str(tmp_path / "c.mkv"), OutputSettings(), Dark(), threading.Event())
    assert failed.status == "failed"
    assert "http://***@127.0.0.1" in failed.error
    assert "cannot be read (Server returned 404 Not Found); check that it is there" in failed.error
    assert not (tmp_path / "c.mkv").exists()


def test_a_connection_that_breaks_off_is_told_and_what_came_is_kept(tmp_path, at_once):
    content, work = coded(tmp_path / "a.mkv", grey(20)).read_bytes(), Dark()

    def send(server):
        connection, _ = server.accept()
        with connection:
            connection.sendall(content)
            work.found.wait(10)
            # Closed like a cable that is cut.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = threading.Thread(target=send, args=(server,))
        sender.start()
        record = run(f"tcp://127.0.0.1:{server.getsockname()[1]}", tmp_path / "b.mkv", work)
        sender.join()
    assert "the stream broke off (Connection reset by peer)" in record.lost
    assert len(read_frames(tmp_path / "b.mkv")) == record.frames > 0


def test_from_standard_input_to_standard_output(tmp_path):
    # Slow enough for a machine that does other work, too: ten frames a second.
    source = coded(tmp_path / "a.ts", grey(30), base=Fraction(1, 10))
    with open(source, "rb") as file:
        done = subprocess.run(
            command("rainopt", "derain", "-", "-o", "-", "--live", "--json", *QUICK),
            stdin=file,
            capture_output=True,
            env=environment(),
            timeout=100,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stderr.splitlines()[-1])
    assert (record["input"], record["output"], record["status"]) == ("-", "-", "ok")
    (tmp_path / "b.mkv").write_bytes(done.stdout)
    with av.open(str(tmp_path / "b.mkv")) as video:
        assert sum(1 for _ in video.decode(video=0)) == record["frames"] >= 20
    # If any are dropped, each is counted.
    assert record["frames"] + record.get("dropped", 0) == 30


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_whole_file(tmp_path, signum):
    os.mkfifo(tmp_path / "pipe.ts")
    content = coded(tmp_path / "a.ts", grey(60)).read_bytes()
    words = command("rainopt", "derain", tmp_path / "pipe.ts", "-o", tmp_path / "b.mp4", "--live", "--json", *QUICK)
    with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, start_new_session=True) as running:
        try:
            with open(tmp_path / "pipe.ts", "wb") as pipe:
                pipe.write(content)
                pipe.flush()
                end = time.monotonic() + 60
                while not list(tmp_path.glob(".*.tmp")) and time.monotonic() < end:
                    time.sleep(0.05)
                running.send_signal(signum)
                out, _ = running.communicate(timeout=30)
        finally:
            running.kill()
    assert running.returncode == 0
    assert len(read_frames(tmp_path / "b.mp4")) == json.loads(out)["frames"] > 0


@pytest.mark.parametrize("program", [app, rainnet])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["rtsp://me:secret@camera/1", "-o", "b.mkv"],
            "'rtsp://***@camera/1' is a stream and no file; add --live to derain",
        ),
        (["-", "-o", "b.mkv"], "'-' is a stream and no file; add --live"),
        (["a.mkv", "-o", "-"], "'-' is a stream and no file; add --live"),
        (["a.mkv", "a.mkv", "-o", "b.mkv", "--live"], "--live derains one stream, and 2 are given"),
        (["a.mkv", "-o", "out", "--live"], "'out' is no name of a video; name one for the stream (.m4v, .mkv,"),
        (["a.mkv", "-o", "a.mkv", "--live"], "'a.mkv' is the input itself"),
        (["a.mkv", "-o", "c.mkv", "--live"], "'c.mkv' is there already; name another file, or add --overwrite"),
        (["a.mkv", "-o", "b.mkv", "--live", "--compare"], "--compare: is not for streams; leave it out with --live"),
        (["a.mkv", "-o", "b.mkv", "--live", "--start", "3"], "--start: is not for streams"),
    ],
)
def test_wrong_usage(here, program, arguments, told):
    for name in ("a.mkv", "c.mkv"):
        (here / name).touch()
    status, out, err = call(program, "derain", *arguments)
    assert (status, out) == (2, "")
    assert told.replace(": ", " ") in err.replace("Invalid value for ", "").replace(": ", " ")
    assert files(here).keys() == {"a.mkv", "c.mkv"}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (
            "a.mkv",
            b"no video",
            "'a.mkv' cannot be read (Invalid data found when processing input); check that it is there",
        ),
        ("a.m3u8", b"#EXTM3U\n#EXTINF:1,\nsecret.ts\n", "'a.m3u8' cannot be read"),
        ("gopher://a/b", None, "'gopher://a/b' cannot be read: use one of rtsp, rtsps, http"),
    ],
)
def test_what_is_no_stream(here, name, content, told):
    if content is not None:
        (here / name).write_bytes(content)
    status, out, err = call(app, "derain", name, "-o", "b.mkv", "--live")
    assert (status, out) == (1, "")
    assert told in err
    assert "b.mkv" not in files(here)


def test_the_solver_and_the_network_derain_streams(here):
    save(here / "a.mkv", [frame[:48, :64] for frame in rained(view(), "light", 15)])
    for program, more in ((app, []), (rainnet, ["--device", "cpu"])):
        status, out, err = call(program, "derain", "a.mkv", "-o", "b.mkv", "--live", "--overwrite", "--json", *more)
        assert (status, err) == (0, "")
        record = json.loads(out)
        assert record["frames"] + record["dropped"] == 15
        assert record["delay"] < 10
