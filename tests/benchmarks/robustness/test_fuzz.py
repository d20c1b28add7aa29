"""A few hundred inputs of the attacks, always the same ones, and what makes them and judges them."""

import contextlib
import os
import signal
import sys
import time
import warnings
from pathlib import Path
from random import Random

import numpy as np
import pytest

from benchmarks.robustness import corpus
from benchmarks.robustness.attacks.table import ATTACKS, case_of
from benchmarks.robustness.case import FAILURES, Case, Kind
from benchmarks.robustness.judge import judge
from benchmarks.robustness.mutations import mutated
from benchmarks.robustness.structure import png_chunk, restructured

INPUTS = {"pictures": 120, "pictures written": 40, "videos": 30, "commands": 12, "networks": 20, "checkpoints": 15}


@contextlib.contextmanager
def limit(seconds):
    """Interrupt what computes for longer: nobody watches this process.

    By its own time, as everything takes longer beside other work; what waits for ever is ended by the alarm that
    pytest has for the whole test.
    """

    def interrupt(signum, frame):
        raise TimeoutError(f"no end after {seconds} s of computing")

    before = signal.signal(signal.SIGPROF, interrupt)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@pytest.mark.parametrize("attack", ATTACKS)
def test_inputs_are_done_or_refused_as_is_documented(attack, tmp_path):
    failures = []
    for number in range(INPUTS.get(attack, 40)):
        case = case_of(attack, 0, number)
        with limit(10):
            verdict = judge(case, tmp_path / str(number), memory=sys.maxsize)
        if verdict.kind in FAILURES:
            failures.append(f"{number}: {verdict.kind} {verdict.detail} at {verdict.where} of {case.words}")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_input_is_the_same_each_time(attack):
    one, other = (case_of(attack, 3, 5) for _ in range(2))
    assert one.files == other.files
    assert one.words == other.words


@pytest.mark.parametrize("name", ["rgb.png", "baseline.jpg", "pillow.tif", "lossy.webp", "rgb.avif"])
def test_changed_parts_keep_the_format(name):
    data = corpus.pictures()[name]
    changed = [restructured(data, Random(k)) for k in range(40)]
    assert len(set(changed)) > 20
    assert sum(each[:4] == data[:4] for each in changed) > 30


def test_mutations_change_bytes_and_are_repeatable():
    data = bytes(range(256)) * 4
    changed = [mutated(data, Random(k), [b"other"]) for k in range(50)]
    assert sum(each != data for each in changed) > 45
    assert changed == [mutated(data, Random(k), [b"other"]) for k in range(50)]


def write(name, content=b"x"):
    def call(folder):
        (folder / name).write_bytes(content)

    return call


def refuse(text, error=ValueError, first=lambda folder: None):
    def call(folder):
        first(folder)
        raise error(text)

    return call


@pytest.mark.parametrize(
    ("kind", "case"),
    [
        (Kind.OK, Case("nothing", lambda folder: 1, ())),
        (Kind.OK, Case("a result in its place", write("out/x"), ())),
        (Kind.REFUSED, Case("refuses", refuse("'a' is no picture"), (ValueError,), {"a": b""}, "a")),
        (Kind.UNNAMED, Case("names no file", refuse("no"), (ValueError,), {"a": b""}, "a")),
        (Kind.TRACEBACK, Case("another error", refuse("no"), (TypeError,))),
        (Kind.MEMORY, Case("too large", refuse("no", MemoryError), (MemoryError,))),
        (Kind.HALF, Case("leaves a file", refuse("no", first=write("out/x")), (ValueError,))),
        (Kind.HALF, Case("leaves a hidden file", write("out/.x.tmp"), ())),
        (Kind.HALF, Case("writes elsewhere", write("y"), ())),
        (Kind.HALF, Case("changes an input", write("a"), (), {"a": b""})),
        (Kind.HALF, Case("removes an input", lambda folder: (folder / "a").unlink(), (), {"a": b""})),
        (Kind.WRONG, Case("breaks a promise", lambda folder: 3, (), promise=lambda result: f"{result} is not 2")),
        (Kind.WARNING, Case("warns", lambda folder: warnings.warn("x", stacklevel=1), ())),
        (Kind.NOISE, Case("speaks", lambda folder: os.write(2, b"libx: error\n"), ())),
    ],
    ids=lambda value: value.words.replace(" ", "-") if isinstance(value, Case) else value.value,
)
def test_a_verdict_is_the_worst_that_happened(kind, case, tmp_path):
    assert judge(case, tmp_path / "place").kind is kind


def test_what_is_held_in_memory_counts(tmp_path):
    case = Case("holds 60 MiB", lambda folder: np.ones(60 << 20, np.uint8).sum(), ())
    verdict = judge(case, tmp_path / "place", memory=1)
    assert verdict.kind is Kind.MEMORY
    assert verdict.peak > 60 << 20


def test_a_png_chunk_has_its_checksum():
    assert png_chunk(b"IEND", b"") == bytes.fromhex("0000000049454e44ae426082")


@pytest.mark.slow
def test_a_worker_that_dies_or_hangs_is_replaced(tmp_path, monkeypatch):
    from benchmarks.robustness import pool

    monkeypatch.setattr(pool, "serve", serve)
    numbers = iter([("x", 0), ("x", 1), ("x", 2), ("x", 3)])
    limits = {"seconds": 1.5, "memory": 2**40, "stop": lambda: False}
    found = {one.number: one for one in pool.tried(numbers, seed=0, processes=1, folder=tmp_path, **limits)}
    kinds = [found[k].verdict.kind for k in range(4)]
    assert kinds == [Kind.OK, Kind.CRASH, Kind.HANG, Kind.OK]
    assert "SIGSEGV" in found[1].verdict.detail


def serve(pipe, seed, folder, memory):
    from benchmarks.robustness.case import Verdict

    pipe.send(None)
    while (asked := pipe.recv()) is not None:
        number = asked[1]
        pipe.send((number, "words", None, None))
        if number == 1:
            os.kill(os.getpid(), signal.SIGSEGV)
        if number == 2:
            time.sleep(60)
        pipe.send((number, "words", Verdict(Kind.OK), None))


def test_failures_are_kept_with_a_command_that_tries_them_again(tmp_path):
    from benchmarks.robustness.case import Verdict
    from benchmarks.robustness.fuzz import KEPT, Tally
    from benchmarks.robustness.pool import Tried

    tally = Tally(7, tmp_path / "kept")
    for number in range(KEPT + 2):
        folder = tmp_path / str(number)
        (folder / "in").mkdir(parents=True)
        Path(folder, "in", "photo.png").write_bytes(b"bytes")
        tally.add(Tried("pictures", number, "words", Verdict(Kind.HANG, "no end", "here"), str(folder)))
    tally.add(Tried("pictures", 99, "words", Verdict(Kind.OK)))
    assert (tally.count, tally.failed, len(tally.faults)) == (KEPT + 3, KEPT + 2, 1)
    assert len(list((tmp_path / "kept").iterdir())) == KEPT
    assert (tmp_path / "kept" / "7-0" / "files" / "in" / "photo.png").read_bytes() == b"bytes"
    text = (tmp_path / "kept" / "7-0" / "failure.txt").read_text()
    assert "python -m benchmarks.robustness.fuzz --seed 7 --again 0 --only 'pictures'" in text
