"""Of a damaged video what can be decoded is given and the rest is told; what is no video is told by name."""

import builtins
import io
from fractions import Fraction
from functools import partial

import av
import numpy as np
import pytest

from rainopt.io import write_image
from rainopt.io.video import decode
from rainopt.io.video.read import VideoError, open_video
from tests.support.clips import LOSSLESS, blocks, coded

clip = partial(coded, **LOSSLESS)
FFV1 = {"codec": "ffv1", "pix": "bgr0"}


def overwritten(path, place, data):
    """Put other bytes into a file."""
    whole = path.read_bytes()
    path.write_bytes(whole[:place] + data + whole[place + len(data) :])
    return path


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory):
    folder, frames = tmp_path_factory.mktemp("clips"), blocks(30)
    options = {"qp": "0", "g": "10", "bf": "2"}
    return {
        ".mp4": clip(folder / "a.mp4", frames, options=options, muxer={"movflags": "+faststart"}),
        ".mkv": clip(folder / "a.mkv", frames, options=options),
        ".avi": clip(folder / "a.avi", frames, options={}, **FFV1),
    }, frames


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
@pytest.mark.parametrize("part", [0.2, 0.5, 0.77, 0.97])
def test_a_truncated_file_gives_what_decodes_and_tells_the_rest(tmp_path, long_clip, suffix, part):
    files, frames = long_clip
    data, path = files[suffix].read_bytes(), tmp_path / f"cut{suffix}"
    path.write_bytes(data[: int(len(data) * part)])
    video = open_video(path)
    got = [frame.pixels for frame in video.frames()]
    assert 30 * part - 8 < len(got) < 30
    # The last one or two may be patched.
    np.testing.assert_array_equal(got[:-3], frames[: max(len(got) - 3, 0)])
    assert video.lost is not None
    if suffix != ".mkv":
        assert f"the last {30 - len(got)} of 30 frames cannot be decoded" in video.lost
    told = video.lost
    assert video.count() == len(got)
    assert video.lost == told


