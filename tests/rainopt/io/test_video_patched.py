"""Frames of which the decoder has invented a part are told, with those that repeat it; up to the next key frame."""

from dataclasses import replace

import av
import numpy as np
import pytest

from rainopt.io.video.read import VideoError, open_video
from rainopt.video.adaptive_background import settle
from tests.support.clips import coded, numbered, rained, stored, view


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A clip of three groups of ten frames, what it decodes to, and where the packet of each frame lies in its file."""
    path = tmp_path_factory.mktemp("clip") / "a.mp4"
    coded(path, rained(view("coffee"), "light", 30), options={"qp": "12", "g": "10", "bf": "0", "sc_threshold": "0"})
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    found = list(open_video(path).frames())
    assert not any(frame.patched for frame in found)
    return path.read_bytes(), [frame.pixels for frame in found], places


@pytest.mark.parametrize(("part", "lost"), [(2, True), (16, False)])
@pytest.mark.parametrize("number", [13, 22])
def test_what_is_wrong_is_told_until_a_key_frame(tmp_path, clip, number, part, lost):
    """Where a frame is patched, and where it is lost and others were predicted from it."""
    data, frames, places = clip
    start, size = places[number]
    noise = np.random.default_rng(0).integers(0, 256, size // part, dtype=np.uint8).tobytes()
    (tmp_path / "a.mp4").write_bytes(data[: start + size // 8] + noise + data[start + size // 8 + len(noise) :])
    found = {round(25 * frame.time): frame for frame in open_video(tmp_path / "a.mp4").frames()}
    assert (number not in found) == lost
    wrong = [k for k, frame in found.items() if not np.array_equal(frame.pixels, frames[k])]
    assert wrong == list(range(number + lost, number // 10 * 10 + 10))
    assert wrong == [k for k, frame in found.items() if frame.patched]


def test_backgrounds_are_made_of_whole_frames():
    frames = list(numbered(rained(view("coffee"), "light", 24)))
    patched = [replace(frame, patched=frame.index in (0, 7, 8)) for frame in frames]
    with stored([]) as store:
        found = settle(patched, store, count=20, stabilise=False)
    assert found.numbers[:8] == (1, 2, 3, 4, 5, 6, 9, 10)
    assert len(found.numbers) == 20
    assert found.patched == 3
    with stored([]) as store, pytest.raises(VideoError, match="there is no frame"):
        settle([replace(frame, patched=True) for frame in frames], store)
