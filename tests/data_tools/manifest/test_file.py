"""Manifests as files: what is written is read, whatever stopped the writing."""

import hashlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_tools.manifest.file import (
    ManifestError,
    ManifestHeader,
    PairFrame,
    PairRecord,
    append_record,
    read_manifest,
    write_manifest,
)
from data_tools.manifest.paths import checksum, resolve_path

HEADER = b'{"format": "rainopt-manifest", "version": 1}\n'
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\\\0:"), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TEXT = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
UNKNOWN = st.dictionaries(st.text(max_size=6).map("x-{}".format), JSON, max_size=2)


def parts(kind, **fields):
    """Parts of a manifest with these fields and unknown ones."""
    return st.builds(lambda known, unknown: kind(**known, **unknown), st.fixed_dictionaries(fields), UNKNOWN)


RECORDS = parts(
    PairRecord,
    id=st.text(min_size=1, max_size=8),
    rainy=PATHS,
    clean=st.none() | PATHS,
    rain=st.none() | PATHS,
    mask=st.none() | PATHS,
    scene=st.none() | st.text(min_size=1, max_size=8),
    split=st.sampled_from([None, "train", "val", "test"]),
    licence=TEXT,
    source=TEXT,
    checksums=st.dictionaries(PATHS, st.binary().map(lambda b: hashlib.sha256(b).hexdigest()), max_size=2),
    spec=st.dictionaries(st.text(max_size=5), JSON, max_size=3),
    angle=st.none() | st.floats(-90, 90, exclude_min=True) | st.integers(-89, 90),
    frames=st.lists(parts(PairFrame, rainy=PATHS, clean=st.none() | PATHS), max_size=3),
)


def pair(number, **fields):
    return PairRecord(id=f"{number}", rainy=f"rainy/{number}.png", clean=f"clean/{number}.png", **fields)


def lines(folder):
    return (folder / "manifest.jsonl").read_bytes().split(b"\n")


@settings(max_examples=25)
@given(st.lists(RECORDS, max_size=3, unique_by=lambda r: r.id), parts(ManifestHeader, tool=TEXT, licence=TEXT))
def test_what_is_written_is_read_whether_at_once_or_one_by_one(tmp_path_factory, records, header):
    folder, again = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("again")
    write_manifest(folder, records, header)
    manifest = read_manifest(folder)
    assert manifest.records == tuple(records)
    assert manifest.header == header
    assert manifest.faults == ()
    write_manifest(again, [], manifest.header)
    for record in manifest:
        append_record(again, record)
    assert lines(again) == lines(folder)


def test_appending_begins_a_manifest_with_its_header(tmp_path):
    append_record(tmp_path, pair(1), ManifestHeader(tool="a tool", licence="CC0"))
    append_record(tmp_path, pair(2), ManifestHeader(tool="ignored"))
    manifest = read_manifest(tmp_path / "manifest.jsonl")
    assert [record.id for record in manifest] == ["1", "2"]
    assert len(manifest) == 2
    assert (manifest.header.tool, manifest.header.licence) == ("a tool", "CC0")
    assert os.listdir(tmp_path) == ["manifest.jsonl"]


def test_an_interruption_at_any_byte_is_recovered(tmp_path, caplog):
    write_manifest(tmp_path, [pair(1), pair(2, source="Köln, 雨")])
    file = tmp_path / "manifest.jsonl"
    content = file.read_bytes()
    start = content.rindex(b"\n", 0, -1) + 1
    for end in range(start, len(content)):
        file.write_bytes(content[:end])
        whole = end == len(content) - 1  # all but the line feed
        manifest = read_manifest(tmp_path, repair=True)
        assert len(manifest) == 1 + whole
        assert (manifest.faults == ()) == (whole or end == start)
        if manifest.faults:
            assert "line 3 is torn" in manifest.faults[0]
            with pytest.raises(ManifestError, match=r"line 3 is torn.*repair=True"):
                read_manifest(tmp_path)
        assert file.read_bytes() == content[:end]
        append_record(tmp_path, pair(3))
        assert [r.id for r in read_manifest(tmp_path)] == (["1", "2", "3"] if whole else ["1", "3"])
    assert "torn and is cut off" in caplog.text


