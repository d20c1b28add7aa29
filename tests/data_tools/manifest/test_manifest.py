import hashlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_tools.manifest.file import (
    Frame,
    Header,
    ManifestError,
    Record,
    append_record,
    checksum,
    read_manifest,
    resolve_path,
    write_manifest,
)

HEADER = b'{"format": "rainopt-manifest", "version": 1}\n'
ESCAPES = {
    "/etc/rain.png": "is absolute",
    "C:/rain.png": "is absolute",
    "c:rain.png": "is absolute",
    "../rain.png": "leaves the dataset's folder",
    "a/../../rain.png": "leaves the dataset's folder",
    "a/..": "leaves the dataset's folder",
    "a\\rain.png": "has a backslash",
    "\\\\host\\rain.png": "has a backslash",
    "": "is no plain relative path",
    "a//rain.png": "is no plain relative path",
    "./rain.png": "is no plain relative path",
    "rain.png\0": "is no plain relative path",
}

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\\\0:"), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
UNKNOWN = st.dictionaries(st.text(max_size=6).map("x-{}".format), JSON, max_size=2)
RECORDS = st.builds(
    Record,
    id=st.text(min_size=1, max_size=8),
    rainy=PATHS,
    clean=st.none() | PATHS,
    rain=st.none() | PATHS,
    mask=st.none() | PATHS,
    scene=st.none() | st.text(min_size=1, max_size=8),
    split=st.sampled_from([None, "train", "val", "test"]),
    licence=st.text(max_size=8),
    source=st.text(max_size=8),
    checksums=st.dictionaries(PATHS, st.binary().map(lambda b: hashlib.sha256(b).hexdigest()), max_size=2),
    spec=st.dictionaries(st.text(max_size=5), JSON, max_size=3),
    angle=st.none() | st.floats(-90, 90, exclude_min=True) | st.integers(-89, 90),
    frames=st.lists(st.builds(Frame, PATHS, st.none() | PATHS, UNKNOWN), max_size=3).map(tuple),
    extra=UNKNOWN,
)


def pair(number, **fields):
    return Record(f"{number}", f"rainy/{number}.png", f"clean/{number}.png", **fields)


def lines(folder):
    return (folder / "manifest.jsonl").read_bytes().split(b"\n")


@given(st.lists(RECORDS, max_size=3, unique_by=lambda r: r.id), st.builds(Header, st.text(), st.text(), extra=UNKNOWN))
def test_what_is_written_is_read(tmp_path_factory, records, header):
    folder = tmp_path_factory.mktemp("data", numbered=True)
    write_manifest(folder, records, header)
    manifest = read_manifest(folder)
    assert manifest.records == tuple(records)
    assert manifest.header == header
    assert manifest.torn is None


@given(RECORDS)
def test_a_record_survives_json(record):
    values = json.loads(json.dumps(record.to_dict()))
    assert Record.from_dict(values) == record
    assert Record.from_dict(values).to_dict() == values


@given(st.lists(RECORDS, max_size=3, unique_by=lambda r: r.id))
def test_appending_one_by_one_is_writing_at_once(tmp_path_factory, records):
    at_once, one_by_one = tmp_path_factory.mktemp("a"), tmp_path_factory.mktemp("b")
    write_manifest(at_once, records)
    write_manifest(one_by_one, [])
    for record in records:
        append_record(one_by_one, record)
    assert lines(at_once) == lines(one_by_one)


def test_appending_begins_a_manifest_with_its_header(tmp_path):
    append_record(tmp_path, pair(1), Header("a tool", "CC0"))
    append_record(tmp_path, pair(2), Header("ignored"))
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
        assert (manifest.torn is None) == (whole or end == start)
        if manifest.torn:
            assert "line 3 is torn" in manifest.torn
            with pytest.raises(ManifestError, match=r"line 3 is torn.*repair=True"):
                read_manifest(tmp_path)
        assert file.read_bytes() == content[:end]
        append_record(tmp_path, pair(3))
        assert [r.id for r in read_manifest(tmp_path)] == (["1", "2", "3"] if whole else ["1", "3"])
    assert "torn and is cut off" in caplog.text


def test_zeros_that_a_power_failure_leaves_are_a_torn_line(tmp_path):
    file = write_manifest(tmp_path, [pair(1)])
    file.write_bytes(file.read_bytes() + b"\0" * 100_000)
    assert read_manifest(tmp_path, repair=True).torn
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


@pytest.mark.parametrize("path", ESCAPES)
@pytest.mark.parametrize("name", ["rainy", "clean", "rain", "mask"])
def test_a_path_that_leaves_the_folder_is_refused(name, path):
    with pytest.raises(ManifestError) as error:
        Record(**({"id": "1", "rainy": "1.png"} | {name: path}))
    assert repr(path) in str(error.value)
    assert f"`{name}`" in str(error.value)
    assert ESCAPES[path] in str(error.value)


