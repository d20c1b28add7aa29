"""Frames come back as they were, from memory or from a scratch file that leaves no trace; a full disk is told."""

import errno
import gc
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from rainopt.video.frames import FrameStore, ScratchError
from tests.support.disk import nameless_files

SHAPES = [(1, 1), (5, 7), (5, 7, 1), (6, 4, 3)]
COUNT = 9


def stack(rng, shape, dtype="uint8", count=COUNT):
    return rng.integers(0, np.iinfo(dtype).max, (count, *shape), dtype, endpoint=True)


def filled(frames, memory, **settings):
    store = FrameStore(memory, **settings)
    for frame in frames:
        store.append(frame)
    return store


# Nothing, less than a frame, a few frames, all but one, all.
def memories(frames):
    size = frames[0].nbytes
    return [0, size - 1, size, 4 * size, (COUNT - 1) * size, COUNT * size - 1, COUNT * size]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("shape", SHAPES)
def test_frames_come_back_as_they_were(rng, shape, dtype):
    frames = rng.random((COUNT, *shape), np.float32) if dtype == "float32" else stack(rng, shape, dtype)
    for memory in memories(frames):
        before = nameless_files()
        with filled(frames, memory) as store:
            assert nameless_files() - before == (memory < frames.nbytes)
            assert len(store) == len(list(store)) == COUNT
            assert (store.shape, store.dtype) == (shape, dtype)
            # In any order.
            for k in (*range(COUNT), *range(-1, -COUNT - 1, -1), 4):
                assert store[k].dtype == dtype
                np.testing.assert_array_equal(store[k], frames[k])
            np.testing.assert_array_equal(list(store), frames)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_bands_are_the_rows_of_all_frames(rng, shape, dtype):
    frames = stack(rng, shape, dtype)
    rows = [slice(None), slice(0, 1), slice(1, 4), slice(3, 99), slice(-2, None), slice(4, 4), slice(4, 2)]
    every = [slice(None), slice(0, None, 2), slice(1, None, 2), slice(2, 3), slice(None, None, -3), slice(5, 2)]
    for memory in memories(frames):
        with filled(frames, memory) as store:
            for part in rows:
                for some in every:
                    band = store.band(part, some)
                    assert band.dtype == dtype
                    assert band.flags.c_contiguous
                    np.testing.assert_array_equal(band, frames[some, part])
                store.band(part)[...] = 0  # a copy
                np.testing.assert_array_equal(store.band(part), frames[:, part])


@pytest.mark.parametrize("memory", [0, 105, 1 << 20])
def test_frames_may_be_read_while_more_come_from_a_buffer_that_is_used_again(rng, memory):
    frames = stack(rng, (5, 7))
    buffer = np.empty((5, 7), np.uint8)
    with FrameStore(memory) as store:
        for k, frame in enumerate(frames):
            buffer[...] = frame
            store.append(buffer)
            buffer[...] = 0
            np.testing.assert_array_equal(store[0], frames[0])
            np.testing.assert_array_equal(store[-1], frame)
            np.testing.assert_array_equal(store.band(slice(2, 4)), frames[: k + 1, 2:4])
        np.testing.assert_array_equal(list(store), frames)


@pytest.mark.parametrize("memory", [0, 1 << 20])
def test_frames_need_not_lie_together_in_memory(rng, memory):
    frames = stack(rng, (10, 14, 3))
    for view in (frames[:, ::-1, ::2], frames.transpose(0, 2, 1, 3), frames.transpose(0, 3, 1, 2), frames[..., 1]):
        with filled(view, memory) as store:
            np.testing.assert_array_equal(list(store), view)
            np.testing.assert_array_equal(store.band(slice(1, 3)), view[:, 1:3])


# What is refused


@pytest.mark.parametrize("memory", [0, 1 << 20])
@pytest.mark.parametrize(
    ("other", "said"),
    [
        (np.zeros((5, 8), np.uint8), r"the first is \(5, 7\) uint8, frame 1 is \(5, 8\) uint8"),
        (np.zeros((5, 7, 1), np.uint8), r"frame 1 is \(5, 7, 1\) uint8"),
        (np.zeros((7, 5), np.uint8), r"frame 1 is \(7, 5\) uint8"),
        (np.zeros((5, 7), np.uint16), r"frame 1 is \(5, 7\) uint16"),
    ],
)
def test_frames_are_alike(rng, memory, other, said):
    (frame,) = stack(rng, (5, 7), count=1)
    with filled([frame], memory) as store:
        with pytest.raises(ValueError, match=f"frames must be alike; .*{said}"):
            store.append(other)
        # It has been refused, and harmed nothing.
        store.append(frame)
        np.testing.assert_array_equal(list(store), [frame, frame])


@pytest.mark.parametrize("memory", [0, 1 << 20])
def test_frames_that_are_not_there(rng, memory):
    with filled(stack(rng, (5, 7)), memory) as store:
        for number in (COUNT, -COUNT - 1, 10**9):
            with pytest.raises(IndexError, match=f"there are 9 frames, and none of number {number}"):
                store[number]
    with FrameStore(memory) as store:
        assert len(store) == 0
        assert list(store) == []
        with pytest.raises(IndexError, match="there are 0 frames"):
            store[0]


