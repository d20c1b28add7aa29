"""A video is one regular file of a bounded size, the same from the first frame to the last."""

import os
import sys

import av
import numpy as np
import pytest

from rainopt.io.video.open import MAX_PIXELS
from rainopt.io.video.read import VideoError, is_video, open_video, read_frames
from rainopt.io.video.write import VideoWriter, join_parts
from tests.support.clips import LOSSLESS, blocks, coded


@pytest.fixture
def secret(tmp_path):
    return coded(tmp_path / "secret.mp4", blocks(4), **LOSSLESS)


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile 'secret.mp4'\n",
        "# a comment\nffconcat version 1.0\nfile 'secret.mp4'\n",
        "file 'secret.mp4'\n",
        "\ufeff#EXTM3U\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n",
        '<?xml version="1.0"?><MPD><Period></Period></MPD>',
    ],
)
@pytest.mark.parametrize("name", ["list.mp4", "list.mkv"])
def test_lists_of_other_files_are_not_followed(tmp_path, secret, text, name):
    (tmp_path / name).write_text(text)
    with pytest.raises(VideoError, match=f"{name}' cannot be read"):
        open_video(tmp_path / name)
    if not text.startswith("# "):
        with pytest.raises(VideoError, match="it is a list that names other files"):
            open_video(tmp_path / name)
    with pytest.raises(VideoError):
        join_parts([secret], tmp_path / "out.mkv", rest_from=tmp_path / name)
    assert not (tmp_path / "out.mkv").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
@pytest.mark.timeout(20)
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(VideoError, match=r"a.mp4' is no regular file \(a pipe or a device\); save it"):
        open_video(tmp_path / "a.mp4")


def test_a_small_file_of_huge_frames_is_refused(tmp_path, monkeypatch):
    path = coded(tmp_path / "a.mp4", blocks(3, (64, 96)))
    monkeypatch.setattr("rainopt.io.video.open.MAX_PIXELS", 64 * 96 - 1)
    with pytest.raises(VideoError, match="has frames of 64 x 96 pixels, above the limit of 6,143"):
        open_video(path)
    assert MAX_PIXELS >= 7680 * 4320  # what cameras record


def test_frames_that_grow_huge_in_mid_stream_are_not_built(tmp_path, monkeypatch):
    parts = [coded(tmp_path / f"{n}.h264", blocks(4, size)) for n, size in enumerate([(48, 64), (96, 128)])]
    (tmp_path / "a.h264").write_bytes(b"".join(part.read_bytes() for part in parts))
    monkeypatch.setattr("rainopt.io.video.open.MAX_PIXELS", 48 * 64)
    with pytest.raises(VideoError, match=r"a.h264' has frames of 96 x 128 pixels, above the limit"):
        open_video(tmp_path / "a.h264")


def replaced(path, other):
    os.replace(other, path)


def grown(path, other):
    with open(path, "ab") as file:
        file.write(b"\0" * 100)


@pytest.mark.skipif(sys.platform == "win32", reason="open files are replaced")
@pytest.mark.parametrize("change", [replaced, grown])
def test_a_file_that_changes_is_not_read_on(tmp_path, change):
    path = coded(tmp_path / "a.mp4", blocks(6))
    other = coded(tmp_path / "b.mp4", blocks(7))
    video = open_video(path)
    frames = video.frames()
    next(frames)
    change(path, other)
    with pytest.raises(VideoError, match=r"a.mp4' was changed while it was worked on; run again"):
        list(frames)
    with pytest.raises(VideoError, match="was changed"):
        video.count()


def test_the_content_decides_where_the_suffix_says_nothing(tmp_path, secret):
    (tmp_path / "camera.xyz").write_bytes(secret.read_bytes())
    (tmp_path / "notes.xyz").write_text("no video")
    from rainopt.io import write_image

    write_image(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "a.png").rename(tmp_path / "picture.xyz")
    (tmp_path / "folder.xyz").mkdir()
    said = {name: is_video(tmp_path / f"{name}.xyz") for name in ("camera", "notes", "picture", "folder", "gone")}
    assert said == {"camera": True, "notes": False, "picture": False, "folder": False, "gone": False}
    assert is_video("a.dav")


def test_nothing_is_joined_where_the_check_says_no(tmp_path, secret):
    part = tmp_path / "1.nut"
    with VideoWriter(part, height=48, width=64, rate=av.VideoFrame and 25) as writer:
        for frame in read_frames(secret):
            writer.write(frame)

    def no():
        raise VideoError("changed")

    with pytest.raises(VideoError, match="changed"):
        join_parts([part], tmp_path / "out.mp4", check=no)
    assert not (tmp_path / "out.mp4").exists()
