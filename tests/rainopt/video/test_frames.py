import errno
import gc
import os
import subprocess
import sys
import tempfile

import numpy as np
import pytest

from rainopt.video import frames as module
from rainopt.video.frames import FrameStore, ScratchError

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
        with filled(frames, memory) as store:
            assert store.on_disk == (memory < frames.nbytes)
            assert len(store) == COUNT
            assert (store.shape, store.dtype) == (shape, dtype)
            assert len(list(store)) == COUNT
            for k, frame in enumerate(store):
                assert frame.dtype == dtype
                np.testing.assert_array_equal(frame, frames[k])
                np.testing.assert_array_equal(store[k - COUNT], frames[k])
            # In any order.
            for k in (8, 0, 4, -1, -9):
                np.testing.assert_array_equal(store[k], frames[k])


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_bands_are_the_rows_of_all_frames(rng, shape, dtype):
    frames = stack(rng, shape, dtype)
    rows = [slice(None), slice(0, 1), slice(1, 4), slice(3, 99), slice(-2, None), slice(4, 4), slice(4, 2)]
    every = [slice(None), slice(0, None, 2), slice(1, None, 2), slice(2, 3), slice(None, None, -3), slice(5, 2)]
    for memory in memories(frames):
        with filled(frames, memory) as store:
            for part in rows:
                np.testing.assert_array_equal(store.band(part), frames[:, part])
                for some in every:
                    band = store.band(part, some)
                    assert band.dtype == dtype
                    assert band.flags.c_contiguous
                    np.testing.assert_array_equal(band, frames[some, part])


@pytest.mark.parametrize("memory", [0, 1 << 20])
def test_a_band_is_a_copy(rng, memory):
    frames = stack(rng, (5, 7))
    with filled(frames, memory) as store:
        store.band(slice(0, 5))[...] = 0
        np.testing.assert_array_equal(store.band(slice(0, 5)), frames)


@pytest.mark.parametrize("memory", [0, 105, 1 << 20])
def test_frames_may_be_read_while_more_come(rng, memory):
    frames = stack(rng, (5, 7))
    with FrameStore(memory) as store:
        for k, frame in enumerate(frames):
            store.append(frame)
            np.testing.assert_array_equal(store[0], frames[0])
            np.testing.assert_array_equal(store[-1], frame)
            np.testing.assert_array_equal(store.band(slice(2, 4)), frames[: k + 1, 2:4])


@pytest.mark.parametrize("memory", [0, 105, 1 << 20])
def test_a_buffer_that_is_used_again_does_not_change_what_was_stored(rng, memory):
    frames = stack(rng, (5, 7))
    buffer = np.empty((5, 7), np.uint8)
    with FrameStore(memory) as store:
        for frame in frames:
            buffer[...] = frame
            store.append(buffer)
        buffer[...] = 0
        np.testing.assert_array_equal(np.stack(list(store)), frames)


@pytest.mark.parametrize("memory", [0, 1 << 20])
def test_frames_need_not_lie_together_in_memory(rng, memory):
    frames = stack(rng, (10, 14, 3))
    views = [frames[:, ::-1, ::2], frames.transpose(0, 2, 1, 3), frames.transpose(0, 3, 1, 2), frames[..., 1]]
    for view in views:
        with filled(view, memory) as store:
            np.testing.assert_array_equal(np.stack(list(store)), view)
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
        np.testing.assert_array_equal(np.stack(list(store)), [frame, frame])


@pytest.mark.parametrize("memory", [0, 1 << 20])
def test_frames_that_are_not_there(rng, memory):
    with filled(stack(rng, (5, 7)), memory) as store:
        for number in (COUNT, -COUNT - 1, 10**9):
            with pytest.raises(IndexError, match=f"there are 9 frames, and none of number {number}"):
                store[number]
    with FrameStore(memory) as store:
        assert len(store) == 0
        assert list(store) == []
        assert not store.on_disk
        with pytest.raises(IndexError, match="there are 0 frames"):
            store[0]


# The scratch file


def test_the_scratch_file_has_no_name_and_lies_in_its_folder(rng, tmp_path):
    frames = stack(rng, (64, 64))
    with filled(frames, 0, scratch=tmp_path) as store:
        assert store.on_disk
        assert list(tmp_path.iterdir()) == []
        found = os.fstat(store._file.fileno())
        assert found.st_size == frames.nbytes
        assert found.st_nlink == 0
        assert found.st_dev == tmp_path.stat().st_dev
    with filled(frames, 0, scratch=str(tmp_path)) as store:
        np.testing.assert_array_equal(store[5], frames[5])


def test_the_folder_is_that_of_the_system_by_default(rng, tmp_path, monkeypatch):
    asked = []
    temporary = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(
        tempfile, "TemporaryFile", lambda **settings: (asked.append(str(settings["dir"])), temporary(**settings))[1]
    )
    filled(stack(rng, (5, 7)), 0).close()
    filled(stack(rng, (5, 7)), 0, scratch="/tmp").close()
    assert asked == [str(tmp_path), "/tmp"]


def test_no_file_is_made_as_long_as_there_is_room(rng, tmp_path):
    frames = stack(rng, (5, 7))
    with filled(frames, frames.nbytes, scratch=tmp_path / "missing") as store:
        np.testing.assert_array_equal(np.stack(list(store)), frames)


def test_a_process_that_is_killed_leaves_nothing(tmp_path):
    program = (
        "import os, sys, numpy as np\n"
        "from rainopt.video.frames import FrameStore\n"
        "store = FrameStore(0, sys.argv[1])\n"
        "store.append(np.zeros((100, 100), np.uint8))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], timeout=60, check=False)
    assert done.returncode == -9
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("memory", [0, 100, 1 << 20])
def test_closing_lets_go(rng, memory, tmp_path):
    frames = stack(rng, (5, 7))
    store = filled(frames, memory, scratch=tmp_path)
    file = store._file
    store.close()
    assert file is None or file.closed
    assert len(store) == 0
    assert not store.on_disk
    assert list(store) == []
    store.close()
    # And it may be used anew, for other frames.
    again = stack(rng, (3, 2, 3), "uint16")
    for frame in again:
        store.append(frame)
    np.testing.assert_array_equal(np.stack(list(store)), again)
    store.close()


def test_an_error_inside_closes_too(rng):
    with pytest.raises(KeyError), filled(stack(rng, (5, 7)), 0) as store:  # noqa: PT012
        file = store._file
        raise KeyError
    assert file.closed


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="open files are counted in /proc")
def test_open_files_do_not_add_up(rng):
    frames = stack(rng, (5, 7))
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with filled(frames, 0) as store:
            assert store.on_disk
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
        np.testing.assert_array_equal(np.stack(list(store)), frames[:2])


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

        monkeypatch.setattr(module.tempfile, "TemporaryFile", create)
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
        np.testing.assert_array_equal(np.stack(list(store)), frames)
        np.testing.assert_array_equal(store.band(slice(1, 4)), frames[:, 1:4])


def test_a_file_that_was_cut_short_is_told(rng):
    with filled(stack(rng, (5, 7)), 0) as store:
        os.ftruncate(store._file.fileno(), 8 * 35 + 3)
        np.testing.assert_array_equal(store[7].shape, (5, 7))
        with pytest.raises(ScratchError, match="shorter than what was written to it"):
            store[8]
        with pytest.raises(ScratchError, match="shorter than what was written to it"):
            store.band(slice(0, 2))


def test_a_real_full_disk():
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError, match="No space left") as caught:
        module._write(full, 0, np.zeros((5, 7), np.uint8))
    assert caught.value.errno == errno.ENOSPC