def test_zeros_that_a_power_failure_leaves_are_a_torn_line(tmp_path):
    file = write_manifest(tmp_path, [pair(1)])
    file.write_bytes(file.read_bytes() + b"\0" * 100_000)
    assert read_manifest(tmp_path, repair=True).faults
    append_record(tmp_path, pair(2))
    assert len(read_manifest(tmp_path)) == 2


def test_a_disk_that_fills_up_leaves_the_manifest_as_it_was(tmp_path, monkeypatch):
    file = write_manifest(tmp_path, [pair(1)])
    before = file.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data_tools.manifest.file.os.fsync", full)
    with pytest.raises(ManifestError, match="No space left"):
        append_record(tmp_path, pair(2))
    with pytest.raises(ManifestError, match="No space left"):
        write_manifest(tmp_path, [pair(3)])
    assert file.read_bytes() == before
    assert os.listdir(tmp_path) == ["manifest.jsonl"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such lock there")
def test_many_append_to_one_manifest_at_a_time(tmp_path):
    def append(worker):
        for k in range(20):
            append_record(tmp_path, pair(f"{worker}-{k}"))

    with ThreadPoolExecutor(4) as pool:  # each call opens the folder anew and so waits as another process does
        list(pool.map(append, range(4)))
    assert len(read_manifest(tmp_path)) == 80


def test_overwriting_can_be_refused(tmp_path):
    write_manifest(tmp_path, [pair(1)])
    with pytest.raises(ManifestError, match="exists already"):
        write_manifest(tmp_path, [], overwrite=False)
    assert len(read_manifest(tmp_path)) == 1
    write_manifest(tmp_path, [])
    assert len(read_manifest(tmp_path)) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize("path", ["link/1.png", "file.png", "in/up/1.png"])
def test_links_that_lead_outside_are_refused(tmp_path, path):
    outside, data = tmp_path / "data-outside", tmp_path / "data"
    (data / "in").mkdir(parents=True)
    outside.mkdir()
    (outside / "1.png").touch()
    (data / "link").symlink_to(outside)
    (data / "file.png").symlink_to("../data-outside/1.png")
    (data / "in" / "up").symlink_to("../..")
    record = PairRecord(id="1", rainy="in/1.png", clean=path)
    for act in (
        lambda: write_manifest(data, [record]),
        lambda: append_record(data, record),
        lambda: resolve_path(data, path),
    ):
        with pytest.raises(ManifestError, match=f"'{path}' leads outside"):
            act()
    (data / "manifest.jsonl").write_bytes(HEADER + json.dumps(record.model_dump()).encode())
    with pytest.raises(ManifestError, match=f"line 2: path '{path}' leads outside"):
        read_manifest(data)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_within_the_folder_serve_and_so_does_a_link_to_it(tmp_path):
    data = tmp_path / "data"
    (data / "a").mkdir(parents=True)
    (data / "a" / "1.png").touch()
    (data / "b").symlink_to("a")
    (tmp_path / "link").symlink_to(data)
    write_manifest(tmp_path / "link", [PairRecord(id="1", rainy="b/1.png")])
    manifest = read_manifest(tmp_path / "link")
    assert manifest.path(manifest.records[0].rainy).is_file()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b'{"id": "1", "rainy": "1.png"}\n', "line 1: `format` must be 'rainopt-manifest', got None"),
        (
            b'{"format": "rainopt-manifest", "version": 2}\n',
            "line 1: `version` must be 1 to 1 (newer ones need a newer rainopt), got 2",
        ),
        (b'{"format": "rainopt-man', "line 1: is no JSON"),
        (b"[]\n", "line 1: `format`"),
        (HEADER + b"{'id': 1}\n", "line 2: is no JSON"),
        (HEADER + b'{"rainy": "1.png"}\n', "line 2: `id` is missing"),
        (HEADER + b'{"id": "\xff", "rainy": "1.png"}\n', "line 2: is no JSON in UTF-8"),
        (HEADER + b'{"id": "1", "id": "2", "rainy": "1.png"}\n', "line 2: a name is there twice"),
        (HEADER + b'{"id": "1", "rainy": "1.png", "angle": NaN}\n', "line 2: NaN is no number"),
        (HEADER + b"[" * 100_000 + b"\n", "line 2: is no JSON"),
        (HEADER + b'"text"\n', "line 2: an object is expected, got 'text'"),
        (
            HEADER + b'{"id": "1", "rainy": "1.png"}\n{"id": "1", "rainy": "2.png"}\n',
            "line 3: `id` '1' is that of line 2 already, which says something else of it; remove the line whose",
        ),
        (HEADER + b'{"id": "1", "ra\n{"id": "2", "rainy": "1.png"}\n', "line 2: is no JSON"),
    ],
)
def test_other_broken_lines_are_errors_with_and_without_repair(tmp_path, content, message):
    (tmp_path / "manifest.jsonl").write_bytes(content)
    for repair in (False, True):
        with pytest.raises(ManifestError) as error:
            read_manifest(tmp_path, repair=repair)
        assert message in str(error.value)


