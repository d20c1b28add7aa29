"""A video that was cut is told from a whole one by its container, wherever the cut is not at the end of a piece."""

import av
import numpy as np
import pytest

from rainopt.io.video.ends import is_cut
from rainopt.io.video.read import open_video
from tests.support.clips import blocks, coded

COUNT, SIZE = 20, (48, 64)
MPEG2 = {"codec": "mpeg2video", "options": {}}
KINDS = {
    "a.ts": {},
    "a.m2ts": {"muxer": {"mpegts_m2ts_mode": "1"}},
    "a.mkv": {"sound": True},
    "a.flv": {"sound": True},
    "a.mxf": MPEG2,
    "a.mjpeg": {"codec": "mjpeg", "pix": "yuvj420p", "options": {}},
    "a.mpg": MPEG2,
    "a.wmv": {"codec": "wmv2", "options": {}},
    "a.avi": {"codec": "mpeg4", "options": {}},
    "a.mp4": {"muxer": {"movflags": "frag_keyframe+empty_moov"}, "sound": True},
    "a.y4m": None,
}


def y4m(path, frames):
    with open(path, "wb") as file:
        file.write(b"YUV4MPEG2 W64 H48 F25:1 Ip A1:1 C420jpeg\n")
        for frame in frames:
            planes = av.VideoFrame.from_ndarray(frame, "rgb24").reformat(format="yuv420p").to_ndarray()
            file.write(b"FRAME\n" + planes.tobytes())
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder, frames = tmp_path_factory.mktemp("whole"), blocks(COUNT, SIZE)
    return {
        name: y4m(folder / name, frames) if options is None else coded(folder / name, frames, **options)
        for name, options in KINDS.items()
    }


@pytest.mark.parametrize("name", KINDS)
def test_a_whole_file_is_not_said_to_end_early_and_a_cut_one_is(tmp_path, whole, name):
    video = open_video(whole[name])
    assert (video.count(), video.lost) == (COUNT, None)
    data, path = whole[name].read_bytes(), tmp_path / name
    for part in (0.6, 0.95):
        # An odd number of bytes is no whole number of packets.
        path.write_bytes(data[: int(len(data) * part) | 1])
        video = open_video(path)
        assert video.count() <= COUNT
        assert video.lost is not None, part


def test_structures_that_are_not_known_say_nothing(tmp_path):
    path = tmp_path / "a"
    for data in (b"", b"\0" * 40, b"\x1a\x45\xdf\xa3\xff", bytes(range(256)) * 8):
        path.write_bytes(data)
        for name in ("mov,mp4", "matroska,webm", "mpegts", "mxf", "yuv4mpegpipe", "mpeg", "asf", "avi", "ogg", "h264"):
            assert is_cut(path, name) in (True, False)
    assert not is_cut(tmp_path / "gone", "mpegts")
    # Of an unknown length, as of a recorder that never stopped.
    path.write_bytes(b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67" + b"\x01" + b"\xff" * 7 + b"more")
    assert not is_cut(path, "matroska,webm")


@pytest.mark.parametrize("colours", ["mono", "422", "444", "420p10", "411"])
def test_frames_of_yuv4mpeg_are_counted_by_their_bytes(tmp_path, colours):
    planes = {"mono": 1, "422": 2, "444": 3, "420p10": 3, "411": 1.5}
    head = f"YUV4MPEG2 W16 H8 F25:1 C{colours}\n".encode()
    data = head + 3 * (b"FRAME\n" + bytes(int(16 * 8 * planes[colours])))
    (tmp_path / "a.y4m").write_bytes(data)
    assert not is_cut(tmp_path / "a.y4m", "yuv4mpegpipe")
    (tmp_path / "a.y4m").write_bytes(data[:-1])
    assert is_cut(tmp_path / "a.y4m", "yuv4mpegpipe")


def test_an_index_that_is_cut_off_is_told(tmp_path, whole):
    path = coded(tmp_path / "a.mp4", blocks(4, SIZE))
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"moov") + 60])
    with pytest.raises(ValueError, match=r"its index .* is missing"):
        open_video(path)


def test_ogg_ends_with_a_whole_page(tmp_path):
    page = b"OggS\0\4" + bytes(20) + bytes([2, 255, 7]) + bytes(262)
    for data, cut in ((page * 2, False), ((page * 2)[:-1], True), (page + page[:20], True)):
        (tmp_path / "a.ogv").write_bytes(data)
        assert is_cut(tmp_path / "a.ogv", "ogg") == cut


def test_losses_are_said_once(tmp_path, whole):
    """Where the decoder has noticed already, the end of the file is not told again."""
    data = whole["a.mjpeg"].read_bytes()
    (tmp_path / "a.mjpeg").write_bytes(data[: len(data) // 2])
    video = open_video(tmp_path / "a.mjpeg")
    assert np.asarray(next(video.frames()).pixels).shape == (*SIZE, 3)
    video.count()
    assert video.lost.count("frames") == 1
