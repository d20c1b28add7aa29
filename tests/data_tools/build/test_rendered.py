"""Datasets of rendered rain as files: the truth in them, the same bytes whatever the way, and going on."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from data_tools import PRESETS, RainSpec, compose
from data_tools.build.rendered import make_pair, render_pair
from data_tools.build.settings import SynthSettings
from data_tools.build.synth_plan import PairJob, plan_pairs, remaining
from data_tools.commands.main import app
from data_tools.manifest.file import ManifestError, read_manifest
from data_tools.verify.dataset import verify
from rainopt.image import quantise
from rainopt.io import read_image, write_image
from rainopt.parallel.processes import DIED
from tests.support.datasets import files, put, stamps, waves
from tests.support.processes import call


def synth(*arguments):
    return call(app, "synth", *arguments)


def made(*arguments, said=""):
    status, _, err = synth(*arguments)
    assert (status, err) == (0, said)


def job(source, preset, version=0, seed=0):
    return PairJob(Path(source), "x", version, "train", Path(), SynthSettings(preset=preset, seed=seed))


# Truth


KINDS = {
    "grey8.png": np.uint8,
    "rgb8.png": np.uint8,
    "rgb8.jpg": np.uint8,
    "rgb8.webp": np.uint8,
    "grey16.png": np.uint16,
    "rgb16.png": np.uint16,
    "rgb16.tif": np.uint16,
    "grey32.tif": np.uint8,
    "rgb32.tiff": np.uint8,
}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """A picture of every depth and number of channels, and a dataset of two pairs of each."""
    top = tmp_path_factory.mktemp("kinds")
    (top / "in").mkdir()
    for seed, name in enumerate(KINDS):
        bits = int(re.search(r"\d+", name)[0])
        image = waves(seed=seed, channels=1 if name.startswith("grey") else 3)
        stem, _, suffix = name.partition(".")
        file = top / "in" / f"{stem}_{suffix}.{suffix}"
        if bits == 32:
            tifffile.imwrite(file, image.astype(np.float32), photometric="minisblack" if image.ndim == 2 else "rgb")
        else:
            write_image(file, image, bits=bits)
    status, _, err = synth(top / "in", "-o", top / "out", "-p", "heavy", "-n", 2 * len(KINDS), "--val-share", 0.4)
    assert (status, err) == (0, "")
    return top


@pytest.mark.parametrize("name", KINDS)
def test_the_files_repeat_the_truth_exactly(kinds, name):
    manifest = read_manifest(kinds / "out")
    records = [r for r in manifest if r.scene == name.replace(".", "_")]
    assert len(records) == 2
    for record in records:
        clean, rainy, rain, mask = (
            read_image(manifest.path(getattr(record, kind))) for kind in ("clean", "rainy", "rain", "mask")
        )
        spec = RainSpec.from_dict(record.spec)
        assert clean.dtype == rainy.dtype == KINDS[name]
        assert clean.shape == rainy.shape
        assert clean.ndim == (2 if name.startswith("grey") else 3)
        assert (rain.dtype, mask.dtype) == (np.uint16, np.uint8)
        assert rain.shape == mask.shape == clean.shape[:2]
        np.testing.assert_array_equal(rainy, quantise(compose(clean, rain, spec.composition), rainy.dtype))
        assert set(np.unique(mask)) <= {0, 255}
        assert rain.any()
        source = read_image(kinds / "in" / record.source)
        np.testing.assert_array_equal(clean, quantise(source, clean.dtype) if source.dtype.kind == "f" else source)


def test_records_name_all_files_and_nothing_else_is_there(kinds):
    manifest = read_manifest(kinds / "out")
    assert {record.split for record in manifest} == {"train", "val"}
    assert [record.id for record in manifest] == sorted(record.id for record in manifest)
    for record in manifest:
        assert record.id.startswith(f"{record.split}/{record.scene}/00")
        assert set(record.checksums) == {record.rainy, record.clean, record.rain, record.mask}
        assert record.angle == record.spec["angle"]
    assert set(files(kinds / "out")) == {path for record in manifest for path in record.paths} | {"manifest.jsonl"}
    assert verify(kinds / "out").ok  # checksums too


def test_a_larger_picture_has_longer_streaks(here):
    put(here / "a.png", waves((160, 240)))
    put(here / "b.png", waves((320, 480)))
    small, large = (render_pair(job(file, "heavy")).spec for file in ("a.png", "b.png"))
    assert large.length == pytest.approx(2 * small.length)
    assert large.angle == small.angle


# The same bytes


def test_neither_workers_nor_order_nor_number_of_runs_change_a_byte(photos):
    made(photos, "-o", "one", "-n", 7)
    made(*sorted(photos.iterdir(), reverse=True), "-o", "two", "-n", 7, "-j", 2)
    made(photos, "-o", "three", "-n", 2)
    before = stamps(Path("three"))
    made(photos, "-o", "three", "-n", 7, said="2 of 7 pairs are there already")
    assert before.items() <= stamps(Path("three")).items()
    assert files(Path("one")) == files(Path("two")) == files(Path("three"))
    after = stamps(Path("three"))
    status, out, err = synth(photos, "-o", "three", "-n", 4)
    assert (status, err) == (0, "4 of 4 pairs are there already")
    assert "0 pairs made" in out
    assert "holds 7" in out
    assert stamps(Path("three")) == after


def test_seeds_versions_and_presets_are_other_rain_over_the_same_picture(photos):
    jobs = [
        job(photos / "a.png", preset, version, seed) for preset in PRESETS for version, seed in ((0, 0), (1, 0), (0, 1))
    ]
    pairs = [render_pair(one) for one in jobs]
    assert len({pair.rain.tobytes() for pair in pairs}) == len(jobs)
    assert len({pair.clean.tobytes() for pair in pairs}) == 1


def test_rain_of_a_job_is_that_of_a_run(photos):
    settings = SynthSettings(seed=4)
    jobs = plan_pairs([photos], Path("out"), settings)
    assert remaining(jobs, Path("out"), settings) == jobs
    record = make_pair(jobs[0])
    made(photos, "-o", "other", "-s", 4)
    assert record == read_manifest("other").records[0]
    assert json.loads(json.dumps(record.spec)) == record.spec


# Going on


@pytest.mark.parametrize("kind", ["clean", "rainy", "rain", "mask", "manifest"])
def test_after_a_file_was_deleted_or_a_line_torn_its_pair_is_made_again(photos, kind):
    made(photos, "-o", "out", "-n", 6)
    whole, before = files(Path("out")), stamps(Path("out"))
    if kind == "manifest":
        Path("out/manifest.jsonl").write_bytes(whole["manifest.jsonl"][:-40])
    else:
        (Path("out") / getattr(read_manifest("out").records[1], kind)).unlink()
    missing = 2 if kind == "clean" else 1
    made(photos, "-o", "out", "-n", 6, said=f"{6 - missing} of 6 pairs are there already")
    assert files(Path("out")) == whole
    kept = {path: stamp for path, stamp in before.items() if path.stem in "b0"}
    assert kept.items() <= stamps(Path("out")).items()


def test_an_interruption_keeps_what_was_made(photos, monkeypatch):
    def stop_at_c(job):
        if job.scene == "c":
            raise KeyboardInterrupt
        return make_pair(job)

    with monkeypatch.context() as patch:
        patch.setattr("data_tools.build.rendered.make_pair", stop_at_c)
        status, out, err = synth(photos, "-o", "out")
    assert (status, out) == (130, "")
    assert err == "interrupted: 2 made, 1 left; run the same command again to go on"
    assert verify("out").ok
    made(photos, "-o", "out", said="2 of 3 pairs are there already")
    made(photos, "-o", "other")
    assert files(Path("out")) == files(Path("other"))


def test_another_picture_under_an_old_name_is_not_mixed_in(photos):
    made(photos, "-o", "out")
    put(photos / "b.png", waves(seed=9))
    status, _, err = synth(photos, "-o", "out", "-n", 6)
    assert status == 1
    assert re.search(r"failed 'out/train/clean/b.png' shows another picture than 'photos/b.png'; remove it", err)
    assert len(read_manifest("out")) == 5
    assert verify("out").ok


# Pictures that fail


def test_bad_pictures_are_named_and_the_others_made(photos):
    alpha = np.full((20, 30, 4), 100, np.uint8)
    Image.fromarray(alpha).save(photos / "alpha [x].png")
    Image.fromarray(alpha[..., :2].copy()).save(photos / "grey_alpha.png")
    whole = (photos / "a.png").read_bytes()
    (photos / "cut.png").write_bytes(whole[: len(whole) // 2])
    (photos / "text.png").write_text("This is no picture.")
    (photos / "empty.jpg").touch()
    status, out, err = synth(photos, "-o", "out", "-n", 8)
    assert status == 1
    assert "3 pairs made" in out
    for name, reason in {
        "alpha [x].png": "has an alpha channel",
        "grey_alpha.png": "has an alpha channel",
        "cut.png": ".*(truncated|damaged|promises)",
        "text.png": "is not a PNG, JPEG",
        "empty.jpg": "is empty",
    }.items():
        assert re.search(rf"failed '{re.escape(str(photos / name))}' {reason}", err), name
    assert err.count("failed") == 5
    assert {record.scene for record in read_manifest("out")} == {"a", "b", "c"}
    assert verify("out").ok


def test_names_of_any_kind(here):
    names = ["Ünïcode ☂ 雨.png", "[bold]brackets[red].png", "a b'c\".png", "-dash.png", "x..y.png"]
    for name in names:
        put(here / "in" / name, waves())
    made("in", "-o", "out")
    records = list(read_manifest("out"))
    assert {record.scene for record in records} == {Path(name).stem for name in names}
    assert {record.source for record in records} == set(names)
    assert verify("out").pairs == len(names)
    assert verify("out").ok


@pytest.mark.parametrize("name", [b"\xff.png", b"back\\slash.png"])
def test_names_that_a_manifest_cannot_hold_fail_alone(photos, name):
    bad = photos / name.decode(errors="surrogateescape")
    try:
        bad.write_bytes((photos / "a.png").read_bytes())
    except OSError:
        pytest.skip("the file system refuses the name")
    status, out, err = synth(photos, "-o", "out")
    assert status == 1
    assert "3 pairs made" in out
    assert err.count("failed") == 1
    assert "UTF-8" in err or "backslash" in err
    assert verify("out").notes == ()


def test_a_worker_that_died_is_told_for_each_picture(photos, monkeypatch):
    monkeypatch.setattr(
        "data_tools.build.rendered.run_in_processes", lambda f, tasks, processes: ((task, None) for task in tasks)
    )
    status, _, err = synth(photos, "-o", "out", "-j", 2)
    assert status == 1
    assert all(f"'photos/{name}.png': {DIED}" in err for name in "abc")


def test_a_manifest_that_cannot_be_written_is_told(photos, monkeypatch):
    def full(*_):
        raise ManifestError("'manifest.jsonl' cannot be written (No space left on device); check the disk")

    monkeypatch.setattr("data_tools.build.rendered.append_record", full)
    status, _, err = synth(photos, "-o", "out")
    assert status == 1
    assert "No space left on device" in err
