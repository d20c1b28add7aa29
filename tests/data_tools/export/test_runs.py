"""Runs of an export: one that stops leaves nothing half written, and none touches what is not its own."""

import errno
import json
import os
from pathlib import Path

import pytest

from data_tools.export import shards, spa
from data_tools.export.settings import ExportError
from data_tools.manifest.file import read_manifest, write_manifest
from rainopt.io.atomic import WriteError
from rainopt.io.own_results import RECORD
from tests.support.exports import SMALL, contents, temporaries

PLAN = ".rainopt-export.json"
BOTH = pytest.mark.parametrize("to", ["webdataset", "spa"])


class Stop(BaseException):
    """Stands for a kill or an interruption."""


@pytest.mark.parametrize("stop", [0, 7, 22])
@BOTH
def test_a_stopped_run_leaves_nothing_half_written_and_goes_on(dataset, export, tmp_path, monkeypatch, to, stop):
    export(dataset, tmp_path / "whole", to, shard_bytes=SMALL)
    whole = contents(tmp_path / "whole")
    module = spa if to == "spa" else shards
    check, calls = module.check_sample, []

    def stopping(sample):
        if len(calls) == stop:
            raise Stop
        calls.append(sample)
        return check(sample)

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(module, "check_sample", stopping)
        with pytest.raises(Stop):
            export(dataset, out, to, shard_bytes=SMALL)
    there = contents(out)
    assert "index.json" not in there
    assert there.items() <= whole.items()
    assert not temporaries(out)
    stamps = {name: (out / name).stat().st_mtime_ns for name in there}
    done = export(dataset, out, to, shard_bytes=SMALL)
    assert done.pairs == 23
    assert done.kept == (len(there) if to == "webdataset" else 0)
    assert contents(out) == whole
    assert {name: (out / name).stat().st_mtime_ns for name in stamps} == stamps


@pytest.mark.parametrize("dead", [False, True])
def test_leftovers_of_a_kill_are_hidden_and_go(dataset, export, tmp_path, monkeypatch, dead):
    def stop(out):
        raise Stop

    out = tmp_path / "out"
    # As a kill leaves it: the temporary is not removed.
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        patch.setattr(shards, "flush", stop)
        with pytest.raises(Stop):
            export(dataset, out)
    (left,) = temporaries(out)
    assert not contents(out)
    if dead:  # its number is above any of a process; else it may still be dying when the next run begins
        left.rename(left.with_name(left.name.replace(f".{os.getpid()}.", f".{2**22 + 1}.")))
    (out / ".mine.tmp").touch()
    export(dataset, out)
    assert temporaries(out) == [out / ".mine.tmp"]
    assert list(contents(out)) == ["index.json", "train/train-000000.tar", "val/val-000000.tar"]


def test_a_full_disk_is_named_and_what_was_finished_stays(dataset, export, tmp_path, monkeypatch):
    calls = []

    def full(out):
        calls.append(out)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(shards, "flush", full)
        with pytest.raises(WriteError, match=r"train-000002\.tar.*No space left"):
            export(dataset, tmp_path / "out", shard_bytes=SMALL)
    assert list(contents(tmp_path / "out")) == ["train/train-000000.tar", "train/train-000001.tar"]
    assert export(dataset, tmp_path / "out", shard_bytes=SMALL).kept == 2


def test_progress_counts_to_the_end(dataset, export, tmp_path):
    for to in ("webdataset", "spa", "webdataset", "spa"):
        seen = []
        export(dataset, tmp_path / to, to, lambda done, total, seen=seen: seen.append((done, total)))
        assert seen[-1] == (23, 23)
        assert seen == sorted(set(seen))


@pytest.mark.parametrize("change", ["record", "file", "number"])
@BOTH
def test_a_changed_dataset_needs_another_folder_or_overwrite(dataset, export, edit, tmp_path, to, change):
    out = tmp_path / "out"
    export(dataset, out, to, shard_bytes=SMALL)
    (out / "notes.md").write_text("mine")
    before = contents(out)
    if change == "record":
        edit(3, angle=33.0)
    elif change == "file":
        (dataset / "val/rainy/020.png").unlink()
    else:
        write_manifest(dataset, read_manifest(dataset).records[:-1])
    with pytest.raises(ExportError, match=r"choose another folder, or replace it with --overwrite"):
        export(dataset, out, to, shard_bytes=SMALL)
    assert contents(out) == before
    export(dataset, out, to, shard_bytes=SMALL, overwrite=True)
    export(dataset, tmp_path / "fresh", to, shard_bytes=SMALL)
    assert contents(out) == contents(tmp_path / "fresh") | {"notes.md": b"mine"}


def test_other_options_are_another_export_and_overwrite_takes_away_the_old(dataset, export, tmp_path):
    out = tmp_path / "out"
    export(dataset, out)
    for options in ({"to": "spa"}, {"shard_bytes": SMALL}, {"shuffle": False}, {"split": "val"}):
        with pytest.raises(ExportError, match="holds another export"):
            export(dataset, out, **options)
    export(dataset, out, "spa", split="val", overwrite=True)
    assert sorted(p.name for p in out.iterdir()) == [PLAN, RECORD, "index.json", "real_val", "real_val.txt"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_no_export_is_never_touched(dataset, export, tmp_path, overwrite):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("out", "file"):
        said = {"out": "is not empty and holds no export; name a new folder", "file": "is a file; name a folder"}[name]
        with pytest.raises(ExportError, match=f"{name}' {said}"):
            export(dataset, tmp_path / name, overwrite=overwrite)
    assert contents(tmp_path / "out") == {"thesis.txt": b"mine"}


@pytest.mark.parametrize("plan", ["", "[]", "{}", '{"format": "rainopt-export", "version": 2}', "ÿ", "outside"])
def test_a_damaged_plan_removes_nothing(dataset, export, tmp_path, plan):
    out = tmp_path / "out"
    export(dataset, out)
    if plan == "outside":
        plan = json.dumps(json.loads((out / PLAN).read_text()) | {"files": ["../data/manifest.jsonl"]})
    (out / PLAN).write_text(plan, encoding="latin-1")
    before = contents(out)
    with pytest.raises(ExportError, match="is damaged"):
        export(dataset, out, overwrite=True)
    assert contents(out) == before
    assert (dataset / "manifest.jsonl").exists()


@pytest.mark.parametrize("inner", ["", "out", "train/out"])
def test_an_export_does_not_go_into_its_dataset(dataset, export, inner):
    with pytest.raises(ExportError, match="lies in the dataset"):
        export(dataset, dataset / inner, "spa")
