"""Datasets as wholes: each fault provoked in a good one, and found where it is."""

import hashlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from data_tools import RainSpec, add_rain
from data_tools.build.rendered import finish, make_pair, note, plan_pairs, remaining
from data_tools.layouts.read import LayoutError
from data_tools.manifest.file import ManifestError, PairFrame, PairRecord, read_manifest, write_manifest
from data_tools.verify.dataset import verify
from rainopt.io import read_image, write_image

NAMES = ("astronaut", "chelsea", "coffee")


def photograph(name, shift=0):
    return np.ascontiguousarray(getattr(data, name)()[40 : 40 + 96, 60 + shift : 60 + shift + 128])


def rainy_of(clean, seed=0):
    rng = np.random.default_rng(seed)
    return np.rint(add_rain(clean, RainSpec.sample("heavy", rng), rng).rainy * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A dataset of ours, four pairs of three scenes."""
    top = tmp_path_factory.mktemp("good")
    (top / "clean").mkdir()
    for name in NAMES:
        write_image(top / "clean" / f"{name}.png", photograph(name))
    pairs = plan_pairs([top / "clean"], top / "data", preset="heavy", count=4)
    for job in remaining(pairs, top / "data", {}):
        note(job, make_pair(job))
    finish(top / "data")
    return top / "data"


@pytest.fixture
def dataset(good, tmp_path):
    return Path(shutil.copytree(good, tmp_path / "data"))


def edit(dataset, number=0, forget=False, **values):
    """Change a record; with ``forget``, its checksums follow the files."""
    manifest = read_manifest(dataset)
    records = [record.model_dump() for record in manifest]
    records[number] |= values
    if forget:
        records[number]["checksums"] = {}
    write_manifest(dataset, [PairRecord.parse(values) for values in records], manifest.header)
    return read_manifest(dataset).records[number]


def pairs_in(folder, rainy="rainy/{}.png", clean="clean/{}.png", names=NAMES):
    for name in names:
        for path, image in ((rainy, rainy_of(photograph(name))), (clean, photograph(name))):
            place = folder / path.format(name)
            place.parent.mkdir(parents=True, exist_ok=True)
            write_image(place, image)
    return folder


def kinds(report):
    assert report.ok == (not report.findings)
    return [finding.kind for finding in report.findings]


def where(report):
    return {(finding.kind, finding.where) for finding in report.findings}


FIRST = "train/astronaut/000"


# Good datasets


def test_nothing_is_found_in_a_good_dataset(good):
    report = verify(good)
    assert report.ok
    assert (report.pairs, report.scenes, report.findings, report.notes) == (4, 3, (), ())
    assert report.splits == {"train": 4}
    assert report.sizes == {(96, 128): 4}
    assert verify(good / "manifest.jsonl") == verify(good, "manifest") == report


def test_a_report_can_be_json(good):
    report = json.loads(json.dumps(verify(good).as_dict()))
    assert report == {
        "message": "manifest: 4 pairs of 3 scenes, split 'train'",
        "ok": True,
        "pairs": 4,
        "scenes": 3,
        "splits": {"train": 4},
        "sizes": {"96x128": 4},
        "findings": [],
        "notes": [],
    }


def test_progress_counts_to_the_end(good):
    seen = []
    verify(good, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(k, 4) for k in range(1, 5)]


def test_an_empty_manifest_is_a_dataset_that_was_begun(tmp_path):
    write_manifest(tmp_path, [])
    report = verify(tmp_path)
    assert report.ok
    assert report.message == "manifest: no pair"


# Missing, changed and torn


@pytest.mark.parametrize("kind", ["rainy", "clean"])
def test_a_partner_is_missing(dataset, kind):
    record = read_manifest(dataset).records[-1]
    (dataset / getattr(record, kind)).unlink()
    report = verify(dataset)
    assert kinds(report) == ["missing"]
    assert f"record '{record.id}': '{getattr(record, kind)}' is missing" in report.findings[0].message
    assert report.pairs == 3


@pytest.mark.parametrize("kind", ["rain", "mask"])
@pytest.mark.parametrize("forget", [False, True])
def test_a_layer_is_missing(dataset, kind, forget):
    record = edit(dataset, forget=forget)
    (dataset / getattr(record, kind)).unlink()
    report = verify(dataset)
    assert where(report) == {("missing", FIRST)}
    assert len(report.findings) == 1
    assert getattr(record, kind) in report.findings[0].message


@pytest.mark.parametrize("kind", ["rainy", "clean", "rain"])
def test_a_truncated_file(dataset, kind):
    record = edit(dataset, 2, forget=True)
    place = dataset / getattr(record, kind)
    place.write_bytes(place.read_bytes()[:-200])
    assert where(verify(dataset)) == {("corrupt", record.id)}


@pytest.mark.parametrize("kind", ["rainy", "clean", "rain", "mask"])
def test_a_changed_file(dataset, kind):
    record = read_manifest(dataset).records[2]
    place = dataset / getattr(record, kind)
    image = read_image(place).copy()
    image.flat[0] = np.iinfo(image.dtype).max - image.flat[0]
    write_image(place, image)
    report = verify(dataset)
    truth = set() if kind == "mask" else {("truth", record.id)}
    assert where(report) == {("checksum", record.id)} | truth


def test_a_file_written_anew_with_the_same_pixels_is_changed_all_the_same(dataset):
    record = read_manifest(dataset).records[2]
    Image.fromarray(read_image(dataset / record.rainy)).save(dataset / record.rainy, compress_level=0)
    assert where(verify(dataset)) == {("checksum", record.id)}


def test_one_level_in_one_pixel_is_not_the_truth(dataset):
    record = edit(dataset, 1, forget=True)
    image = read_image(dataset / record.rainy).copy()
    image[0, 0, 0] ^= 1
    write_image(dataset / record.rainy, image)
    assert where(verify(dataset)) == {("truth", record.id)}


@pytest.mark.parametrize("spec", [{"composition": "screen"}, {"colour": 1}, {"angle": 1000}])
def test_another_spec_is_not_the_truth(dataset, spec):
    record = read_manifest(dataset).records[0]
    edit(dataset, spec=record.spec | spec)
    assert where(verify(dataset)) == {("truth", FIRST)}


def test_a_layer_of_another_size_is_not_the_truth(dataset):
    record = edit(dataset, forget=True)
    write_image(dataset / record.rain, read_image(dataset / record.rain)[:-1])
    assert where(verify(dataset)) == {("truth", FIRST)}


def test_a_torn_line_is_a_note(dataset):
    manifest = dataset / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-25])
    report = verify(dataset)
    assert report.ok
    assert report.pairs == 3
    assert "problem" not in report.message
    torn, orphans = report.notes
    assert "line 5 is torn" in torn
    assert "images have no record" in orphans


def test_images_without_record_are_a_note(dataset):
    write_image(dataset / "left.png", photograph("coffee"))
    report = verify(dataset)
    assert report.ok
    assert "1 images have no record, such as" in report.notes[0]
    assert "left.png" in report.notes[0]


@pytest.mark.parametrize("path", ["../other.png", "/etc/other.png", "a/../../b.png", "C:/x.png"])
@pytest.mark.parametrize("field", ["rainy", "rain", "checksums"])
def test_paths_that_leave_the_dataset_are_refused(dataset, path, field):
    manifest = dataset / "manifest.jsonl"
    first, second, *rest = manifest.read_text().splitlines()
    values = json.loads(second)
    values[field] = {path: hashlib.sha256().hexdigest()} if field == "checksums" else path
    manifest.write_text("\n".join([first, json.dumps(values), *rest, ""]))
    with pytest.raises((ManifestError, LayoutError), match="line 2"):
        verify(dataset)


# Sequences


def test_frames_are_checked_with_their_checksums(tmp_path):
    clean = photograph("coffee")
    write_image(tmp_path / "clean.png", clean)
    for k in range(3):
        write_image(tmp_path / f"{k}.png", rainy_of(clean, k))
    sums = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in tmp_path.glob("*.png")}
    frames = [PairFrame(rainy=f"{k}.png") for k in range(3)]
    write_manifest(tmp_path, [PairRecord(id="clip", clean="clean.png", frames=frames, checksums=sums)])
    assert verify(tmp_path).ok
    write_image(tmp_path / "1.png", rainy_of(clean, 7))
    assert where(verify(tmp_path)) == {("checksum", "clip/1")}


# Splits


def as_jpeg(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=75)
    return np.asarray(Image.open(file))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda image: image, "looks the same as"),
        (as_jpeg, "looks"),
        (lambda image: np.clip(image * 1.03 + 3, 0, 255).astype(np.uint8), "looks"),
    ],
)
def test_a_scene_that_looks_like_one_of_another_split(tmp_path, change, said):
    pairs_in(tmp_path / "train")
    pairs_in(tmp_path / "test", names=["coffee"])
    other = change(photograph("coffee"))
    for name, image in (("rainy", rainy_of(other, 3)), ("clean", other)):
        (tmp_path / "test" / name / "coffee.png").rename(tmp_path / "test" / name / "holiday.png")
        write_image(tmp_path / "test" / name / "holiday.png", image)
    report = verify(tmp_path)
    assert kinds(report) == ["duplicate"]
    assert said in report.findings[0].message
    for text in ("holiday", "coffee", "'test'", "'train'"):
        assert text in report.findings[0].message


def test_likeness_within_a_split_and_other_pictures_are_no_fault(tmp_path):
    pairs_in(tmp_path / "train", names=["coffee", "chelsea"])
    for kind in ("rainy", "clean"):
        shutil.copy(tmp_path / "train" / kind / "coffee.png", tmp_path / "train" / kind / "again.png")
    pairs_in(tmp_path / "test", names=["astronaut"])
    report = verify(tmp_path)
    assert report.ok, report.findings
    assert report.splits == {"test": 1, "train": 3}


def test_a_scene_of_one_name_in_two_splits(dataset):
    manifest = read_manifest(dataset)
    edit(dataset, 2, split="val", scene=manifest.records[0].scene)
    report = verify(dataset)
    assert kinds(report) == ["duplicate"]
    assert "scene 'astronaut' is in 'val' and in 'train'" in report.findings[0].message


def test_versions_of_a_scene_in_two_splits_are_found_once(dataset):
    edit(dataset, 1, split="test")
    report = verify(dataset)
    assert where(report) == {("duplicate", "train/astronaut/001")}
    assert len(report.findings) == 1


# Other layouts


@pytest.mark.parametrize("layout", [None, "folders"])
def test_folders_of_pairs(tmp_path, layout):
    pairs_in(tmp_path)
    report = verify(tmp_path, layout)
    assert report.ok
    assert report.pairs == 3
    (tmp_path / "clean" / "coffee.png").unlink()
    report = verify(tmp_path, layout)
    assert kinds(report) == ["missing"]
    assert "coffee" in report.findings[0].message
    (tmp_path / "rainy" / "chelsea.png").write_text("no picture")
    assert where(verify(tmp_path, layout)) == {("missing", "folders"), ("corrupt", "rainy/chelsea")}


def test_rain1400(tmp_path):
    for k, name in enumerate(NAMES, 1):
        for version in (1, 2):
            pairs_in(tmp_path, f"rainy_image/{k}_{version}.jpg", f"ground_truth/{k}.jpg", [name])
    report = verify(tmp_path)
    assert report.message.startswith("Rain1400: 2 rainy images for each of 3 clean ones")
    assert report.ok, report.findings
    assert (report.pairs, report.scenes) == (6, 3)
    write_image(tmp_path / "rainy_image" / "2_1.jpg", photograph("chelsea")[:80])
    assert where(verify(tmp_path)) == {("size", "rainy_image/2_1")}
    (tmp_path / "ground_truth" / "1.jpg").unlink()
    assert kinds(verify(tmp_path)).count("missing") == 2


def test_spa_list(tmp_path):
    pairs_in(tmp_path / "real_world")
    lines = [f"/real_world/rainy/{name}.png /real_world/clean/{name}.png" for name in NAMES]
    (tmp_path / "real_world.txt").write_text("\n".join(lines))
    report = verify(tmp_path)
    assert report.ok, report.findings
    assert report.message.startswith("SPA-Data")
    assert verify(tmp_path / "real_world.txt").pairs == 3
    (tmp_path / "real_world.txt").write_text("\n".join([*lines, "rainy/x.png clean/x.png"]))
    report = verify(tmp_path)
    assert kinds(report) == ["missing"]
    assert "'real_world.txt', line 4: 'rainy/x.png' is missing" in report.findings[0].message
    (tmp_path / "real_world" / "rainy" / "coffee.png").write_bytes(b"")
    assert ("corrupt", "real_world/rainy/coffee") in where(verify(tmp_path))


def test_unpaired_pictures(tmp_path):
    for name in NAMES:
        write_image(tmp_path / f"{name}.png", photograph(name))
    report = verify(tmp_path, "unpaired")
    assert report.ok
    assert report.pairs == 3
    write_image(tmp_path / "black.png", np.zeros((20, 20), np.uint8))
    assert where(verify(tmp_path, "unpaired")) == {("range", "black")}


def test_what_is_no_dataset(tmp_path):
    (tmp_path / "empty").mkdir()
    for path in ("nowhere", "empty"):
        with pytest.raises(LayoutError, match=path):
            verify(tmp_path / path)


# Workers


def test_two_workers_write_the_same_report(dataset):
    record = read_manifest(dataset).records[3]
    (dataset / record.rain).unlink()
    edit(dataset, 2, split="val", scene="astronaut")
    image = photograph("astronaut", 1)
    write_image(dataset / read_manifest(dataset).records[0].clean, image)
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
