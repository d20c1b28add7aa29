"""Videos are copied bit for bit, or packet by packet into another container: frames and times as they were."""

import numpy as np
import pytest

from rainopt.io.unchanged import ChangedError
from rainopt.io.video.copied import copy_video
from rainopt.io.video.read import VideoError, VideoExistsError, open_video
from tests.support.clips import blocks, coded
from tests.support.disk import full_disk
from tests.support.tracks import full, lines_of, packets_of, seen_in

resource = pytest.importorskip("resource")

FRAMES = blocks(12)
REORDERED = {"options": {"bf": "3", "b-adapt": "0"}}
TURNED = [0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30]


def frames_of(path):
    return [(frame.time, frame.pixels) for frame in open_video(path).frames()]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".nut"])
def test_a_file_of_the_same_container_is_copied_bit_for_bit(tmp_path, suffix):
    source = full(tmp_path / f"a{suffix}", sound=("aac",))
    assert copy_video(source, tmp_path / f"b{suffix}")
    assert (tmp_path / f"b{suffix}").read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", REORDERED),
        ("turned.mp4", {"turn": TURNED, "sound": True}),
        ("a.mkv", REORDERED),
        ("a.ts", REORDERED | {"sound": True, "begin": 100}),
        ("a.avi", {"codec": "mpeg4", "options": {"bf": "2"}}),
        ("a.mpg", {"codec": "mpeg2video", "options": {"bf": "2"}}),
        ("a.webm", {"codec": "libvpx-vp9", "options": {}}),
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_pictures_keep_their_coding_in_another_container(tmp_path, name, options, suffix):
    source, target = coded(tmp_path / name, FRAMES, **options), tmp_path / f"b{suffix}"
    told = []
    assert copy_video(source, target, tell=told.append)
    assert not told
    if source.suffix == suffix:
        return
    before, after = frames_of(source), frames_of(target)
    assert len(before) == len(after) == 12
    for (time, pixels), (at, copy) in zip(before, after, strict=True):
        assert abs(time - at) <= (0.0005 if suffix == ".mkv" else 0)
        np.testing.assert_array_equal(copy, pixels)
    if options.get("sound"):
        # Of MPEG-TS each packet has a header of its own.
        sound = zip(packets_of(source, "audio")[-8:], packets_of(target, "audio")[-8:], strict=True)
        assert all(packet.endswith(copy) for (_, packet), (_, copy) in sound)


def test_all_else_goes_along(tmp_path):
    source, target = full(tmp_path / "a.mkv", sound=("aac",), subtitles=("srt",)), tmp_path / "b.mp4"
    told = []
    assert copy_video(source, target, tell=told.append)
    assert told == [f"'{target}': the subtitles of track 2 become mov_text"]
    assert lines_of(target) == lines_of(source)
    before, after = seen_in(source), seen_in(target)
    assert before["chapters"] == after["chapters"]
    assert [track[:3] for track in after["tracks"]] == [track[:3] for track in before["tracks"]]


@pytest.mark.parametrize(
    ("name", "suffix", "options"),
    [
        ("a.mp4", ".webm", {}),  # no H.264 in WebM
        ("a.h264", ".mp4", {}),  # no time stamps
        ("a.mp4", ".nut", {"turn": TURNED}),  # NUT does not say how pictures are turned
        ("joined.ts", ".mp4", {"sound": True}),  # two recordings
    ],
)
def test_what_cannot_be_copied_is_not(tmp_path, name, suffix, options):
    source, target = (
        coded(tmp_path / name, blocks(40) if "joined" in name else FRAMES, **options),
        tmp_path / f"b{suffix}",
    )
    if "joined" in name:
        source.write_bytes(2 * source.read_bytes())
    assert not copy_video(source, target)
    assert not target.exists()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_copy_is_whole_or_not_there(tmp_path, suffix):
    source, target = coded(tmp_path / "a.mp4", FRAMES), tmp_path / f"b{suffix}"

    def changed():
        raise ChangedError("the source was changed")

    if suffix == ".mp4":
        with pytest.raises(ChangedError):
            copy_video(source, target, check=changed)
        with full_disk(3000), pytest.raises(VideoError, match=r"b\.mp4' cannot be written"):
            copy_video(source, target)
    else:
        # Whoever has the pictures in another coding may try that.
        assert not copy_video(source, target, check=changed)
        with full_disk(3000):
            assert not copy_video(source, target)
    assert list(tmp_path.iterdir()) == [source]
    target.write_bytes(b"old")
    with pytest.raises(VideoExistsError):
        copy_video(source, target, overwrite=False)
    assert target.read_bytes() == b"old"
