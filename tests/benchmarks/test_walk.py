import sys
from pathlib import PurePath

import pytest

from benchmarks.walk import Step, counts, passed, run, stays
from tests.support.processes import ROOT

FILES = {
    "__init__.py": "",
    "top.py": """
from walked.far.deep import down
def start(): [up() for up in (down, down, here)]
def here(): pass
""",
    "far/__init__.py": "",
    "far/deep.py": """
from walked.far.other import Thing
def down(): return (lambda: Thing().go())()
""",
    "far/other.py": """
class Thing:
    def go(self): return sorted([2, 1], key=self.key)
    def key(self, x): return x
""",
}


@pytest.fixture
def start(tmp_path, monkeypatch):
    for name, text in FILES.items():
        path = tmp_path / "walked" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield __import__("walked.top").top.start
    for name in [name for name in sys.modules if name.split(".")[0] == "walked"]:
        del sys.modules[name]


def test_functions_are_listed_where_they_are_first_called(start, tmp_path):
    steps = passed(start, tmp_path)
    assert [step.function for step in steps] == ["start", "down", "Thing.go", "Thing.key", "here"]
    assert steps[2].file == PurePath("walked/far/other.py")
    assert [room for room, _ in stays(steps)] == ["walked/top.py", "walked/far", "walked/top.py"]
    assert counts(steps) == {"functions": 5, "files": 3, "stays in files": 4, "rooms": 2, "stays in rooms": 3}


def test_a_room_is_a_folder_of_a_package_with_what_is_below():
    assert Step(PurePath("rainopt/io/images/files.py"), "f").room == "rainopt/io"
    assert Step(PurePath("rainopt/image.py"), "f").room == "rainopt/image.py"


def test_an_error_ends_the_watch(tmp_path):
    with pytest.raises(ZeroDivisionError):
        passed(lambda: 1 / 0, tmp_path)
    assert sys.getprofile() is None


def test_a_command_that_fails_is_an_error_with_its_words(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    with pytest.raises(RuntimeError, match=r"(?s)status 1.*nothing\.jpg"):
        run(["rainopt", "derain", "nothing.jpg", "-o", str(tmp_path)])
