"""Datasets of rendered rain as files: the truth in them, the same bytes whatever the way, and going on."""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from typer.testing import CliRunner

from benchmarks.layer_angle import layer_angle
from data_tools import PRESETS, RainSpec, compose
from data_tools.build.rendered import PairJob, SynthError, make_pair, plan_pairs, remaining, render_pair
from data_tools.commands import main as cli
from data_tools.manifest.file import ManifestError, read_manifest
from data_tools.manifest.paths import checksum
from data_tools.verify.dataset import verify
from rainopt.image import quantise
from rainopt.io import read_image, write_image
from rainopt.parallel.processes import DIED


def picture(size=(40, 56), seed=0, channels=3):
    y, x = np.mgrid[: size[0], : size[1]]
    rng = np.random.default_rng(seed)
    waves = [0.45 + 0.25 * np.sin(x / rng.uniform(3, 9) + k) * np.cos(y / rng.uniform(3, 9)) for k in range(channels)]
    return np.stack(waves, axis=-1) if channels > 1 else waves[0]


def save(path, seed=0, size=(40, 56)):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, picture(size, seed))
    return path


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def stamps(folder):
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*.png")}


def synth(*arguments):
    """Run the command in this process; return status, standard output and error without frames and line breaks."""
    result = CliRunner().invoke(cli.app, ["synth", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    plain = re.sub(r"\x1b\[[\d;]*m", "", result.stderr)
    return result.exit_code, result.stdout, " ".join(re.sub(r"[│╭╮╰╯─]", " ", plain).split())


def made(*arguments, said=""):
    status, _, err = synth(*arguments)
    assert (status, err) == (0, said)


def refused(*arguments):
    before = files(Path())
    status, out, err = synth(*arguments)
    assert (status, out) == (2, "")
    assert files(Path()) == before
    return err


def names(pairs):
    return [(pair.scene, pair.version) for pair in pairs]


def plan(*clean, folder=None, preset="medium", **options):
    return plan_pairs(clean, folder, preset=preset, **options)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photos(here):
    for k, name in enumerate("abc"):
        save(here / "photos" / f"{name}.png", seed=k)
    return Path("photos")


# The plan


def test_every_picture_has_one_pair_unless_a_number_is_asked_for(photos):
    assert names(plan(photos)) == [("a", 0), ("b", 0), ("c", 0)]
    assert names(plan(photos, count=2)) == [("a", 0), ("b", 0)]
    assert names(plan(photos, count=5)) == [("a", 0), ("b", 0), ("c", 0), ("a", 1), ("b", 1)]


@pytest.mark.parametrize("count", [1, 3, 7, 40])
def test_numbers_are_dealt_evenly_and_a_larger_one_begins_with_the_smaller(photos, count):
    versions = Counter(pair.scene for pair in plan(photos, count=count))
    assert sum(versions.values()) == count
    assert max(versions.values()) - min(versions.get(scene, 0) for scene in "abc") <= 1
    assert plan(photos, count=count + 5)[:count] == plan(photos, count=count)


def test_the_order_of_the_arguments_says_nothing(photos):
    one_by_one = [photos / f"{name}.png" for name in "cab"]
    assert plan(*one_by_one, count=5) == plan(photos, count=5)


def test_a_large_plan_is_quick_to_make(here):
    for k in range(400):
        (here / f"{k}.png").touch()
    assert len(plan(here, count=40_000)) == 40_000


def test_folders_become_part_of_the_name_and_a_file_named_twice_is_one(here):
    save(here / "p" / "one.png")
    save(here / "p" / "deep down" / "two.JPG")
    (here / "p" / "notes.txt").write_text("no picture")
    (here / "p" / ".hidden.png").write_text("no picture")
    (here / "p" / ".cache").mkdir()
    (here / "p" / ".cache" / "c.png").write_text("no picture")
    assert names(plan("p")) == [("deep down__two", 0), ("one", 0)]
    assert plan("p", "p/one.png", "p/deep down") == plan("p/deep down/two.JPG", "p") == plan("p")


def test_versions_of_a_scene_share_a_split_of_about_the_share_asked_for(here):
    for k in range(400):
        (here / f"{k}.png").touch()
    pairs = plan(here, count=1200, val_share=0.25)
    splits = {pair.scene: pair.split for pair in pairs}
    assert all(pair.split == splits[pair.scene] for pair in pairs)
    assert 0.2 < Counter(splits.values())["val"] / 400 < 0.3
    other = {pair.scene: pair.split for pair in plan(here, val_share=0.25, seed=1)}
    assert other != splits
    larger = {pair.scene: pair.split for pair in plan(here, val_share=0.5)}
    assert all(larger[scene] == "val" for scene, split in splits.items() if split == "val")
    assert {pair.split for pair in plan(here)} == {"train"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"preset": "fog"}, "`preset` must be one of light, medium, heavy, multi, got 'fog'"),
        ({"count": 0}, "`count` must be at least 1"),
        ({"seed": -1}, "`seed` at least 0"),
        ({"val_share": 1.0}, r"`val_share` in \[0, 1\)"),
        ({"val_share": float("nan")}, r"`val_share` in \[0, 1\)"),
    ],
)
def test_settings_out_of_their_range(photos, options, said):
    with pytest.raises(SynthError, match=said):
        plan(photos, **options)


