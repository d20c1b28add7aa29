"""`raindata review` without its page: agreement, and decisions brought into the manifest."""

import json

import pytest

from data_tools.commands.main import app
from data_tools.decisions.board import Board
from data_tools.manifest.file import read_manifest
from tests.support.photos import files
from tests.support.processes import call
from tests.support.reviews import reviewable, scene_names


@pytest.fixture
def dataset(tmp_path):
    dataset = reviewable(tmp_path / "set")
    board = Board(dataset)
    for who, verdicts in {"ada": ("accept", "reject", "accept"), "bo": ("accept", "reject", "reject")}.items():
        for scene, verdict in zip(scene_names(3), verdicts, strict=True):
            board.add(who, kind="decision", scenes=(scene,), verdict=verdict)
    return dataset


def test_agreement_is_printed_for_every_two_reviewers(dataset):
    status, out, _ = call(app, "review", dataset, "--agreement", "--json")
    assert status == 0
    said = json.loads(out)
    # Agreed on 2 of 3; by chance (2/3 · 1/3 + 1/3 · 2/3) = 4/9.
    assert said["reviewers"] == ["ada", "bo"]
    assert said["kappa"] == pytest.approx((2 / 3 - 4 / 9) / (1 - 4 / 9))
    status, out, _ = call(app, "review", dataset, "--agreement")
    assert status == 0
    assert "0.400" in out
    assert "66.7 %" in out


def test_one_reviewer_agrees_with_nobody(tmp_path):
    status, out, _ = call(app, "review", reviewable(tmp_path / "set"), "--agreement")
    assert status == 0
    assert "two reviewers" in out


def test_decisions_are_applied_and_told(dataset):
    status, out, _ = call(app, "review", dataset, "--apply")
    assert status == 0
    assert "holds 2 pairs" in " ".join(out.split())
    assert "4 pairs left out as rejected, 1 scenes accepted" in " ".join(out.split())
    assert {record.clean for record in read_manifest(dataset)} == {f"clean/{scene_names(1)[0]}.png"}
    status, out, _ = call(app, "review", dataset, "--apply", "--json")
    assert json.loads(out)["left_out"] == 4


def test_two_things_are_not_done_at_once(tmp_path):
    status, _, err = call(app, "review", reviewable(tmp_path / "set"), "--agreement", "--apply")
    assert (status, "does not go together with --agreement" in err) == (2, True)


def test_a_dataset_that_cannot_be_written_is_told_before_anybody_decides(tmp_path):
    dataset = reviewable(tmp_path / "set")
    (dataset / "review").touch()  # no folder
    before = files(dataset)
    status, out, err = call(app, "review", dataset, "--reviewer", "ada", "--no-browser", "--json")
    assert (status, files(dataset)) == (1, before)
    for told in (json.loads(out)["error"], " ".join(err.split())):
        assert "ada.jsonl' cannot be written, as " in told
        assert "work on a copy elsewhere" in told
