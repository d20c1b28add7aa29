"""Decisions enter the manifest, and what is undone comes back as it was, byte for byte."""

import contextlib

import numpy as np
import pytest

from data_tools.decisions.as_made import read_as_made, write_as_made
from data_tools.decisions.board import Board
from data_tools.decisions.honour import apply_decisions
from data_tools.decisions.masks import MaskError, decode_mask, mask_path, write_mask
from data_tools.manifest.file import read_manifest, write_manifest
from data_tools.manifest.folder import sweep
from data_tools.manifest.paths import checksum
from data_tools.verify.dataset import verify
from rainopt.io import read_image
from tests.support.datasets import files
from tests.support.reviews import DOUBTFUL, SHAPE, mask_file, reviewable, scene_names

A, B, C = scene_names(3)


@pytest.fixture
def dataset(tmp_path):
    return reviewable(tmp_path / "set", facts={1: DOUBTFUL})


def decide(folder, scene, verdict, who="ada", **more):
    Board(folder).add(who, kind="decision", scenes=(scene,), verdict=verdict, **more)


def mark(folder, scene, mask, who="ada"):
    Board(folder).add(who, kind="invalid", scenes=(scene,), mask=write_mask(folder, mask))


def of(folder, scene):
    return [record for record in read_manifest(folder) if record.clean and scene in record.clean]


def outside_review(folder):
    return {path: content for path, content in files(folder).items() if not path.startswith("review/")}


def test_nothing_decided_changes_nothing(dataset):
    before = files(dataset)
    assert apply_decisions(dataset).records == 6
    assert files(dataset) == before


def test_a_rejected_scene_leaves_and_an_undone_rejection_brings_it_back(dataset):
    before = outside_review(dataset)
    decide(dataset, A, "reject")
    done = apply_decisions(dataset)
    assert (done.records, done.left_out) == (4, 2)
    assert not of(dataset, A)
    assert outside_review(dataset).keys() == before.keys()
    assert set(read_as_made(dataset)) == {f"{A}_{k:06}" for k in (0, 1)}
    changed = outside_review(dataset)
    assert apply_decisions(dataset).records == 4  # again, the same
    assert outside_review(dataset) == changed
    Board(dataset).undo("ada")
    assert apply_decisions(dataset).records == 6
    assert outside_review(dataset) == before
    assert read_as_made(dataset) == {}


def test_an_accepted_scene_is_no_longer_to_be_reviewed(dataset):
    before = outside_review(dataset)
    decide(dataset, B, "accept")
    apply_decisions(dataset)
    assert {record.extra["status"] for record in of(dataset, B)} == {"accepted"}
    assert of(dataset, B)[0].extra["doubts"]  # what the measure thought stays known
    Board(dataset).undo("ada")
    apply_decisions(dataset)
    assert outside_review(dataset) == before


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        (("accept", "accept"), "accepted"),
        (("accept", "more"), "review"),
        (("more", "accept"), "review"),
        (("accept", "reject"), None),
        (("reject", "more"), None),
    ],
)
def test_of_two_reviewers_the_stricter_one_counts(dataset, verdicts, status):
    for who, verdict in zip(("ada", "bo"), verdicts, strict=True):
        decide(dataset, A, verdict, who)
    apply_decisions(dataset)
    assert {record.extra["status"] for record in of(dataset, A)} == ({status} if status else set())


def test_marked_regions_enter_the_masks_and_leave_them_again(dataset):
    before = outside_review(dataset)
    one, other = np.zeros((2, *SHAPE), bool)
    one[:5], other[:, :7] = True, True
    mark(dataset, A, one)
    mark(dataset, A, other, "bo")
    assert apply_decisions(dataset).marked == 1
    for record in of(dataset, A):
        place = dataset / record.extra["valid"]
        assert np.array_equal(read_image(place) > 127, ~(one | other))
        assert record.checksums[record.extra["valid"]] == checksum(place)
        assert record.extra["valid_share"] == pytest.approx(np.mean(~(one | other)), abs=1e-5)
    assert {k: v for k, v in outside_review(dataset).items() if k != "manifest.jsonl"} == {
        k: v for k, v in before.items() if k != "manifest.jsonl"
    }
    report = verify(dataset)
    assert report.ok, report.findings
    assert not report.notes
    mark(dataset, A, np.zeros(SHAPE, bool))
    Board(dataset).undo("bo")
    apply_decisions(dataset)
    assert outside_review(dataset) == before
    assert not list((dataset / "review/honoured/valid").glob("*"))