def test_arguments_that_are_no_pictures(photos):
    Path("empty").mkdir()
    Path("notes.txt").write_text("no picture")
    for arguments, said in (
        (["photos", "nowhere"], "'nowhere' does not exist"),
        (["photos", "empty"], "'empty' holds no image"),
        (["photos", "notes.txt"], "'notes.txt' is no image"),
        ([], "no clean picture"),
    ):
        with pytest.raises(SynthError, match=said):
            plan(*arguments)


@pytest.mark.parametrize("others", [["x/a.png"], ["photos/a.jpg"], ["photos/s__d.png", "photos/s/d.png"]])
def test_two_pictures_of_one_name_are_refused_with_both(photos, others):
    for other in others:
        save(Path(other))
    with pytest.raises(SynthError, match=r"'.*' and '.*' would be one scene, '(a|s__d)'; rename"):
        plan(photos, Path(others[0]).parent)


def test_pictures_inside_the_dataset_are_no_input(photos):
    made(photos, "-o", "photos/data")
    made(photos, "-o", "photos/data", said="3 of 3 pairs are there already")
    assert len(read_manifest("photos/data")) == 3
    assert "'photos/data' holds no image" in refused("photos/data", "-o", "photos/data")
    # A folder of a longer name is another one.
    save(Path("photos/data2/d.png"))
    assert ("data2__d", 0) in names(plan(photos, folder=Path("photos/data")))


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
        image = picture(seed=seed, channels=1 if name.startswith("grey") else 3)
        if bits == 32:
            photometric = "minisblack" if image.ndim == 2 else "rgb"
            tifffile.imwrite(top / "in" / name, image.astype(np.float32), photometric=photometric)
        else:
            write_image(top / "in" / name, image, bits=bits)
    for name in KINDS:
        stem, _, suffix = name.partition(".")
        (top / "in" / name).rename(top / "in" / f"{stem}_{suffix}.{suffix}")
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


def test_a_record_tells_all_of_a_pair(kinds):
    manifest = read_manifest(kinds / "out")
    assert {record.split for record in manifest} == {"train", "val"}
    assert [record.id for record in manifest] == sorted(record.id for record in manifest)
    for record in manifest:
        assert record.id.startswith(f"{record.split}/{record.scene}/00")
        assert set(record.checksums) == {record.rainy, record.clean, record.rain, record.mask}
        assert all(checksum(manifest.path(path)) == digest for path, digest in record.checksums.items())
        assert record.angle == record.spec["angle"]
    named = {path for record in manifest for path in record.paths}
    assert set(files(kinds / "out")) == named | {"manifest.jsonl"}
    assert verify(kinds / "out").ok


@pytest.mark.parametrize("preset", ["light", "medium", "heavy"])
def test_the_recorded_angle_is_the_direction_of_the_layer(here, preset):
    save(here / "a.png", size=(640, 640))
    for version in range(5):
        pair = render_pair(PairJob(Path("a.png"), "a", version, preset, 3, "train", here))
        assert layer_angle(pair.rain / 65535) == pytest.approx(pair.spec.angle, abs=1.0)


def test_several_directions_lie_around_the_recorded_angle(here):
    save(here / "a.png")
    for version in range(10):
        spec = render_pair(PairJob(Path("a.png"), "a", version, "multi", 0, "train", here)).spec
        assert len(spec.directions) in (2, 3)
        assert sum(d.turn for d in spec.directions) == pytest.approx(0, abs=1e-2)


def test_a_larger_picture_has_longer_streaks(here):
    save(here / "a.png", size=(320, 480))
    save(here / "b.png", size=(640, 960))
    small, large = (render_pair(PairJob(Path(f), "x", 0, "heavy", 0, "train", here)).spec for f in ("a.png", "b.png"))
    assert large.length == pytest.approx(2 * small.length)
    assert large.angle == small.angle


# The same bytes


def test_neither_workers_nor_order_nor_number_of_runs_change_a_byte(photos):
    made(photos, "-o", "one", "-n", 7)
    made(*sorted(photos.iterdir(), reverse=True), "-o", "two", "-n", 7, "-j", 2)
    made(photos, "-o", "three", "-n", 2)
    made(photos, "-o", "three", "-n", 7, said="2 of 7 pairs are there already")
    assert files(Path("one")) == files(Path("two")) == files(Path("three"))


def test_another_seed_is_other_rain(photos):
    made(photos, "-o", "one")
    made(photos, "-o", "two", "-s", 1)
    one, two = files(Path("one")), files(Path("two"))
    assert set(one) == set(two)
    assert all((one[name] == two[name]) == ("/clean/" in name) for name in one)


def test_versions_and_presets_differ(photos):
    jobs = [PairJob(photos / "a.png", "a", k, preset, 0, "train", Path()) for k in range(2) for preset in PRESETS]
    assert len({render_pair(job).rain.tobytes() for job in jobs}) == 2 * len(PRESETS)


