"""Folders that commands fill: begun, gone on with by the same settings, and refused if they hold anything else."""

import hashlib

import pytest

from data_tools.manifest.file import PairRecord, append_record, read_manifest
from data_tools.manifest.folder import FolderError, open_folder, sweep
from tests.support.datasets import files

SETTINGS = {"seed": 1, "share": 0.5}
LEFT = f".{hashlib.sha256(b'manifest.jsonl').hexdigest()[:16]}.99999999.0a0b0c0d.tmp"


def test_a_folder_is_begun_and_gone_on_with_by_the_same_settings(tmp_path):
    folder = tmp_path / "a" / "new"
    assert len(open_folder(folder, "kind", SETTINGS, "CC0")) == 0
    header = read_manifest(folder).header
    assert (header.licence, header.extra) == ("CC0", {"kind": SETTINGS})
    (folder / "1.png").touch()
    append_record(folder, PairRecord(id="1", rainy="1.png"))
    assert [record.id for record in open_folder(folder, "kind", SETTINGS)] == ["1"]
    before = files(folder)
    for other in (SETTINGS | {"seed": 2}, {}):
        with pytest.raises(FolderError, match="use the same settings or another folder"):
            open_folder(folder, "kind", other)
    with pytest.raises(FolderError, match="of another kind: its manifest has no settings of 'another'; name another"):
        open_folder(folder, "another", SETTINGS)
    assert files(folder) == before


def test_records_whose_files_are_gone_are_taken_out(tmp_path):
    open_folder(tmp_path, "kind", SETTINGS)
    (tmp_path / "1.png").touch()
    for k in range(3):
        append_record(tmp_path, PairRecord(id=f"{k}", rainy=f"{k}.png"))
    assert [record.id for record in open_folder(tmp_path, "kind", SETTINGS)] == ["1"]
    assert [record.id for record in read_manifest(tmp_path)] == ["1"]


def test_folders_that_hold_something_else_are_refused(tmp_path):
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "diary.txt").write_text("mine")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.jsonl").write_text("{}\n")
    before = files(tmp_path)
    for name, said in {
        "foreign": "is not empty and holds no manifest.jsonl; name a new folder",
        "broken": "`format` must be",
        "foreign/diary.txt": "is not empty",
        "foreign/diary.txt/below": "cannot be used",
    }.items():
        with pytest.raises(FolderError, match=said):
            open_folder(tmp_path / name, "kind", SETTINGS)
    assert files(tmp_path) == before


def test_what_a_kill_leaves_half_written_is_no_obstacle_and_is_swept(tmp_path):
    (tmp_path / LEFT).write_text('{"form')
    assert len(open_folder(tmp_path, "kind", SETTINGS)) == 0
    sweep(tmp_path)
    assert list(files(tmp_path)) == ["manifest.jsonl"]
