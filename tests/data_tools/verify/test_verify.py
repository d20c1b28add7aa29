"""Datasets as wholes: each fault provoked in a good one, and found where it is."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_tools.build.rendered import finish, make_pair, note
from data_tools.build.settings import SynthSettings
from data_tools.build.synth_plan import plan_pairs, remaining
from data_tools.manifest.file import PairFrame, PairRecord, read_manifest, write_manifest
from data_tools.verify.dataset import verify
from rainopt.io import read_image, write_image
from tests.support.datasets import as_jpeg, photograph, put, rainy_of

NAMES = ("astronaut", "chelsea", "coffee")
FIRST = "train/astronaut/000"


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A dataset of ours, four pairs of three scenes."""
    top = tmp_path_factory.mktemp("good")
    for name in NAMES:
        put(top / "clean" / f"{name}.png", photograph(name))
    settings = SynthSettings(preset="heavy")
    pairs = plan_pairs([top / "clean"], top / "data", settings, 4)
    for job in remaining(pairs, top / "data", settings):
        note(job, make_pair(job))
    finish(top / "data")
    return top / "data"


@pytest.fixture
def dataset(good, tmp_path):
    return Path(shutil.copytree(good, tmp_path / "data"))


def edit(dataset, number=0, forget=False, **values):
    """Change a record and return it; with ``forget``, it has no checksums any more."""
    manifest = read_manifest(dataset)
    records = [record.model_dump() for record in manifest]
    records[number] |= values | ({"checksums": {}} if forget else {})
    write_manifest(dataset, map(PairRecord.parse, records), manifest.header)
    return read_manifest(dataset).records[number]


def pairs_in(folder, rainy="rainy/{}.png", clean="clean/{}.png", names=NAMES):
    for name in names:
        put(folder / rainy.format(name), rainy_of(photograph(name), "heavy"))
        put(folder / clean.format(name), photograph(name))
    return folder


def kinds(report):
    assert report.ok == (not report.findings)
    return [finding.kind for finding in report.findings]


def where(report):
    return {(finding.kind, finding.where) for finding in report.findings}


def test_nothing_is_found_in_a_good_dataset(good):
    seen = []
    report = verify(good, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(k, 4) for k in range(1, 5)]
    assert verify(good / "manifest.jsonl") == verify(good, "manifest") == report
    assert report.sizes == {(96, 128): 4}
    assert json.loads(json.dumps(report.as_dict())) == {
        "message": "manifest: 4 pairs of 3 scenes, split 'train'",
        "ok": True,
        "pairs": 4,
        "scenes": 3,
        "splits": {"train": 4},
        "sizes": {"96x128": 4},
        "findings": [],
        "notes": [],
    }


@pytest.mark.parametrize("kind", ["rainy", "clean", "rain", "mask"])
@pytest.mark.parametrize("forget", [False, True])
def test_a_missing_file(dataset, kind, forget):
    record = edit(dataset, 3, forget=forget)
    (dataset / getattr(record, kind)).unlink()
    report = verify(dataset)
    partner = kind in ("rainy", "clean")
    (finding,) = report.findings
    assert (finding.kind, finding.where) == ("missing", "manifest" if partner else record.id)
    assert getattr(record, kind) in finding.message
    assert report.pairs == 4 - partner


@pytest.mark.parametrize("kind", ["rainy", "clean", "rain", "mask"])
def test_a_changed_and_a_truncated_file(dataset, kind):
    record = read_manifest(dataset).records[2]
    place = dataset / getattr(record, kind)
    image = read_image(place).copy()
    image.flat[0] = np.iinfo(image.dtype).max - image.flat[0]
    write_image(place, image)
    truth = set() if kind == "mask" else {("truth", record.id)}
    assert where(verify(dataset)) == {("checksum", record.id)} | truth
    place.write_bytes(place.read_bytes()[:-200])
    edit(dataset, 2, forget=True)
    # A mask is not looked into.
    assert where(verify(dataset)) == (set() if kind == "mask" else {("corrupt", record.id)})


def test_a_file_written_anew_with_the_same_pixels_is_changed_all_the_same(dataset):
    record = read_manifest(dataset).records[2]
    Image.fromarray(read_image(dataset / record.rainy)).save(dataset / record.rainy, compress_level=0)
    assert where(verify(dataset)) == {("checksum", record.id)}


@pytest.mark.parametrize("change", [{"composition": "screen"}, {"colour": 1}, {"angle": 1000}, "level", "size"])
def test_one_level_another_spec_or_another_size_is_not_the_truth(dataset, change):
    record = edit(dataset, forget=True)
    if change == "level":
        image = read_image(dataset / record.rainy).copy()
        image[0, 0, 0] ^= 1
        write_image(dataset / record.rainy, image)
    elif change == "size":
        write_image(dataset / record.rain, read_image(dataset / record.rain)[:-1])
    else:
        edit(dataset, spec=record.spec | change)
    assert where(verify(dataset)) == {("truth", FIRST)}


