"""What is told of the starts of commands, here and in another tree."""

import subprocess
import sys

import numpy as np
import pytest
import typer

from benchmarks import starts as module
from benchmarks.starts import Start, checkout, measured

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="os.wait4")


@pytest.fixture
def trees(tmp_path):
    """Two trees that hold a package of one name, of which the second is slow."""
    for name, code in (("quick", "import fractions"), ("slow", "import time; time.sleep(0.2)")):
        (tmp_path / name / "toy").mkdir(parents=True)
        (tmp_path / name / "toy" / "__init__.py").write_text("")
        (tmp_path / name / "toy" / "__main__.py").write_text(f"{code}\nprint('said')\n")
    return {"": tmp_path / "quick", "before": tmp_path / "slow"}


def test_each_tree_is_run_and_held_against_the_other(trees, monkeypatch):
    monkeypatch.setattr(module, "starts", lambda folder: {"bare": Start(), "toy": Start("toy")})
    results = measured(trees, 1)
    toy, bare = results["toy"], results["bare"]
    assert toy["repeats"] == 1
    assert toy["against"]["median_s"] > 0.2
    assert toy["against"]["times"]["seconds"] < 1
    assert toy["modules"] > toy["against"]["modules"] > bare["modules"]  # fractions and what it imports


def test_a_revision_is_another_tree(tmp_path, monkeypatch):
    def git(*words):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=tmp_path, check=True)

    git("init", "-q", ".")
    for text in ("old", "new"):
        (tmp_path / "file").write_text(text)
        git("add", ".")
        git("commit", "-q", "-m", text)
    monkeypatch.setattr(module, "HERE", tmp_path)
    with checkout("HEAD~1") as folder:
        assert (folder / "file").read_text() == "old"
    assert not folder.exists()
    with pytest.raises(typer.BadParameter, match="rain"), checkout("rain"):
        pass


def test_the_commands_are_those_of_this_project(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "rainy_photograph", lambda *shape, **_: np.zeros(shape, np.uint8))
    names = {start.module for start in module.starts(tmp_path).values()}
    assert names == {"", "rainopt", "data_tools", "rainnet"}
    assert all((module.HERE / name / "__main__.py").exists() for name in names - {""})