@pytest.mark.parametrize("seed", range(6))
def test_damage_in_the_middle_raises_nothing_after_the_first_frame(tmp_path, long_clip, seed):
    (tmp_path / "a.mp4").write_bytes(data := long_clip[0][".mp4"].read_bytes())
    rng = np.random.default_rng(seed)
    video = open_video(
        overwritten(tmp_path / "a.mp4", int(rng.integers(len(data) // 3, len(data) - 3000)), rng.bytes(2000))
    )
    count = len(list(video.frames()))
    # Damage that happens to make sense to the decoder shows in the pictures only.
    assert 10 <= count <= 30
    assert count == 30 or video.lost is not None
    assert video.count() == count


@pytest.mark.parametrize(("frame", "threads"), [(6, 0), (15, 1), (15, 8), (26, 0), (29, 1), (29, 8)])
def test_one_broken_frame_does_not_take_others_with_it(tmp_path, monkeypatch, frame, threads):
    """Frames that other threads decode at the time of an error are not lost."""
    frames = blocks(30)
    path = clip(tmp_path / "a.avi", frames, options={"g": "1"}, **FFV1)
    with av.open(str(path)) as container:
        packet = [bytes(packet) for packet in container.demux(video=0) if packet.size][frame]
    overwritten(path, path.read_bytes().index(packet), b"\xff" * len(packet))
    monkeypatch.setattr(decode, "THREADS", threads)
    video = open_video(path)
    got = [frame.pixels for frame in video.frames()]
    assert "1 of 30 frames cannot be decoded" in video.lost
    assert len(got) == video.count()
    assert sum(any(np.array_equal(pixels, wanted) for wanted in frames) for pixels in got) == 29


def test_nothing_is_lost_where_the_end_is_cut_off_on_purpose(tmp_path):
    """An edit list hides frames that the header counts."""
    path = clip(tmp_path / "a.mp4", blocks(20), muxer={"movie_timescale": "25"})
    place = path.read_bytes().index(b"elst") + 12
    assert path.read_bytes()[place : place + 4] == (20).to_bytes(4, "big")
    video = open_video(overwritten(path, place, (12).to_bytes(4, "big")))
    assert video.count() == 12
    assert video.lost is None


def sound_only(path):
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), "fltp", "stereo")
        frame.sample_rate, frame.pts = 48000, 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def test_every_error_names_the_file_and_what_to_do(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("It rained all day.\n" * 100)
    whole = clip(tmp_path / "a.mp4", blocks(10)).read_bytes()
    (tmp_path / "index.mp4").write_bytes(whole[: whole.index(b"moov") - 4])
    (tmp_path / "unknown.mp4").write_bytes(whole.replace(b"avc1", b"zzzz"))
    start, end = whole.index(b"mdat") + 4, whole.index(b"moov") - 4
    (tmp_path / "black.mp4").write_bytes(whole[:start] + bytes(end - start) + whole[end:])
    sound_only(tmp_path / "sound.mp4")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / ".hidden.png").touch()
    (tmp_path / "folder" / "notes.txt").touch()
    for name, message in {
        "missing.mp4": "does not exist; check the name",
        "empty.mp4": r"is empty \(0 bytes\); obtain",
        "text.mp4": "is no video file, or damaged at its beginning .*; check",
        "index.mp4": "its index .* is missing.*; obtain",
        "unknown.mp4": "coded in a way that PyAV cannot decode; convert",
        "black.mp4": "none of its frames can be decoded .*; obtain",
        "sound.mp4": "holds sound only; name",
        "folder": "holds no images .*; name",
    }.items():
        with pytest.raises(VideoError, match=message) as caught:
            open_video(tmp_path / name)
        assert str(caught.value).startswith(f"'{tmp_path / name}' ")


def test_frames_of_another_size_are_left_out_and_told(tmp_path):
    path = tmp_path / "a.h264"
    parts = [coded(tmp_path / f"{n}.h264", blocks(4, size)) for n, size in enumerate([(48, 64), (64, 96), (48, 64)])]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    video = open_video(path)
    frames = list(video.frames())
    assert [frame.index for frame in frames] == list(range(8))
    assert {frame.pixels.shape for frame in frames} == {(48, 64, 3)}
    assert video.lost == "4 frames of another size than the first are left out, from frame 4 on (64 x 96 pixels)"
    assert video.count() == 8
    # The times go on as if they were there.
    assert frames[4].time - frames[3].time == Fraction(5, 25)


def test_no_frame_is_told_lost_where_recordings_were_put_together(tmp_path):
    part = coded(tmp_path / "part.ts", blocks(40), sound=True).read_bytes()
    path = tmp_path / "a.ts"
    path.write_bytes(part + part)
    video = open_video(path)
    assert video.count() == 80
    assert video.lost is None
    # What is missing within a recording is told.
    with av.open(io.BytesIO(part)) as container:
        frame = [packet.pos for packet in container.demux(video=0) if packet.size][9]
    path.write_bytes(part[: frame + 188] + part[frame + 2 * 188 :] + part)
    video = open_video(path)
    assert video.count() == 80
    assert "data are missing" in video.lost


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (np.zeros((8, 9, 3), np.uint8), r"frame 1 \('2.png'\) has 8 x 9 pixels, the first has 8 x 8.*stop=1"),
        (np.zeros((8, 8, 4), np.uint8), "2.png' has an alpha channel"),
        (np.zeros((8, 8, 3), np.uint16), "2.png' has 16 bits, the first image of its folder 8"),
        (None, "2.png' is empty"),
    ],
)
def test_images_of_a_folder_that_do_not_fit(tmp_path, second, message):
    write_image(tmp_path / "1.png", np.zeros((8, 8, 3), np.uint8))
    if second is None:
        (tmp_path / "2.png").touch()
    else:
        write_image(tmp_path / "2.png", second)
    video = open_video(tmp_path)
    with pytest.raises(VideoError, match=message):
        list(video.frames())
    assert len(list(video.frames(stop=1))) == 1


def test_without_av_the_extra_is_named(tmp_path, monkeypatch):
    path = clip(tmp_path / "a.mp4", blocks(1))
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "av":
            raise ImportError("No module named 'av'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(VideoError, match=r"pip install 'rainopt\[video\]'"):
        open_video(path)
