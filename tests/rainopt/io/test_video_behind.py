"""A video written beside the work is the same video, and whole or not there."""

from fractions import Fraction

import numpy as np
import pytest

from rainopt.io.video.behind import WriterBehind
from rainopt.io.video.read import VideoError
from rainopt.io.video.write import VideoWriter
from tests.support.clips import blocks, save
from tests.support.disk import full_disk

resource = pytest.importorskip("resource")


def writer(path):
    return WriterBehind(VideoWriter(path, height=48, width=64, rate=Fraction(25), quality=5))


def write(path, frames):
    """Write frames that all pass through the same memory."""
    memory = np.empty((48, 64, 3), np.uint8)
    with writer(path) as video:
        for pixels in frames:
            memory[:] = pixels
            video.write(memory)


def test_the_bytes_are_the_same(tmp_path):
    frames = blocks(40)
    write(tmp_path / "a.mp4", frames)
    assert (tmp_path / "a.mp4").read_bytes() == save(tmp_path / "b.mp4", frames).read_bytes()


def test_after_an_error_nothing_is_left(tmp_path):
    with pytest.raises(VideoError, match="got no frame"), writer(tmp_path / "a.mp4"):
        pass
    with pytest.raises(ValueError, match="`pixels` must be"), writer(tmp_path / "a.mp4") as video:
        video.write(np.zeros((8, 8, 3), np.uint8))
    noise = np.random.default_rng(0).integers(0, 256, (60, 48, 64, 3), dtype=np.uint8)
    with full_disk(20_000), pytest.raises(VideoError, match=r"a\.mp4' cannot be written"):
        write(tmp_path / "a.mp4", noise)
    with pytest.raises(VideoError, match="'gone"):
        write(tmp_path / "'gone" / "a.mp4", blocks(2))
    assert list(tmp_path.iterdir()) == []