def test_records_without_a_mask_get_one(dataset):
    manifest = read_manifest(dataset)
    bare = [
        record.model_copy(update={"valid": None}).model_dump(exclude={"valid", "valid_share", "status"})
        for record in manifest
    ]
    write_manifest(dataset, [type(manifest.records[0]).parse(values) for values in bare], manifest.header)
    mask = np.zeros(SHAPE, bool)
    mask[3] = True
    mark(dataset, C, mask)
    apply_decisions(dataset)
    assert np.array_equal(read_image(dataset / of(dataset, C)[0].extra["valid"]) == 0, mask)


@pytest.mark.parametrize("writes", [0, 1, 2])
def test_a_kill_between_any_two_writes_loses_no_record(dataset, monkeypatch, writes):
    everything = {record.id: record for record in read_manifest(dataset)}

    def apply_and_die():
        left = iter(range(writes))

        def dying(write):
            def one(*arguments, **options):
                if next(left, None) is None:
                    raise KeyboardInterrupt
                return write(*arguments, **options)

            return one

        with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
            patch.setattr("data_tools.decisions.honour.write_manifest", dying(write_manifest))
            patch.setattr("data_tools.decisions.honour.write_as_made", dying(write_as_made))
            apply_decisions(dataset)
        return {record.id for record in read_manifest(dataset)} | set(read_as_made(dataset))

    decide(dataset, A, "reject")
    assert apply_and_die() == everything.keys()
    assert apply_decisions(dataset).records == 4
    Board(dataset).undo("ada")
    assert apply_and_die() == everything.keys()
    apply_decisions(dataset)
    assert {record.id: record for record in read_manifest(dataset)} == everything


def test_a_lost_mask_is_told_and_its_scene_stays(dataset):
    mark(dataset, A, np.ones(SHAPE, bool))
    for path in (dataset / "review/invalid").iterdir():
        path.unlink()
    done = apply_decisions(dataset)
    assert A in done.problems[0]
    assert done.records == 6


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "PNG"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"GIF89a" + b"\0" * 100, "PNG"),
        (mask_file(np.zeros((3, 4), bool)), "24 x 32"),
        (mask_file(np.zeros(SHAPE, bool))[:40], "decoded"),
        (mask_file(np.zeros((*SHAPE, 3), bool)), "one channel"),
    ],
)
def test_files_that_are_no_masks_of_the_scene_are_refused(content, what):
    with pytest.raises(MaskError, match=what):
        decode_mask(content, SHAPE)


def test_masks_are_named_by_their_content_and_written_once(dataset):
    mask = np.zeros(SHAPE, bool)
    assert write_mask(dataset, mask) is None
    mask[2, 3] = True
    name = write_mask(dataset, mask)
    assert checksum(mask_path(dataset, name)) == name
    at = mask_path(dataset, name).stat().st_mtime_ns
    assert write_mask(dataset, mask) == name
    assert mask_path(dataset, name).stat().st_mtime_ns == at
    assert np.array_equal(decode_mask(mask_path(dataset, name).read_bytes(), SHAPE), mask)


def test_what_sweeps_a_dataset_leaves_the_review_alone(dataset):
    inside = dataset / "review" / "invalid" / ".0123456789abcdef.999999999.01234567.tmp"
    outside = dataset / "rainy" / inside.name
    inside.parent.mkdir(parents=True)
    for place in (inside, outside):
        place.write_bytes(b"half")
    sweep(dataset)
    assert inside.exists()
    assert not outside.exists()


def test_lines_that_cannot_be_read_are_told(dataset):
    decide(dataset, A, "accept")
    with open(dataset / "review" / "ada.jsonl", "ab") as log:
        log.write(b"garbage\n")
    (problem,) = apply_decisions(dataset).problems
    assert "ada.jsonl" in problem