@pytest.mark.parametrize("path", ESCAPES)
def test_frames_checksums_and_look_ups_refuse_them_too(tmp_path, path):
    with pytest.raises(ManifestError, match=ESCAPES[path]):
        Frame(path)
    with pytest.raises(ManifestError, match=ESCAPES[path]):
        Frame("1.png", path)
    with pytest.raises(ManifestError, match=ESCAPES[path]):
        Record("1", "1.png", checksums={path: "0" * 64})
    with pytest.raises(ManifestError, match=ESCAPES[path]):
        resolve_path(tmp_path, path)


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
    record = Record("1", "in/1.png", path)
    for act in (
        lambda: write_manifest(data, [record]),
        lambda: append_record(data, record),
        lambda: resolve_path(data, path),
    ):
        with pytest.raises(ManifestError, match=f"'{path}' leads outside"):
            act()
    (data / "manifest.jsonl").write_bytes(HEADER + json.dumps(record.to_dict()).encode())
    with pytest.raises(ManifestError, match=f"line 2: path '{path}' leads outside"):
        read_manifest(data)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_within_the_folder_serve_and_so_does_a_link_to_it(tmp_path):
    data = tmp_path / "data"
    (data / "a").mkdir(parents=True)
    (data / "a" / "1.png").touch()
    (data / "b").symlink_to("a")
    (tmp_path / "link").symlink_to(data)
    write_manifest(tmp_path / "link", [Record("1", "b/1.png")])
    manifest = read_manifest(tmp_path / "link")
    assert manifest.path(manifest.records[0].rainy).is_file()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"id": None}, "`id` must be text, got None"),
        ({"id": ""}, "`id` must not be empty"),
        ({"rainy": None}, "`rainy` is missing"),
        ({"rainy": 7}, "`rainy` must be a path, got 7"),
        ({"split": "dev"}, "`split` must be 'train', 'val', 'test' or null, got 'dev'"),
        ({"split": ["test"]}, "`split` must be"),
        ({"scene": 5}, "`scene` must be text or null, got 5"),
        ({"angle": -90}, "`angle` must be degrees"),
        ({"angle": 90.5}, "`angle` must be degrees"),
        ({"angle": True}, "`angle` must be degrees"),
        ({"angle": "5"}, "`angle` must be degrees"),
        ({"licence": None}, "`licence` must be text"),
        ({"spec": []}, "`spec` must be an object"),
        ({"checksums": {"1.png": "ABC"}}, "`checksums` of '1.png' must be 64 hexadecimal digits, got 'ABC'"),
        ({"frames": "1.png"}, "`frames` must be a list of frames"),
        ({"frames": [{"rainy": "1.png"}, {"clean": "1.png"}]}, "`frames`, number 1: `rainy` is missing"),
        ({"frames": ["1.png"]}, "`frames`, number 0: an object is expected, got '1.png'"),
    ],
)
def test_errors_name_line_and_field(tmp_path, fields, message):
    good = json.dumps({"id": "0", "rainy": "0.png"})
    bad = json.dumps({"id": "1", "rainy": "1.png"} | fields)
    (tmp_path / "manifest.jsonl").write_bytes(HEADER + f"{good}\n\n{bad}\n".encode())
    with pytest.raises(ManifestError) as error:
        read_manifest(tmp_path)
    assert "manifest.jsonl', line 4: " in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b'{"id": "1", "rainy": "1.png"}\n', "line 1: `format` must be 'rainopt-manifest', got None"),
        (b'{"format": "rainopt-manifest", "version": 2}\n', "line 1: `version` must be 1 to 1, got 2; newer ones need"),
        (b'{"format": "rainopt-man', "line 1: is no JSON"),
        (b"[]\n", "line 1: `format`"),
        (HEADER + b"{'id': 1}\n", "line 2: is no JSON"),
        (HEADER + b'{"rainy": "1.png"}\n', "line 2: `id` is missing"),
        (HEADER + b'{"id": "\xff", "rainy": "1.png"}\n', "line 2: is no JSON in UTF-8"),
        (HEADER + b'{"id": "1", "id": "2", "rainy": "1.png"}\n', "line 2: a name is there twice"),
        (HEADER + b'{"id": "1", "rainy": "1.png", "angle": NaN}\n', "line 2: NaN is no number"),
        (HEADER + b"[" * 100_000 + b"\n", "line 2: is no JSON"),
        (HEADER + b'"text"\n', "line 2: an object is expected, got 'text'"),
        (HEADER + b'{"id": "1", "rainy": "1.png"}\n' * 2, "line 3: `id` '1' is that of line 2 already"),
        (HEADER + b'{"id": "1", "ra\n{"id": "2", "rainy": "1.png"}\n', "line 2: is no JSON"),
    ],
)
@pytest.mark.parametrize("repair", [False, True])
def test_other_broken_lines_are_errors_with_and_without_repair(tmp_path, content, message, repair):
    (tmp_path / "manifest.jsonl").write_bytes(content)
    with pytest.raises(ManifestError) as error:
        read_manifest(tmp_path, repair=repair)
    assert message in str(error.value)


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


def test_a_field_cannot_hide_among_the_unknown():
    with pytest.raises(ManifestError, match="`extra`"):
        Record("1", "1.png", extra={"split": "train"})


def test_a_folder_without_manifest_is_named(tmp_path):
    with pytest.raises(ManifestError, match=r"manifest\.jsonl' cannot be read \(No such file"):
        read_manifest(tmp_path)
    with pytest.raises(ManifestError, match="create its folder first"):
        write_manifest(tmp_path / "none", [])


def test_paths_of_a_record_are_named_once():
    record = Record("1", "1.png", "c.png", frames=(Frame("1.png"), Frame("2.png", "c.png")), checksums={"m": "0" * 64})
    assert record.paths == ("1.png", "c.png", "2.png", "m")


def test_checksum_is_sha256(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert checksum(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
