"""Splits of videos: of the shares asked for, the same whatever else is there, shared by videos that look alike."""

from pathlib import Path

import pytest

from data_tools.build.dataset import begin, finish
from data_tools.build.notes import VideoResult, Window, note_window, noted_fingerprints, noted_window
from data_tools.build.plan import VideoJob, plan_videos
from data_tools.build.settings import BuildSettings
from data_tools.build.splits import draw, leaders, split_of
from data_tools.manifest.file import PairRecord, append_record, read_manifest
from tests.support.clips import save
from tests.support.datasets import clip


def test_shares_are_those_asked_for_over_many_videos():
    settings = BuildSettings(val_share=0.2, test_share=0.1, seed=3)
    splits = [split_of(f"v{k}", settings) for k in range(3000)]
    assert splits.count("test") / 3000 == pytest.approx(0.1, abs=0.02)
    assert splits.count("val") / 3000 == pytest.approx(0.2, abs=0.025)
    assert splits.count("train") == 3000 - splits.count("test") - splits.count("val")
    assert [split_of(f"v{k}", BuildSettings(val_share=0.2, test_share=0.1, seed=4)) for k in range(3000)] != splits
    assert {split_of(f"v{k}", BuildSettings()) for k in range(50)} == {"train"}


def test_videos_that_look_alike_are_one_group_led_by_the_first():
    base = 0x0123456789ABCDEF
    prints = {
        ("d", base),
        ("b", base ^ 0b1111),  # four bits off d
        ("c", base ^ 0b1111 ^ (0b1111 << 30)),  # four off b, eight off d
        ("a", base ^ (0b11111 << 20)),  # five off d
        ("e", ~base % 2**64),
        ("b", ~base % 2**64 ^ (1 << 63)),  # another scene of b, which e looks like
    }
    assert leaders(prints) == {"a": "a", "b": "b", "c": "b", "d": "b", "e": "b"}
    apart = {(f"v{k}", 0x9E3779B97F4A7C15 * (k + 1) % 2**64) for k in range(50)}
    assert leaders(apart) == {name: name for name, _ in apart}


def test_videos_of_earlier_runs_keep_their_group(here):
    settings = BuildSettings(val_share=0.5)
    begin(here / "out", settings)

    def noted(name, fingerprint):
        record = PairRecord(id=f"{name}/000000_000000", rainy="a.png", clean="b.png", scene=f"{name}/000")
        window = Window(0, 9, 0, 9, True, 50.0, True, fingerprint=fingerprint, records=(record.model_dump(),))
        note_window(VideoJob(here / name, name, here / "out", settings), window)
        append_record(here / "out", record)
        return VideoResult(name, name, (window,))

    pair = next((f"a{k}", f"b{k}") for k in range(99) if (draw(0, f"a{k}") < 0.5) != (draw(0, f"b{k}") < 0.5))
    first = [noted(name, 12345) for name in pair]
    before = {record.id: record.split for record in finish(here / "out", settings, first)}
    assert len(set(before.values())) == 1
    after = {record.id: record.split for record in finish(here / "out", settings, [noted("other", 999 << 40)])}
    assert {name: after[name] for name in before} == before
    # A run that is stopped before it comes to a video must not move it either.
    assert {record.id: record.split for record in finish(here / "out", settings, [])} == after


def test_a_video_is_known_by_the_backgrounds_of_all_its_sequences(here):
    job = VideoJob(here / "v", "v", here / "out", BuildSettings())
    note_window(job, Window(0, 9, 0, 9, True, 50.0, True, fingerprint=12345, also=(999, 0)))
    note_window(job, Window(9, 20, 0, 9, False, 0.0, True))
    assert noted_window(job, 0).also == (999, 0)
    assert noted_fingerprints(here / "out") == {("v", 12345), ("v", 999)}


def test_two_videos_of_one_place_share_a_split(here, built):
    for name, place, seed in (("a", "coffee", 0), ("b", "coffee", 1), ("c", "chelsea", 0)):
        save(Path("in", f"{name}.mkv"), clip(place, 21, seed=seed))
    names = {job.source.stem: job.name for job in plan_videos(["in"], Path("out"), BuildSettings()).jobs}

    def split(seed, name):
        return split_of(names[name], BuildSettings(val_share=0.3, test_share=0.3, seed=seed))

    # By their own names all three would go apart, so that all splits are there.
    seed = next(s for s in range(999) if {split(s, name) for name in "abc"} == {"train", "val", "test"})
    built("in", "-o", "out", "-n", "2", "--no-stabilise", "--val-share", "0.3", "--test-share", "0.3", "-s", seed)
    found = {record.source[0]: record.split for record in read_manifest("out")}
    assert found == {"a": split(seed, "a"), "b": split(seed, "a"), "c": split(seed, "c")}
