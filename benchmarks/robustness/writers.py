"""Every command that writes, on inputs that take a second or two, and whether what it wrote is whole."""

from __future__ import annotations

import hashlib
import itertools
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.robustness.case import MARKS
from benchmarks.robustness.watched import command, environment

# What says when, where or how fast a run was, and differs from run to run.
PASSING = re.compile(r"tfevents|tensorboard/|\.lock$|losses\.csv$|log\.jsonl$")


@dataclass(frozen=True)
class Writer:
    """A command that writes.

    Attributes
    ----------
    words
        Program and arguments, in a folder that `prepare` has filled.
    other
        Arguments that a second run of other settings has in addition.
    place
        What it writes, a file or a folder.
    verify
        Arguments of a command that says whether the result is whole.
    resume
        Arguments with which a run goes on that was begun.
    """

    words: tuple[str, ...]
    other: tuple[str, ...]
    place: str
    verify: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()

    def command(self, *more: str) -> list[str]:
        """Return the words that start it."""
        return command(*self.words, *more)


Seed = Annotated[int, typer.Option(min=0, help="Of the moments.")]
Only = Annotated[list[str] | None, typer.Option(metavar="WORDS", help="Commands that begin so; repeatable.")]

TRAINED: tuple[str, ...] = (
    "--set",
    "run.steps=6",
    "--set",
    "run.save_every=2",
    "--set",
    "run.batch=2",
    "--set",
    "data.size=32",
)
TRAINED += ("--set", "network.config={features=4, blocks=1}", "--set", "run.precision=32-true")
BUILT = ("--every", "0.8", "-n", "2", "--no-stabilise")

WRITERS: dict[str, Writer] = {
    "derain photos": Writer(
        ("rainopt", "derain", "photos", "-o", "dry", "--save-rain", "--compare"), ("--strength", "2"), "dry"
    ),
    "derain video": Writer(("rainopt", "derain", "long.mp4", "-o", "dry/long.mp4"), ("--strength", "2"), "dry"),
    "background": Writer(("rainopt", "background", "videos", "-o", "backs", "--maps"), ("--frames", "9"), "backs"),
    "synth": Writer(
        ("raindata", "synth", "photos", "-o", "made", "-n", "8", "--preset", "light"),
        ("--seed", "3"),
        "made",
        ("raindata", "verify", "made"),
    ),
    "build": Writer(
        ("raindata", "build", "videos", "-o", "built", *BUILT),
        ("--seed", "3"),
        "built",
        ("raindata", "verify", "built"),
    ),
    "export shards": Writer(
        ("raindata", "export", "dataset", "-o", "shards", "--to", "webdataset"), ("--no-shuffle",), "shards"
    ),
    "export spa": Writer(
        ("raindata", "export", "dataset", "-o", "spa", "--to", "spa"),
        ("--split", "train"),
        "spa",
        ("raindata", "verify", "spa"),
    ),
    "train": Writer(
        ("rainnet", "train", "udgnet-small", "-d", "photos", "-o", "run", *TRAINED),
        ("--set", "run.seed=7"),
        "run",
        (),
        ("--resume",),
    ),
    "network on photos": Writer(("rainnet", "derain", "photos", "-o", "dry"), ("--angle", "30"), "dry"),
    "network on video": Writer(("rainnet", "derain", "short.mp4", "-o", "dry/short.mp4"), ("--angle", "30"), "dry"),
    "convert": Writer(("rainnet", "convert", "udgnet", "weights.pth", "-o", "net.safetensors"), (), "net.safetensors"),
    "export network": Writer(("rainnet", "export", "udgnet-small", "-o", "net.onnx", "--core"), (), "net.onnx"),
}
"""Commands by name."""


def chosen(only: list[str] | None) -> dict[str, Writer]:
    """Return the commands whose names begin like one of some words; all of them without.

    Raises
    ------
    ValueError
        If there is none.
    """
    found = {name: writer for name, writer in WRITERS.items() if not only or name.startswith(tuple(only))}
    if not found:
        raise ValueError(f"must begin like one of {', '.join(WRITERS)}, got {', '.join(only or ())}")
    return found


def prepare(folder: Path) -> None:
    """Fill a folder with what the commands take: photographs, clips, a dataset, weights."""
    from benchmarks.common import photograph
    from benchmarks.robustness.corpus import waves
    from benchmarks.video.clips import rainy_frames, write_clip
    from rainopt import write_image

    for name in ("photos", "videos", "dry"):
        (folder / name).mkdir(parents=True)
    for k in range(3):
        write_image(folder / "photos" / f"{k}.png", waves(64, 96, seed=k))
    write_clip(folder / "short.mp4", rainy_frames(96, 128, 12), 96, 128)
    write_clip(folder / "videos" / "yard.mp4", _lightly_rained(photograph(96, 128), 42), 96, 128, quality=5)
    write_clip(folder / "long.mp4", rainy_frames(96, 128, 60), 96, 128)
    subprocess.run(
        command("raindata", "synth", "photos", "-o", "dataset", "-n", "9", "--val-share", "0.3"),
        cwd=folder,
        env=environment(),
        check=True,
        capture_output=True,
    )
    _write_weights(folder / "weights.pth")


def _lightly_rained(view: np.ndarray, count: int) -> Iterator[np.ndarray]:
    """Yield frames whose rain is light enough for a good background after some twenty of them."""
    from dataclasses import replace

    from data_tools import RainSpec, rain_video

    rng = np.random.default_rng(0)
    spec = replace(RainSpec.sample("light", rng), veil=0.0).scaled(0.3)
    for one in itertools.islice(rain_video(view / 255, replace(spec, density=4500.0), rng), count):
        levels = 255 * one.rainy + rng.normal(0, 1.0, (*view.shape[:2], 1))
        yield np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def _write_weights(path: Path) -> None:
    import torch

    import rainnet

    torch.save(rainnet.load("udgnet-small").state_dict(), path)


@contextmanager
def copied(material: Path, folder: Path) -> Iterator[Path]:
    """Have a copy of what the commands take, until the block ends."""
    shutil.copytree(material, folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def digests(place: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a result that does not say when or how fast it was made, by path."""
    files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    names = {path.relative_to(place.parent).as_posix(): path for path in files if path.name not in MARKS}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in names.items() if not PASSING.search(name)
    }


def leftovers(folder: Path) -> list[str]:
    """Return hidden and temporary files and folders: what a run that ended has no use for."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    found = (name for name in names if re.search(r"(^|/)\.|\.tmp$|\.parts$|\.lock$", name))
    return sorted(name for name in found if name.rpartition("/")[2] not in MARKS)


def differences(found: dict[str, str], whole: dict[str, str], steady: set[str]) -> list[str]:
    """Return in what a result differs from one that nothing disturbed; only the bytes of `steady` files count."""
    wrong = [f"'{name}' is missing" for name in whole if name not in found]
    wrong += [f"'{name}' is there and should not be" for name in found if name not in whole]
    wrong += [
        f"'{name}' has other bytes" for name in whole if name in steady and found.get(name, whole[name]) != whole[name]
    ]
    return wrong