def test_a_larger_number_adds_and_leaves_what_is_there(photos):
    made(photos, "-o", "out", "-n", 3)
    before = stamps(Path("out"))
    made(photos, "-o", "out", "-n", 8, said="3 of 8 pairs are there already")
    assert len(read_manifest("out")) == 8
    assert before.items() <= stamps(Path("out")).items()
    everything = stamps(Path("out"))
    status, out, err = synth(photos, "-o", "out", "-n", 4)
    assert (status, err) == (0, "4 of 4 pairs are there already")
    assert "0 pairs made" in out
    assert "holds 8" in out
    assert stamps(Path("out")) == everything


# Going on


def test_after_a_torn_line_the_same_command_completes_it(photos):
    made(photos, "-o", "out")
    whole = files(Path("out"))
    manifest = Path("out/manifest.jsonl")
    manifest.write_bytes(whole["manifest.jsonl"][:-40])
    report = verify("out")
    assert report.ok
    assert report.pairs == 2
    assert any("torn" in note for note in report.notes)
    assert any("have no record" in note for note in report.notes)
    assert synth(photos, "-o", "out")[0] == 0
    assert files(Path("out")) == whole


@pytest.mark.parametrize("kind", ["clean", "rainy", "rain", "mask"])
def test_after_a_file_was_deleted_its_pair_is_made_again(photos, kind):
    made(photos, "-o", "out", "-n", 6)
    whole, before = files(Path("out")), stamps(Path("out"))
    lost = Path("out") / read_manifest("out").records[1].model_dump()[kind]
    lost.unlink()
    missing = 2 if kind == "clean" else 1
    made(photos, "-o", "out", "-n", 6, said=f"{6 - missing} of 6 pairs are there already")
    assert files(Path("out")) == whole
    kept = {path: stamp for path, stamp in before.items() if "/a" not in path.as_posix()}
    assert kept.items() <= stamps(Path("out")).items()


def test_what_a_kill_at_the_very_beginning_leaves_is_no_obstacle(photos):
    Path("out").mkdir()
    digest = hashlib.sha256(b"manifest.jsonl").hexdigest()[:16]
    Path(f"out/.{digest}.99999999.0a0b0c0d.tmp").write_text('{"form')
    made(photos, "-o", "out")
    made(photos, "-o", "other")
    assert files(Path("out")) == files(Path("other"))


def test_an_interruption_keeps_what_was_made(photos, monkeypatch):
    def stop_at_c(job):
        if job.scene == "c":
            raise KeyboardInterrupt
        return make_pair(job)

    with monkeypatch.context() as patch:
        patch.setattr("data_tools.commands.synth.make_pair", stop_at_c)
        status, out, err = synth(photos, "-o", "out")
    assert (status, out) == (130, "")
    assert err == "interrupted: 2 made, 1 left; run the same command again to go on"
    assert verify("out").ok
    made(photos, "-o", "out", said="2 of 3 pairs are there already")
    made(photos, "-o", "other")
    assert files(Path("out")) == files(Path("other"))


@pytest.mark.parametrize(
    "other",
    [["-s", "1"], ["-p", "light"], ["--val-share", "0.5"], ["--licence", "CC0"]],
)
def test_other_settings_on_a_dataset_are_refused(photos, other):
    made(photos, "-o", "out")
    assert "use the same settings or another folder" in refused(photos, "-o", "out", *other)


def test_folders_that_hold_something_else_are_refused(photos):
    Path("foreign").mkdir()
    Path("foreign/diary.txt").write_text("mine")
    Path("broken").mkdir()
    Path("broken/manifest.jsonl").write_text("{}\n")
    assert "'foreign' is not empty and holds no manifest.jsonl" in refused(photos, "-o", "foreign")
    assert "`format` must be" in refused(photos, "-o", "broken")
    assert "is not empty" in refused(photos, "-o", "foreign/diary.txt")
    assert "cannot be used" in refused(photos, "-o", "foreign/diary.txt/below")


def test_another_picture_under_an_old_name_is_not_mixed_in(photos):
    made(photos, "-o", "out")
    save(photos / "b.png", seed=9)
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
    again = synth(photos, "-o", "out", "-n", 8, "-j", 2)
    assert again[0] == 1
    assert again[2].count("failed") == 5


@pytest.mark.parametrize(
    "name", ["Ünïcode ☂ 雨.png", "[bold]brackets[red].png", "a b'c\".png", "-dash.png", "x..y.png"]
)
def test_names_of_any_kind(here, name):
    save(here / "in" / name)
    made("in", "-o", "out")
    (record,) = read_manifest("out")
    assert record.scene == Path(name).stem
    assert record.source == name
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
        "data_tools.commands.synth.run_in_processes", lambda f, tasks, processes: ((task, None) for task in tasks)
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


def test_rain_of_a_job_is_that_of_a_run(photos):
    jobs = plan(photos, folder=Path("out"), seed=4)
    assert remaining(jobs, Path("out"), {}) == jobs
    record = make_pair(jobs[0])
    made(photos, "-o", "other", "-s", 4)
    assert record == read_manifest("other").records[0]
    assert json.loads(json.dumps(record.spec)) == record.spec
