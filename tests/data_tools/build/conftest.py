"""Three videos, and the dataset of a run that nothing stopped."""

import contextlib
import re
import shutil
from pathlib import Path

import pytest

from data_tools.commands.main import app
from tests.support.clips import save
from tests.support.datasets import clip, put, waves
from tests.support.processes import call

INPUTS = ("videos", "videos/c")
# The camera stands still in these clips, and not to look for its movement takes a third of the time.
OPTIONS = ("--every", "0.8", "-n", "2", "--licence", "CC0-1.0", "--no-stabilise")
PAIRS = 8


def build(*arguments, status=0):
    got, out, err = call(app, "build", *arguments)
    assert got == status, err
    return out, err


@pytest.fixture(scope="session")
def built():
    """Run `raindata build` and check its status; return standard output and error."""
    return build


@pytest.fixture(scope="session")
def again():
    """The arguments, but for -o, that the dataset was built with."""
    return (*INPUTS, *OPTIONS)


@pytest.fixture
def photos(here):
    """A folder of three clean pictures."""
    for k, name in enumerate("abc"):
        put(here / "photos" / f"{name}.png", waves(seed=k))
    return Path("photos")


@pytest.fixture(scope="session")
def top(tmp_path_factory):
    """A folder with videos, and in `whole` the dataset of 8 pairs that they give."""
    top = tmp_path_factory.mktemp("build")
    save(top / "videos" / "Ä [x] ☂.mp4", clip("astronaut", 42))
    save(top / "videos" / "sub dir" / "b.mkv", clip("coffee", 21))
    for number, frame in enumerate(clip("chelsea", 21)):
        put(top / "videos" / "c" / f"{number}.png", frame)
    with contextlib.chdir(top):
        out, err = build(*INPUTS, "-o", "whole", *OPTIONS)
    assert err == ""
    assert re.search(rf"whole holds {PAIRS} pairs, whole/contact_sheet\.png \([\d.]+ s\)\n$", out)
    return top


@pytest.fixture
def copy(top, monkeypatch):
    """A copy of that dataset, to be changed."""
    monkeypatch.chdir(top)
    yield Path(shutil.copytree("whole", "copy"))
    shutil.rmtree("copy")
