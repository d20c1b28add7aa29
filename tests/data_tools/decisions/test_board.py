"""What stands of the logs of reviewers: the last word, less what was undone, also across processes."""

import json

import pytest

from data_tools.decisions.board import Board, NothingToUndoError
from data_tools.decisions.log import check_reviewer


def decide(board, who, scene, verdict, **more):
    return board.add(who, kind="decision", scenes=(scene,), verdict=verdict, **more)


@pytest.fixture
def board(tmp_path):
    return Board(tmp_path)


def test_the_last_word_stands_and_reviewers_are_apart(board):
    decide(board, "ada", "a", "reject")
    decide(board, "ada", "a", "accept", note="fine after all", round=1)
    decide(board, "bo", "a", "reject")
    ada, bo = board.opinions("a")
    assert (ada.by, ada.verdict, ada.note, ada.round) == ("ada", "accept", "fine after all", 1)
    assert (bo.by, bo.verdict) == ("bo", "reject")
    assert board.opinion("ada", "b").verdict is None


def test_undo_takes_back_one_after_the_other_and_only_own(board):
    decide(board, "ada", "a", "accept")
    decide(board, "ada", "a", "reject")
    board.add("ada", kind="note", scenes=("b",), note="dark")
    board.add("ada", kind="invalid", scenes=("b",), mask="0" * 64)
    decide(board, "bo", "c", "accept")
    assert board.undo("ada").kind == "invalid"
    assert (board.opinion("ada", "b").mask, board.opinion("ada", "b").note) == (None, "dark")
    assert board.undo("ada").kind == "note"
    assert board.opinions("b") == []
    assert board.undo("ada").verdict == "reject"
    assert board.opinion("ada", "a").verdict == "accept"
    decide(board, "ada", "d", "more")
    assert [board.undo("ada").scenes for _ in range(2)] == [("d",), ("a",)]
    with pytest.raises(NothingToUndoError):
        board.undo("ada")
    assert board.opinion("bo", "c").verdict == "accept"


def test_one_undo_takes_back_all_scenes_above_a_score(board):
    decide(board, "ada", "a", "reject")
    board.add("ada", kind="above", scenes=("b", "c"), verdict="accept", score=0.5)
    assert board.opinion("ada", "c").swept
    assert board.undo("ada").scenes == ("b", "c")
    assert [board.opinion("ada", scene).verdict for scene in "abc"] == ["reject", None, None]


def test_two_processes_see_each_other_and_number_lines_once(tmp_path):
    one, other = Board(tmp_path), Board(tmp_path)
    assert decide(one, "ada", "a", "accept").number == 1
    assert decide(other, "ada", "b", "reject").number == 2
    assert other.undo("ada").scenes == ("b",)
    assert one.refresh() == {"b"}
    assert one.opinion("ada", "b").verdict is None
    # What is undone is the last of all, written by whichever process.
    decide(one, "ada", "c", "accept")
    assert other.undo("ada").scenes == ("c",)


def test_news_begin_where_the_logs_stood(tmp_path):
    one, other = Board(tmp_path), Board(tmp_path)
    decide(one, "ada", "a", "accept")
    stood = one.sizes()
    decide(one, "ada", "b", "accept")
    decide(other, "bo", "c", "reject")
    other.undo("bo")
    one.refresh()
    assert one.since(stood) == {"b", "c"}
    assert one.since(one.sizes()) == set()
    assert one.since({}) == {"a", "b", "c"}
    assert Board(tmp_path).since(stood) == {"b", "c"}


@pytest.mark.parametrize(
    "line",
    [
        b"no json",
        b"[]",
        b'{"kind": "decision", "scene": "a"}',
        b'{"kind": "decision", "scene": "a", "verdict": "perhaps"}',
        b'{"kind": "decision", "scene": 3, "verdict": "accept"}',
        b'{"kind": "invalid", "scene": "a", "mask": "../../etc/passwd"}',
        b'{"kind": "undo", "undone": 5}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_lines_that_say_nothing_known_are_told_and_spoil_no_other(tmp_path, line):
    folder = tmp_path / "review"
    folder.mkdir()
    first = json.dumps({"entry": 1, "at": "", "kind": "decision", "scene": "a", "verdict": "accept"}).encode()
    (folder / "ada.jsonl").write_bytes(first + b"\n" + line + b"\n")
    board = Board(tmp_path)
    assert "line 2" in board.faults()[0]
    assert decide(board, "ada", "b", "reject").number == 3
    assert board.undo("ada").scenes == ("b",)
    assert board.undo("ada").scenes == ("a",)
    assert (folder / "ada.jsonl").read_bytes().startswith(first + b"\n" + line + b"\n")


@pytest.mark.parametrize("name", ["", ".ada", "../ada", "a/b", "a\\b", "a..b", "a\0b", "a\n", "x" * 65, "a."])
def test_names_that_are_no_file_names_are_refused(name):
    with pytest.raises(ValueError, match="reviewer"):
        check_reviewer(name)


@pytest.mark.parametrize("name", ["ada", "Ada.Lovelace", "ÅSA-2", "a@b.org", "x" * 64])
def test_names_of_people_are_taken(name):
    assert check_reviewer(name) == name
