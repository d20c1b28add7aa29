import numpy as np
import pytest

from benchmarks import digests
from benchmarks.digests import cut, digest
from rainopt import read_frames
from tests.support.clips import coded, rained, view
from tests.support.processes import call


def test_a_digest_is_of_dtype_shape_and_values(rng):
    a = rng.random((6, 8)).astype(np.float32)
    other = a.copy()
    other[2, 3] = np.nextafter(other[2, 3], 1)
    assert digest(a) == digest(np.asfortranarray(a)) == digest(a[::-1][::-1])
    assert len({digest(x) for x in (a, other, a.reshape(8, 6), a.view(np.int32), a.astype(np.float64))}) == 5
    assert digest(a, other) != digest(other, a)


def test_a_cut_clip_begins_as_the_clip(tmp_path):
    clip = coded(tmp_path / "clip.mp4", rained(view(shape=(64, 80)), count=12), options={"bf": "2"})
    cut(clip, tmp_path / "cut.mp4", 7)
    part = read_frames(tmp_path / "cut.mp4")
    assert len(part) == 7
    np.testing.assert_array_equal(part[:5], read_frames(clip, count=5))


@pytest.mark.parametrize(
    ("now", "bad"), [({"a": "1", "b": "2", "c": "3"}, ""), ({"a": "1", "b": "3"}, "b"), ({}, "ab")]
)
def test_rows_that_differ_or_are_missing_are_named(monkeypatch, tmp_path, now, bad):
    before = tmp_path / "before.json"
    monkeypatch.setattr(digests, "rows", lambda data: {"a": "1", "b": "2"}.items())
    assert call(digests.app, "--data", tmp_path, "-o", before)[0] == 0
    monkeypatch.setattr(digests, "rows", lambda data: now.items())
    status, out, _ = call(digests.app, "--data", tmp_path, "--against", before)
    assert status == bool(bad)
    assert out.split("differ")[1].split() == list(bad)
