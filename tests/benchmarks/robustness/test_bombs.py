"""Bombs are what they are said to be, and a command is watched as it should be."""

import io
import sys
import zlib

import pytest
import tifffile

from benchmarks.robustness import bomb_files as made
from benchmarks.robustness.bombs import BOMBS, tried
from benchmarks.robustness.watched import watched


def test_zeros_are_a_stream_of_so_many():
    stream = made.zeros(5 << 20)
    assert zlib.decompress(stream) == bytes(5 << 20)
    assert len(stream) < 8000


def test_a_directory_is_its_own_successor():
    data = made.tiff_in_a_circle()
    assert len(data) == 186
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert file.pages.first.asarray().shape == (8, 8)
    assert int.from_bytes(data[4:8], "little") == int.from_bytes(data[8 + 2 + 12 * 9 :][:4], "little") == 8


def test_tags_share_one_value():
    data = made.tiff_of_shared_values(tags=3, length=500)
    assert data.endswith(made.exif_of_shared_values(tags=3, length=500)[-500:])
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert file.pages.first.asarray().shape == (32, 32)
        assert len(file.pages.first.tags[0x8769].value) == 3


def test_scans_are_repeated():
    data = made.jpeg_of_many_scans(side=64, scans=50)
    assert data.count(b"\xff\xda") > 50
    assert data.endswith(b"\xff\xd9")


@pytest.mark.parametrize("name", ["tiff circle", "concat list"])
def test_bombs_are_refused_or_done(name, tmp_path):
    _, ended, wrong = tried(BOMBS[name], tmp_path, seconds=60)
    assert not wrong, ended.said


def test_what_takes_too_long_or_too_much_is_ended(tmp_path):
    def run(code, **limits):
        return watched([sys.executable, "-I", "-c", code], tmp_path, **({"seconds": 30, "most": 2**33} | limits))

    ended = run("import sys; print('said'); print('loudly', file=sys.stderr); sys.exit(3)")
    assert (ended.status, ended.why) == (3, "")
    assert "said" in ended.said
    assert "loudly" in ended.said
    assert run("import time; time.sleep(60)", seconds=0.5).why == "time"
    assert run("import time; x = bytearray(400 << 20); time.sleep(60)", most=100 << 20).why == "memory"
    assert run("x = bytearray(100 << 20)").peak > 100 << 20