def test_torn_lines_and_images_without_record_are_notes(dataset):
    manifest = dataset / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-25])
    report = verify(dataset)
    assert report.ok
    assert report.pairs == 3
    assert "problem" not in report.message
    torn, orphans = report.notes
    assert "line 5 is torn" in torn
    assert "4 images have no record, such as" in orphans


def test_frames_are_checked_with_their_checksums(tmp_path):
    clean = photograph("coffee")
    write_image(tmp_path / "clean.png", clean)
    for k in range(3):
        write_image(tmp_path / f"{k}.png", rainy_of(clean, "heavy", k))
    sums = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in tmp_path.glob("*.png")}
    frames = [PairFrame(rainy=f"{k}.png") for k in range(3)]
    write_manifest(tmp_path, [PairRecord(id="clip", clean="clean.png", frames=frames, checksums=sums)])
    assert verify(tmp_path).ok
    write_image(tmp_path / "1.png", rainy_of(clean, "heavy", 7))
    assert where(verify(tmp_path)) == {("checksum", "clip/1")}


@pytest.mark.parametrize(("quality", "said"), [(None, "looks the same as"), (75, "looks")])
def test_a_scene_that_looks_like_one_of_another_split(tmp_path, quality, said):
    pairs_in(tmp_path / "train")
    other = photograph("coffee") if quality is None else as_jpeg(photograph("coffee"), quality)
    put(tmp_path / "test" / "rainy" / "holiday.png", rainy_of(other, "heavy", 3))
    put(tmp_path / "test" / "clean" / "holiday.png", other)
    report = verify(tmp_path)
    assert kinds(report) == ["duplicate"]
    for text in (said, "holiday", "coffee", "'test'", "'train'"):
        assert text in report.findings[0].message


def test_likeness_within_a_split_and_other_pictures_are_no_fault(tmp_path):
    pairs_in(tmp_path / "train", names=["coffee", "chelsea"])
    for kind in ("rainy", "clean"):
        shutil.copy(tmp_path / "train" / kind / "coffee.png", tmp_path / "train" / kind / "again.png")
    pairs_in(tmp_path / "test", names=["astronaut"])
    report = verify(tmp_path)
    assert report.ok, report.findings
    assert report.splits == {"test": 1, "train": 3}


def test_a_scene_in_two_splits_is_found_once(dataset):
    edit(dataset, 1, split="test")
    edit(dataset, 2, split="val", scene="astronaut")
    report = verify(dataset)
    assert where(report) == {("duplicate", "train/astronaut/001"), ("duplicate", "train/chelsea/000")}
    assert len(report.findings) == 2
    assert "scene 'astronaut' is in 'val' and in 'train'" in report.findings[1].message


def test_folders_of_pairs(tmp_path):
    pairs_in(tmp_path)
    assert verify(tmp_path).ok
    (tmp_path / "clean" / "coffee.png").unlink()
    (tmp_path / "rainy" / "chelsea.png").write_text("no picture")
    for layout in (None, "folders"):
        report = verify(tmp_path, layout)
        assert where(report) == {("missing", "folders"), ("corrupt", "rainy/chelsea")}
        assert "coffee" in report.findings[0].message


def test_unpaired_pictures(tmp_path):
    for name in NAMES:
        write_image(tmp_path / f"{name}.png", photograph(name))
    report = verify(tmp_path, "unpaired")
    assert report.ok
    assert report.pairs == 3
    write_image(tmp_path / "black.png", np.zeros((20, 20), np.uint8))
    assert where(verify(tmp_path, "unpaired")) == {("range", "black")}


def test_a_plain_folder_of_pictures_is_no_dataset(tmp_path):
    for name in NAMES:
        write_image(tmp_path / f"{name}.png", photograph(name))
    (finding,) = verify(tmp_path).findings
    assert (finding.kind, finding.where) == ("no pairs", str(tmp_path))
    assert "nothing tells rainy images from clean ones here" in finding.message


@pytest.mark.slow
def test_two_workers_write_the_same_report(dataset):
    record = read_manifest(dataset).records[3]
    (dataset / record.rain).unlink()
    edit(dataset, 2, split="val", scene="astronaut")
    write_image(dataset / read_manifest(dataset).records[0].clean, photograph("astronaut", (40, 61)))
    report = verify(dataset)
    assert {"missing", "duplicate", "checksum", "truth", "misaligned"} <= set(kinds(report))
    assert verify(dataset, processes=2) == report


def test_a_worker_that_died_leaves_its_pairs_unchecked(good, monkeypatch):
    monkeypatch.setattr(
        "data_tools.verify.dataset.run_in_processes", lambda f, tasks, processes: ((t, None) for t in tasks)
    )
    report = verify(good, processes=2)
    assert kinds(report) == ["unchecked"] * 4
    assert all("worker process died" in finding.message for finding in report.findings)