def test_lines_that_two_runs_have_written_count_once(tmp_path):
    file = write_manifest(tmp_path, [pair(1), pair(2)])
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines, lines[2], lines[1]]))
    with pytest.raises(
        ManifestError, match=r"line 4: `id` '2' is that of line 3 already, which it repeats; remove the"
    ):
        read_manifest(tmp_path)
    manifest = read_manifest(tmp_path, repair=True)
    assert [record.id for record in manifest] == ["1", "2"]
    assert manifest.faults == (f"'{file}': 2 lines repeat what earlier ones say; two runs have written it at once",)


def test_a_torn_header_is_not_appended_to(tmp_path):
    (tmp_path / "manifest.jsonl").write_bytes(HEADER[:-5])
    with pytest.raises(ManifestError, match="no whole header"):
        append_record(tmp_path, pair(1))
    assert lines(tmp_path) == [HEADER[:-5]]


def test_what_an_editor_changes_is_still_read(tmp_path):
    write_manifest(tmp_path, [pair(1), pair(2)])
    file = tmp_path / "manifest.jsonl"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n").rstrip())
    assert len(read_manifest(tmp_path)) == 2
    append_record(tmp_path, pair(3))
    assert len(read_manifest(tmp_path)) == 3


@pytest.mark.parametrize("spec", [{"a": float("nan")}, {"a": object()}, {"a": "\ud800"}])
def test_what_json_cannot_hold_is_not_written(tmp_path, spec):
    write_manifest(tmp_path, [pair(1)])
    before = lines(tmp_path)
    for act in (write_manifest, lambda folder, records: append_record(folder, *records)):
        with pytest.raises(ManifestError, match="cannot be written as JSON"):
            act(tmp_path, [pair(2, spec=spec)])
    assert lines(tmp_path) == before


def test_two_records_of_one_id_are_not_written(tmp_path):
    with pytest.raises(ManifestError, match="`id` '1' is that of two records"):
        write_manifest(tmp_path, [pair(1), pair(1)])
    assert os.listdir(tmp_path) == []


def test_a_folder_without_manifest_is_named(tmp_path):
    with pytest.raises(ManifestError, match=r"manifest\.jsonl' cannot be read \(No such file"):
        read_manifest(tmp_path)
    with pytest.raises(ManifestError, match="create its folder first"):
        write_manifest(tmp_path / "none", [])


def test_checksum_is_sha256(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert checksum(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
