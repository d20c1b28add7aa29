"""Two runs into one folder: the second is refused by name, and what was damaged before there was a lock is mended."""

import json
import os
from pathlib import Path

import pytest

from data_tools.commands.main import app
from data_tools.manifest.file import read_manifest
from data_tools.manifest.folder import LOCK_NAME, filling
from tests.support.datasets import files
from tests.support.processes import call


@pytest.mark.parametrize(
    "arguments", ["synth photos -o out", "build photos -o out --no-stabilise", "export data -o out --to spa"]
)
def test_a_second_run_into_a_folder_is_refused_by_name(here, arguments):
    call(app, "synth", "photos", "-o", "data")
    with filling(Path("out")):
        before = files(here)
        status, out, err = call(app, *arguments.split())
        assert files(here) == before
    assert (status, out) == (1, "")
    assert f"failed 'out' is being written by another run (process {os.getpid()} on" in err
    assert call(app, *arguments.split())[0] == 0
    assert not Path("out", LOCK_NAME).exists()


def test_the_lock_of_a_killed_run_holds_nobody(here):
    Path("out").mkdir()
    Path("out", LOCK_NAME).write_text('{"process": 1}')
    assert call(app, "synth", "photos", "-o", "out")[0] == 0
    assert not Path("out", LOCK_NAME).exists()


def test_lines_that_two_runs_wrote_are_told_and_mended(here):
    call(app, "synth", "photos", "-o", "whole", "-n", 4)
    call(app, "synth", "photos", "-o", "out", "-n", 4)
    file = Path("out/manifest.jsonl")
    header, *lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(header + b"".join(line * 2 for line in lines[:3]))
    status, out, _ = call(app, "verify", "out", "--json")
    (note, orphans) = json.loads(out)["notes"]
    assert (status, "images have no record" in orphans) == (0, True)
    assert "3 lines repeat what earlier ones say; two runs have written it at once; what is left out is mended" in note
    status, out, err = call(app, "synth", "photos", "-o", "out", "-n", 4)
    assert (status, err) == (0, "3 of 4 pairs are there already")
    assert files(Path("out")) == files(Path("whole"))


def test_records_that_contradict_one_another_are_refused_with_what_to_do(here):
    call(app, "synth", "photos", "-o", "out")
    file = Path("out/manifest.jsonl")
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines, lines[1].replace(b'"licence": ""', b'"licence": "CC0"')]))
    before = files(Path("out"))
    for arguments, expected in (("verify out", 1), ("synth photos -o out", 2), ("build photos -o out", 2)):
        status, _, err = call(app, *arguments.split())
        assert status == expected
        assert "line 5: `id` 'train/b/000' is that of line 2 already, which says something else of it; remove" in err
    assert files(Path("out")) == before
    file.write_bytes(b"".join(lines))
    assert len(read_manifest("out")) == 3
