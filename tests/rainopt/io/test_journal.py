"""A journal holds every line that was confirmed, whatever happens to who writes it."""

import multiprocessing
import subprocess
import sys
import threading

import pytest

from rainopt.io.journal import Journal, JournalError
from tests.support.disk import full_disk
from tests.support.processes import ROOT, environment

posix = pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")


def said(line):
    return lambda new: line


def test_lines_are_read_once_by_each_reader(tmp_path):
    one, other = (Journal(tmp_path / "new" / "j.jsonl") for _ in range(2))
    assert one.read() == []
    one.append(said(b"a"))
    other.append(said(b"b"))
    assert (one.read(), other.read()) == ([b"b"], [])
    assert Journal(one.path).read() == [b"a", b"b"]
    assert one.ends == other.ends == [2, 4]


def test_who_writes_is_told_what_others_wrote(tmp_path):
    one, other = (Journal(tmp_path / "j.jsonl") for _ in range(2))
    one.append(said(b"a"))
    seen = []
    other.append(lambda new: seen.extend(new) or b"b")
    assert seen == [b"a"]


def test_whether_lines_can_be_added_is_told_before_there_is_one(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "new" / "deep" / "j.jsonl")
    journal.require_writable()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    (tmp_path / "j.jsonl").mkdir()
    for place in (tmp_path / "file" / "j.jsonl", tmp_path / "j.jsonl"):
        with pytest.raises(JournalError, match="cannot be written"):
            Journal(place).require_writable()
    journal.append(said(b"a"))
    # As on a disk that is read-only, which stops the superuser too.
    monkeypatch.setattr("os.access", lambda place, mode: False)
    with pytest.raises(
        JournalError, match=r"'.*j.jsonl' cannot be written, as '.*' cannot; allow it, or work on a copy"
    ):
        journal.require_writable()


@pytest.mark.parametrize("torn", [b"x", b'{"a": 1}', b"x" * 200_000])
def test_a_torn_line_is_cut_off_and_told_and_takes_no_other_with_it(tmp_path, torn, caplog):
    path = tmp_path / "j.jsonl"
    path.write_bytes(b"a\nb\n" + torn)
    journal = Journal(path)
    assert journal.read() == [b"a", b"b"]
    assert path.read_bytes().endswith(torn)  # reading alone changes nothing
    journal.append(said(b"c"))
    assert path.read_bytes() == b"a\nb\nc\n"
    assert "torn" in journal.cut[0]
    assert "torn" in caplog.text


def test_what_is_being_written_is_no_line_yet(tmp_path):
    path = tmp_path / "j.jsonl"
    path.write_bytes(b"a\nhal")
    journal = Journal(path)
    assert journal.read() == [b"a"]
    with open(path, "ab") as file:
        file.write(b"f\n")
    assert journal.read() == [b"half"]


@posix
def test_a_full_disk_is_told_and_leaves_the_journal_as_it_was(tmp_path):
    journal = Journal(tmp_path / "j.jsonl")
    journal.append(said(b"a" * 10))
    with full_disk(20), pytest.raises(JournalError, match="cannot be written"):
        journal.append(said(b"b" * 100))
    assert journal.path.read_bytes() == b"a" * 10 + b"\n"
    journal.append(said(b"c"))
    assert journal.path.read_bytes() == b"a" * 10 + b"\nc\n"


def test_what_is_raised_while_writing_writes_nothing(tmp_path):
    journal = Journal(tmp_path / "j.jsonl")
    journal.append(said(b"a"))
    with pytest.raises(LookupError):
        journal.append(lambda new: [].pop())
    assert journal.path.read_bytes() == b"a\n"


PROGRAM = """
import sys
from pathlib import Path
from rainopt.io.journal import Journal
journal = Journal(Path(sys.argv[1]))
for k in range(100_000):
    journal.append(lambda new: str(k).encode() * 50)
    print(k, flush=True)
"""


@posix
def test_a_killed_process_has_lost_no_line_that_it_confirmed(tmp_path):
    path = tmp_path / "j.jsonl"
    words = [sys.executable, "-c", PROGRAM, str(path)]
    with subprocess.Popen(words, env=environment(), cwd=ROOT, stdout=subprocess.PIPE) as process:
        confirmed = [process.stdout.readline() for _ in range(100)]
        process.kill()
        confirmed += process.stdout.readlines()
    lines = Journal(path).read()
    assert lines == [str(k).encode() * 50 for k in range(len(lines))]
    assert len(confirmed) <= len(lines) <= len(confirmed) + 1


def _write(path, name, count):
    journal = Journal(path)
    for k in range(count):
        journal.append(said(f"{name} {k}".encode()))


def test_threads_and_processes_lose_no_line(tmp_path):
    path = tmp_path / "j.jsonl"
    process = multiprocessing.get_context("spawn").Process(target=_write, args=(path, "p", 20))
    process.start()
    threads = [threading.Thread(target=_write, args=(path, f"t{k}", 20)) for k in range(3)]
    for thread in threads:
        thread.start()
    for worker in (*threads, process):
        worker.join()
    lines = path.read_text().splitlines()
    assert sorted(lines) == sorted(f"{name} {k}" for name in ("p", "t0", "t1", "t2") for k in range(20))
    assert [line for line in lines if line.startswith("p")] == [f"p {k}" for k in range(20)]
