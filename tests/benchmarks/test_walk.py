import sys

import pytest

from benchmarks.walk import counts, passed, run, stays
from tests.support.processes import ROOT

FILES = {
    "walked/__init__.py": "",
    "walked/top.py": """
from walked.far.deep import down
def start(): [up() for up in (down, down, here)]
def here(): pass
""",
    "walked/far/deep.py": "def down(): return (lambda: Thing().go())()\nfrom walked.far.low.thing import Thing",
    "walked/far/low/thing.py": """
class Thing:
    def go(self): return sorted([2, 1], key=self.key)
    def key(self, x): return x
""",
}


def test_functions_are_listed_where_they_are_first_called(tmp_path, monkeypatch):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    import walked.top

    steps = passed(walked.top.start, tmp_path)
    assert [step.function for step in steps] == ["start", "down", "Thing.go", "Thing.key", "here"]
    assert steps[2].file.as_posix() == "walked/far/low/thing.py"
    # A room is a folder with what is below it, or a file at the top.
    assert [room for room, _ in stays(steps)] == ["walked/top.py", "walked/far", "walked/top.py"]
    assert counts(steps) == {"functions": 5, "files": 3, "stays in files": 4, "rooms": 2, "stays in rooms": 3}


def test_an_error_ends_the_watch(tmp_path):
    with pytest.raises(ZeroDivisionError):
        passed(lambda: 1 / 0, tmp_path)
    assert sys.getprofile() is None


def test_a_command_that_fails_is_an_error_with_its_words(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    with pytest.raises(RuntimeError, match=r"(?s)status 1.*nothing\.jpg"):
        run(["rainopt", "derain", "nothing.jpg", "-o", str(tmp_path)])
