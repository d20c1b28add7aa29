"""The commands in this process, with odd options, odd names and damaged files."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import os
import sys
from pathlib import Path
from random import Random
from unittest import mock

from benchmarks.robustness.attacks.pictures import changed_picture
from benchmarks.robustness.attacks.texts import odd_json
from benchmarks.robustness.case import Case, PromiseBrokenError
from benchmarks.robustness.corpus import manifest, manifest_bytes, network, pictures, videos
from benchmarks.robustness.mutations import mutated

PROGRAMS = {
    "rainopt": "rainopt.commands.main",
    "raindata": "data_tools.commands.main",
    "rainnet": "rainnet.commands.main",
}
NAMES: tuple[str, ...] = (
    "photo.png",
    "photo.jpg",
    "a b.png",
    "\x1b[31mred.png",
    "new\nline.png",
    "é[bold].png",
    "-x.png",
    "photo",
    "%03d.png",
)
NAMES += (
    "http:x.png",
    "x" * 200 + ".png",
    "[a-z].png",
    "~.png",
    "*.png",
    "photo.heic",
    "photo.gif",
    "photo.JPG",
    ".png",
)
NUMBERS = ("0", "1", "-1", "3.5", "nan", "inf", "1e308", "9" * 30, "x", "", "90", "-90", "2", "true", "０")
OUTPUTS = ("out", "out", "out/result.png", "out/a/b/c", "out/x.avi", "out/\x1b[1m", "out/x.jfif", "", "out/x.tif")
WORDS = (
    "auto",
    "cpu",
    "cuda:99",
    "x",
    "",
    "network",
    "solver",
    "tau=1",
    "tau=nan",
    "tau=x,y",
    "light",
    "heavy",
    "manifest",
)

COMMANDS: tuple[tuple[str, tuple[str, ...], dict[str, tuple[str, ...]]], ...] = (
    (
        "rainopt",
        ("derain",),
        {
            "--angle": NUMBERS,
            "--strength": NUMBERS,
            "--weights": WORDS,
            "--jobs": ("1", "0", "x"),
            "--device": WORDS,
            "--quality": NUMBERS,
            "--max-iter": ("3", "0", "x"),
            "--tol": NUMBERS,
            "--compare": (),
            "--save-rain": (),
            "--json": (),
            "--veil": (),
            "--overwrite": (),
        },
    ),
    ("rainopt", ("angle",), {"--json": (), "--jobs": ("1", "x")}),
    ("rainopt", ("background",), {"--frames": NUMBERS, "--start": NUMBERS, "--step": NUMBERS, "--json": ()}),
    ("raindata", ("verify",), {"--layout": WORDS, "--json": ()}),
    (
        "raindata",
        ("verify", "--rainy", "in", "--clean", "in"),
        {"--match": ("[0-9]+$", "(", "(?P<x>", "(a+)+$", "", "\\d+", "x" * 5000), "--json": ()},
    ),
    (
        "raindata",
        ("export", "--to", "spa"),
        {"--to": WORDS, "--layout": WORDS, "--shard-size": NUMBERS, "--split": WORDS},
    ),
    (
        "raindata",
        ("synth",),
        {
            "--preset": WORDS,
            "--count": ("1", "2", "0", "x"),
            "--seed": NUMBERS,
            "--val-share": NUMBERS,
            "--licence": WORDS,
        },
    ),
    (
        "rainnet",
        ("convert", "udgnet"),
        {"--set": ("blocks=2", "x=1", "blocks=[", "blocks=" + "[" * 5000), "--json": ()},
    ),
    ("rainnet", ("export",), {"--opset": ("1", "x", "99"), "--core": ()}),
    (
        "rainnet",
        ("derain",),
        {"--model": WORDS, "--angle": NUMBERS, "--tile": NUMBERS, "--polish": ("0", "1", "x"), "--ensemble": NUMBERS},
    ),
    (
        "rainnet",
        ("train", "udgnet-small", "--set", "run.steps=1", "--set", "run.workers=0", "--set", "run.batch=1"),
        {"--set": ("run.steps=x", "run=1", "x.y=1", "data.size=" + "[" * 5000, "data.size=32"), "--val": ("in", "x")},
    ),
)
"""Programs, what they are asked, and options with their values."""


class RefusedError(Exception):
    """A command that ended with status 1 or 2 and said why."""


def command_run(random: Random) -> Case:
    """Return a command to be run in this process."""
    program, words, options = random.choice(COMMANDS)
    name = random.choice(NAMES)
    files = {f"in/{name}": _content(words[0], random)}
    if words[0] == "verify" or (words[0] == "export" and program == "raindata"):
        files |= {"in/manifest.jsonl": files.pop(f"in/{name}"), "in/rainy/a.png": pictures()["rgb.png"]}
    if random.random() < 0.15:
        files["in/inner/other.png"] = pictures()["rgb.png"]
    given = [random.choice((f"in/{name}", f"in/{name}", f"in/{name}", "in", "in/*", "nothing.png", ""))]
    if "--rainy" in words:
        given = []
    elif program == "raindata" and words[0] != "synth":
        given = [random.choice(("in", "in", "in/manifest.jsonl", "nothing"))]
    if words[0] == "train":
        given = ["--data", *given]
    chosen: list[str] = []
    for option in random.sample(sorted(options), min(len(options), random.choice((0, 1, 1, 2)))):
        chosen += [option, random.choice(options[option])] if options[option] else [option]
    if words[0] not in ("angle", "verify"):
        chosen += ["-o", random.choice(OUTPUTS)]
    argv = [program, *words, *given, *chosen]

    def call(folder: Path) -> int:
        status, said = _run(program, argv)
        if status not in (0, 1, 2):
            raise PromiseBrokenError(f"status {status}: {said[-200:]}")
        if status and not said.strip():
            raise PromiseBrokenError(f"status {status} without a word")
        if status == 2 and any(path.is_file() for path in (folder / "out").rglob("*")):
            raise PromiseBrokenError(f"wrong usage, and files were written: {said[-200:]}")
        raw = {character for character in said if ord(character) < 32 and character not in "\n\r\t"}
        if raw:
            raise PromiseBrokenError(f"control characters {sorted(raw)} on the terminal: {said[:200]!r}")
        if status:
            raise RefusedError(said)
        return status

    return Case(
        f"{program} {words[0]} ({' '.join(map(repr, argv[1:]))[:160]})", call, (RefusedError,), files, partial=True
    )


def _content(word: str, random: Random) -> bytes:
    if word in ("verify",) or (word == "export" and random.random() < 0.5):
        lines = manifest()
        k = random.randrange(len(lines))
        lines[k] = odd_json(lines[k], random)
        return manifest_bytes(lines)
    if word in ("convert", "export") and random.random() < 0.8:
        return mutated(network(), random) if random.random() < 0.5 else network()
    if word == "background" and random.random() < 0.8:
        data = videos()[random.choice(sorted(videos()))]
        return mutated(data, random) if random.random() < 0.5 else data
    return changed_picture(random)[1] if random.random() < 0.5 else pictures()["rgb.png"]


def _run(program: str, argv: list[str]) -> tuple[int | str | None, str]:
    """Run a command as its script does; return its status and all that it said."""
    main = importlib.import_module(PROGRAMS[program]).main
    out, err = io.StringIO(), io.StringIO()
    # What our own loggers say reaches the terminal in a process of its own.
    ear = logging.StreamHandler(err)
    logging.getLogger().addHandler(ear)
    plain = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"}
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch.object(sys, "argv", argv),
            mock.patch.dict(os.environ, plain),
        ):
            try:
                main()
            except SystemExit as ended:
                code = ended.code
                return (0 if code is None else code), out.getvalue() + err.getvalue()
    finally:
        logging.getLogger().removeHandler(ear)
    return 0, out.getvalue() + err.getvalue()