# The scratch file


@pytest.mark.parametrize("wrap", [Path, str])
def test_the_scratch_file_has_no_name(rng, tmp_path, wrap):
    """So it is gone with the process, however that ends."""
    frames, before = stack(rng, (64, 64)), nameless_files()
    with filled(frames, 0, scratch=wrap(tmp_path)) as store:
        assert nameless_files() == before + 1
        assert store.folder == tmp_path
        assert list(tmp_path.iterdir()) == []
        np.testing.assert_array_equal(store[5], frames[5])
    assert FrameStore().folder == Path(tempfile.gettempdir())


@pytest.mark.parametrize("memory", [0, 100, 1 << 20])
def test_closed_it_may_be_used_anew(rng, memory, tmp_path):
    before = nameless_files()
    store = filled(stack(rng, (5, 7)), memory, scratch=tmp_path)
    store.close()
    assert len(store) == 0
    assert nameless_files() == before
    assert list(store) == []
    store.close()
    again = stack(rng, (3, 2, 3), "uint16")
    for frame in again:
        store.append(frame)
    np.testing.assert_array_equal(list(store), again)
    store.close()


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="open files are counted in /proc")
def test_files_are_closed_after_an_error_too(rng):
    frames = stack(rng, (5, 7))
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with pytest.raises(KeyError), filled(frames, 0):
            raise KeyError
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("folder", ["missing", "file"])
def test_a_folder_that_is_none(rng, tmp_path, folder):
    (tmp_path / "file").write_bytes(b"")
    frames = stack(rng, (1000, 2000), count=3)
    with FrameStore(2 * frames[0].nbytes, tmp_path / folder) as store:
        store.append(frames[0])
        store.append(frames[1])
        with pytest.raises(ScratchError) as caught:
            store.append(frames[2])
        assert isinstance(caught.value, OSError)
        assert caught.value.errno == (errno.ENOENT if folder == "missing" else errno.ENOTDIR)
        said = str(caught.value)
        assert f"'{tmp_path / folder}' cannot hold the frames" in said
        assert f"({os.strerror(caught.value.errno)}; 2 of 2 MB each so far)" in said
        # What was held is still there.
        np.testing.assert_array_equal(list(store), frames[:2])


class Disk:
    """A file on a disk with so much room, that takes at most so many bytes at a time."""

    def __init__(self, file, room, most=None):
        self._file, self._room, self._most = file, room, most

    def write(self, data):
        data = data[: self._most]
        if len(data) > self._room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._room -= len(data)
        return self._file.write(data)

    def readinto(self, target):
        return self._file.readinto(target[: self._most])

    def __getattr__(self, name):
        return getattr(self._file, name)


@pytest.fixture
def disk(monkeypatch):
    """Have scratch files lie on a disk of a given room."""
    made = []
    temporary = tempfile.TemporaryFile

    def mount(room, most=None):
        def create(**settings):
            made.append(Disk(temporary(**settings), room, most))
            return made[-1]

        monkeypatch.setattr(tempfile, "TemporaryFile", create)
        return made

    return mount


@pytest.mark.parametrize("room", [0, 34, 35, 100, 8 * 35])
@pytest.mark.parametrize("held", [0, 3, 8])
def test_a_full_disk_names_the_folder_and_what_to_do(rng, disk, tmp_path, held, room):
    made = disk(room)
    frames = stack(rng, (5, 7))
    with FrameStore(held * 35, tmp_path) as store:
        with pytest.raises(ScratchError) as caught:  # noqa: PT012
            for frame in frames:
                store.append(frame)
        assert caught.value.errno == errno.ENOSPC
        assert f"'{tmp_path}' cannot hold the frames (No space left on device; " in str(caught.value)
        assert "choose another scratch folder, or fewer frames" in str(caught.value)
        assert len(store) == max(held, room // 35)
        assert f"{len(store)} of 0 MB each so far" in str(caught.value)
        # What there was room for is still there.
        assert all(np.array_equal(frame, frames[k]) for k, frame in enumerate(store))
    assert [file.closed for file in made] == [True]


@pytest.mark.parametrize("most", [1, 16, 34, 36])
def test_files_may_take_and_give_a_part_at_a_time(rng, disk, most):
    disk(1 << 20, most)
    frames = stack(rng, (5, 7))
    with filled(frames, 4 * 35) as store:
        np.testing.assert_array_equal(list(store), frames)
        np.testing.assert_array_equal(store.band(slice(1, 4)), frames[:, 1:4])


def test_a_file_that_was_cut_short_is_told(rng, disk):
    made = disk(1 << 20)
    with filled(stack(rng, (5, 7)), 0) as store:
        os.ftruncate(made[0].fileno(), 8 * 35 + 3)
        assert store[7].shape == (5, 7)
        for read in (lambda: store[8], lambda: store.band(slice(0, 2))):
            with pytest.raises(ScratchError, match="shorter than what was written to it"):
                read()
