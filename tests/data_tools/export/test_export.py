"""Datasets in the forms that training programs read, read back with the libraries those programs use."""

import errno
import gc
import json
import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from data_tools.commands.export import follow_export
from data_tools.export import shards as _export_shards
from data_tools.export import spa as _export_spa
from data_tools.export.dataset import ExportError, export_dataset
from data_tools.export.keys import make_keys
from data_tools.layouts.read import read_dataset
from data_tools.manifest.file import ManifestHeader, PairRecord, read_manifest, write_manifest
from data_tools.manifest.paths import checksum
from rainopt.io import write_image
from rainopt.io.atomic import WriteError

PLAN = ".rainopt-export.json"
SMALL = 20480  # two tar records: a handful of these pictures


def picture(place, seed, shape=(6, 8)):
    place.parent.mkdir(parents=True, exist_ok=True)
    write_image(place, np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8))
    return place


@pytest.fixture
def dataset(tmp_path):
    """A dataset of ours: 20 training pairs of two scenes with masks and valid pixels, 3 of val without."""
    folder, records = tmp_path / "data", []
    for k in range(23):
        split = "train" if k < 20 else "val"
        kinds = ("rainy", "clean", "mask", "valid") if k < 20 else ("rainy", "clean")
        paths = {kind: f"{split}/{kind}/{k:03}.png" for kind in kinds}
        sums = {path: checksum(picture(folder / path, [k, n])) for n, path in enumerate(paths.values())}
        extra = {"valid": paths.pop("valid")} if "valid" in paths else {}
        records.append(
            PairRecord(
                id=f"{split}/{k:03}",
                **paths,
                scene=f"s{k % 2}",
                split=split,
                source="a film",
                licence="CC0" if k else "",
                angle=k - 5.0,
                checksums=sums,
                **extra,
            )
        )
    write_manifest(folder, records, ManifestHeader(licence="CC-BY"))
    return folder


def edit(dataset, number, **values):
    manifest = read_manifest(dataset)
    records = [record.model_dump() for record in manifest]
    records[number] |= values
    write_manifest(dataset, [PairRecord.parse(values) for values in records], manifest.header)


def shards(folder):
    """Return every file of every shard: (shard, member) and its bytes, in order."""
    found = {}
    for place in sorted(folder.rglob("*.tar")):
        with tarfile.open(place) as tar:
            for member in tar:
                found[place.relative_to(folder).as_posix(), member.name] = tar.extractfile(member).read()
    return found


def visible(folder):
    return sorted(
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")
    )


def contents(folder):
    return {name: (folder / name).read_bytes() for name in visible(folder)}


def temporaries(folder):
    return list(folder.rglob("*.tmp"))


# Shards


def test_members_are_the_files_and_what_is_known_about_them(dataset, tmp_path):
    done = export_dataset(dataset, tmp_path / "out", "webdataset")
    assert (done.pairs, done.failures, done.notes, done.kept) == (23, (), (), 0)
    assert done.files == ("train/train-000000.tar", "val/val-000000.tar")
    found = {name: content for (_, name), content in shards(tmp_path / "out").items()}
    assert len(found) == 20 * 5 + 3 * 3
    for record in read_manifest(dataset):
        key = record.id.replace("/", "__")
        paths = {"rainy": record.rainy, "clean": record.clean, "mask": record.mask, "valid": record.extra.get("valid")}
        for kind, path in paths.items():
            name = f"{key}.{kind}.png"
            assert (found[name] == (dataset / path).read_bytes()) if path else (name not in found)
        assert json.loads(found[f"{key}.json"]) == {
            "id": record.id,
            "scene": record.scene,
            "split": record.split,
            "angle": record.angle,
            "licence": record.licence or "CC-BY",
            "source": "a film",
            "height": 6,
            "width": 8,
        }


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.filterwarnings("ignore:.*unclosed.*:pytest.PytestUnraisableExceptionWarning")
def test_the_webdataset_library_reads_it(dataset, tmp_path):
    import webdataset

    export_dataset(dataset, tmp_path / "out", "webdataset", shard_bytes=SMALL)
    urls = sorted(map(str, (tmp_path / "out" / "train").glob("*.tar")))
    assert len(urls) > 3
    samples = list(webdataset.WebDataset(urls, shardshuffle=False))
    assert len(samples) == 20
    for sample in samples:
        number = sample["__key__"].removeprefix("train__")
        for kind in ("rainy", "clean", "mask", "valid"):
            assert sample[f"{kind}.png"] == (dataset / "train" / kind / f"{number}.png").read_bytes()
        assert json.loads(sample["json"])["id"] == f"train/{number}"
    decoded = next(iter(webdataset.WebDataset(urls, shardshuffle=False).decode("rgb8").to_tuple("rainy.png", "json")))
    assert decoded[0].shape == (6, 8, 3)
    gc.collect()  # what the library leaves open is closed while the warning is filtered


@pytest.mark.parametrize("shard_bytes", [1024, 10240, SMALL, 10**9])
def test_each_sample_is_whole_in_one_shard_within_the_limit(dataset, tmp_path, shard_bytes):
    out = tmp_path / "out"
    export_dataset(dataset, out, "webdataset", shard_bytes=shard_bytes)
    places: dict[str, set] = {}
    members: dict[str, list] = {}
    for shard, name in shards(out):
        key, _, rest = name.partition(".")
        places.setdefault(key, set()).add(shard)
        members.setdefault(key, []).append(rest)
    assert len(places) == 23
    assert all(len(where) == 1 for where in places.values())
    full = ["rainy.png", "clean.png", "mask.png", "valid.png", "json"]
    assert all(m == (full if key[:5] == "train" else [*full[:2], "json"]) for key, m in members.items())
    one_each = shard_bytes == 1024
    assert all(p.stat().st_size <= shard_bytes or one_each for p in out.rglob("*.tar"))
    index = json.loads((out / "index.json").read_text())
    assert sum(shard["samples"] for shard in index["shards"]) == 23
    assert {s["path"]: s["bytes"] for s in index["shards"]} == {
        p.relative_to(out).as_posix(): p.stat().st_size for p in out.rglob("*.tar")
    }
    assert {name: split["samples"] for name, split in index["splits"].items()} == {"train": 20, "val": 3}
    assert one_each is (len(index["shards"]) == 23)


def test_the_same_dataset_gives_the_same_bytes_wherever_it_lies(dataset, tmp_path):
    export_dataset(dataset, tmp_path / "1", "webdataset", shard_bytes=SMALL)
    shutil.copytree(dataset, tmp_path / "elsewhere" / "copy", copy_function=shutil.copyfile)
    export_dataset(tmp_path / "elsewhere" / "copy", tmp_path / "2", "webdataset", shard_bytes=SMALL)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")
    with tarfile.open(tmp_path / "1" / "val" / "val-000000.tar") as tar:
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in tar} == {(0, 0, 0, "", "", 0o644)}


def test_neighbours_are_apart_unless_order_is_asked_for(dataset, tmp_path):
    def order(folder):
        return [json.loads(c)["id"] for (_, name), c in shards(folder).items() if name.endswith(".json")]

    export_dataset(dataset, tmp_path / "1", "webdataset", shard_bytes=SMALL)
    export_dataset(dataset, tmp_path / "2", "webdataset", shard_bytes=SMALL, shuffle=False)
    in_order = [record.id for record in read_manifest(dataset)]
    assert order(tmp_path / "2") == in_order
    assert order(tmp_path / "1") != in_order
    assert sorted(order(tmp_path / "1")) == in_order


def test_one_split_only(dataset, tmp_path):
    done = export_dataset(dataset, tmp_path / "out", "webdataset", split="val")
    assert (done.pairs, done.files) == (3, ("val/val-000000.tar",))
    assert done.notes == ("left out: 20 pairs not in split 'val'",)
    with pytest.raises(ExportError, match=r"no pair to export in split 'test'; its splits are: 'train', 'val'"):
        export_dataset(dataset, tmp_path / "other", "webdataset", split="test")
    assert not (tmp_path / "other").exists()


def test_a_dataset_without_manifest_and_splits(tmp_path):
    for name in ("a.JPG", "b.png"):
        picture(tmp_path / "data" / "rainy" / name, 1)
        picture(tmp_path / "data" / "clean" / name, 2)
    done = export_dataset(tmp_path / "data", tmp_path / "out", "webdataset", shuffle=False)
    assert done.files == ("all/all-000000.tar",)
    found = {name: content for (_, name), content in shards(tmp_path / "out").items()}
    keys = ["rainy__a", "rainy__b"]
    ends = [(".rainy.jpg", ".clean.jpg", ".json"), (".rainy.png", ".clean.png", ".json")]
    assert list(found) == [key + end for key, own in zip(keys, ends, strict=True) for end in own]
    assert found["rainy__a.rainy.jpg"] == (tmp_path / "data" / "rainy" / "a.JPG").read_bytes()


def test_sequences_go_frame_by_frame(tmp_path):
    data = tmp_path / "data"
    for k, name in enumerate(("clean", "0", "1", "own", "valid", "own_valid", "mask")):
        picture(data / f"{name}.png", k)
    frames = [{"rainy": "0.png", "mask": "mask.png"}, {"rainy": "1.png", "clean": "own.png", "valid": "own_valid.png"}]
    sums = {path: checksum(data / path) for path in ("0.png", "valid.png")}
    record = {"id": "clip", "clean": "clean.png", "frames": frames, "checksums": sums, "valid": "valid.png"}
    write_manifest(data, [PairRecord.parse(record)])
    assert export_dataset(data, tmp_path / "out", "webdataset", shuffle=False).pairs == 2
    found = {name: content for (_, name), content in shards(tmp_path / "out").items() if not name.endswith("json")}
    expected = {
        "clip__0": {"rainy": "0", "clean": "clean", "mask": "mask", "valid": "valid"},
        "clip__1": {"rainy": "1", "clean": "own", "valid": "own_valid"},
    }
    assert found == {
        f"{key}.{kind}.png": (data / f"{file}.png").read_bytes()
        for key, files in expected.items()
        for kind, file in files.items()
    }


# Keys


ODD = [
    "a b",
    "a_b",
    "a.b",
    "a/b",
    "a__b",
    "ä",
    "雨",
    "雪",
    "A_B",
    "",
    "x" * 300,
    "x" * 301,
    "\udcff",
    "../..",
    "a\nb",
    "-",
]


def test_keys_of_odd_names_differ():
    names = [(name, "") for name in ODD] + [("a", "1.png"), ("a", "2.png")]
    keys = make_keys(names)
    assert len({key.lower() for key in keys}) == len(names)
    assert all(set(key) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") for key in keys)
    assert all(0 < len(key) <= 80 for key in keys)
    assert make_keys([("train/s1/000", "")]) == ["train__s1__000"]


@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=4), unique=True))
def test_keys_never_meet(names):
    keys = make_keys([(name, "") for name in names])
    # Not even where a name is the key of another.
    both = [*names, *(key for key in keys if key not in names)]
    assert len({key.lower() for key in make_keys([(name, "") for name in both])}) == len(both)


@pytest.mark.parametrize("to", ["webdataset", "spa"])
def test_odd_file_names_come_through(tmp_path, to):
    names = ["a b", "a_b", "a.b", "ä", "雨", "1.2.3", "x" * 200]
    for k, name in enumerate(names):
        for n, kind in enumerate(("rainy", "clean")):
            place = picture(tmp_path / "data" / kind / "plain.png", [k, n])
            place.rename(place.with_name(f"{name}.png"))
    out = tmp_path / "out"
    assert export_dataset(tmp_path / "data", out, to).pairs == len(names)
    if to == "spa":
        pairs = {(pair.rainy.read_bytes(), pair.clean.read_bytes()) for pair in read_dataset(out)}
    else:
        found = {name: content for (_, name), content in shards(out).items()}
        rainy = [name for name in found if ".rainy." in name]
        pairs = {(found[name], found[name.replace(".rainy.", ".clean.")]) for name in rainy}
    assert pairs == {
        tuple((tmp_path / "data" / kind / f"{name}.png").read_bytes() for kind in ("rainy", "clean")) for name in names
    }


# SPA-Data


def test_spa_is_read_back_with_the_same_pairs(dataset, tmp_path):
    edit(dataset, 4, split="test")
    edit(dataset, 5, split=None)
    out = tmp_path / "out"
    done = export_dataset(dataset, out, "spa")
    assert (done.pairs, done.failures) == (23, ())
    assert done.files == ("real_world.txt", "real_test_1000.txt", "real_val.txt")
    assert done.notes == ("pairs of no split are listed as training pairs: 1",)
    back = read_dataset(out)
    assert (back.name, back.problems) == ("spa", ())
    assert {(p.rainy.read_bytes(), p.clean.read_bytes(), p.split) for p in back} == {
        (p.rainy.read_bytes(), p.clean.read_bytes(), p.split or "train") for p in read_dataset(dataset)
    }
    for record in read_manifest(dataset).records[:3]:
        name = record.id.replace("/", "__") + ".png"
        for kind, path in (("rain", record.rainy), ("gt", record.clean), ("mask", record.mask)):
            assert (out / "real_world" / kind / name).read_bytes() == (dataset / path).read_bytes()
        assert os.path.samefile(out / "real_world" / "valid" / name, dataset / record.extra["valid"])
    index = json.loads((out / "index.json").read_text())
    assert index["lists"][0] == {"path": "real_world.txt", "samples": 19, "mask": 19, "valid": 19}


def test_spa_lists_are_as_the_authors_program_splits_them(dataset, tmp_path):
    export_dataset(dataset, tmp_path / "out", "spa")
    root = str(tmp_path / "out")
    with open(f"{root}/real_world.txt", encoding="ascii") as file:
        lines = file.readlines()
    assert len(lines) == 20
    for line in lines:
        rainy, clean = line.split(" ")[0], line.split(" ")[1][:-1]
        assert Path(root + rainy).is_file()
        assert Path(root + clean).is_file()


def test_spa_rainy_versions_share_their_clean_image(tmp_path):
    for k in range(1, 4):
        picture(tmp_path / "data" / "ground_truth" / f"{k}.png", k)
        for version in (1, 2):
            picture(tmp_path / "data" / "rainy_image" / f"{k}_{version}.png", 10 * k + version)
    export_dataset(tmp_path / "data", tmp_path / "out", "spa")
    back = read_dataset(tmp_path / "out")
    assert (len(back), len({pair.scene for pair in back})) == (6, 3)
    again = export_dataset(tmp_path / "out", tmp_path / "again", "spa")
    assert again.pairs == 6
    assert len(list((tmp_path / "again" / "real_world" / "gt").iterdir())) == 3


@pytest.mark.parametrize("reason", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_spa_copies_where_links_are_not_possible(dataset, tmp_path, monkeypatch, reason):
    def refuse(source, place):
        raise OSError(reason, "no link")

    monkeypatch.setattr(os, "link", refuse)
    export_dataset(dataset, tmp_path / "out", "spa", split="val")
    copy = tmp_path / "out" / "real_val" / "rain" / "val__020.png"
    assert copy.read_bytes() == (dataset / "val/rainy/020.png").read_bytes()
    assert not os.path.samefile(copy, dataset / "val/rainy/020.png")
    assert not temporaries(tmp_path / "out")


def test_spa_follows_links_of_the_dataset(tmp_path):
    real = picture(tmp_path / "store" / "1.png", 1)
    for kind in ("rainy", "clean"):
        (tmp_path / "data" / kind).mkdir(parents=True)
        (tmp_path / "data" / kind / "1.png").symlink_to(real)
    export_dataset(tmp_path / "data", tmp_path / "out", "spa")
    places = list((tmp_path / "out").rglob("*.png"))
    assert len(places) == 2
    assert not any(place.is_symlink() for place in places)


# Runs that stop


class Stop(BaseException):
    """Stands for a kill or an interruption."""


@pytest.mark.parametrize("stop", [0, 1, 7, 12, 22])
@pytest.mark.parametrize("to", ["webdataset", "spa"])
def test_a_stopped_run_leaves_nothing_half_written_and_goes_on(dataset, tmp_path, monkeypatch, to, stop):
    export_dataset(dataset, tmp_path / "whole", to, shard_bytes=SMALL)
    whole = contents(tmp_path / "whole")
    module = _export_spa if to == "spa" else _export_shards
    check, calls = module.check_sample, []

    def stopping(sample):
        if len(calls) == stop:
            raise Stop
        calls.append(sample)
        return check(sample)

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(module, "check_sample", stopping)
        with pytest.raises(Stop):
            export_dataset(dataset, out, to, shard_bytes=SMALL)
    there = contents(out)
    assert "index.json" not in there
    assert there.items() <= whole.items()
    assert not temporaries(out)
    stamps = {name: (out / name).stat().st_mtime_ns for name in there}
    done = export_dataset(dataset, out, to, shard_bytes=SMALL)
    assert done.pairs == 23
    assert done.kept == (len(there) if to == "webdataset" else 0)
    assert contents(out) == whole
    assert {name: (out / name).stat().st_mtime_ns for name in stamps} == stamps


@pytest.mark.parametrize("dead", [False, True])
def test_leftovers_of_a_kill_are_hidden_and_go(dataset, tmp_path, monkeypatch, dead):
    def stop(out):
        raise Stop

    out = tmp_path / "out"
    # As a kill leaves it: the temporary is not removed.
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        patch.setattr(_export_shards, "flush", stop)
        with pytest.raises(Stop):
            export_dataset(dataset, out, "webdataset")
    (left,) = temporaries(out)
    assert visible(out) == []
    if dead:  # its number is above any of a process; else it may still be dying when the next run begins
        left.rename(left.with_name(left.name.replace(f".{os.getpid()}.", f".{2**22 + 1}.")))
    (out / ".mine.tmp").touch()
    export_dataset(dataset, out, "webdataset")
    assert temporaries(out) == [out / ".mine.tmp"]
    assert visible(out) == ["index.json", "train/train-000000.tar", "val/val-000000.tar"]


def test_a_finished_export_is_kept(dataset, tmp_path):
    out = tmp_path / "out"
    first = export_dataset(dataset, out, "webdataset", shard_bytes=SMALL)
    before = contents(out)
    again = export_dataset(dataset, out, "webdataset", shard_bytes=SMALL)
    assert again.kept == len(again.files) == len(first.files)
    assert contents(out) == before


@pytest.mark.parametrize("damage", ["cut", "empty", "longer", "gone", "member"])
def test_a_shard_that_is_not_whole_is_written_again(dataset, tmp_path, damage):
    out = tmp_path / "out"
    export_dataset(dataset, out, "webdataset", shard_bytes=SMALL)
    before = contents(out)
    place = out / "train" / "train-000001.tar"
    whole = place.read_bytes()
    if damage == "member":
        name = next(name for shard, name in shards(out) if shard == "train/train-000001.tar" and ".mask." in name)
        whole = whole.replace(name.encode(), name.replace(".mask.", ".rain.").encode())
    place.write_bytes({"cut": whole[:-3000], "empty": b"", "longer": whole + b"\0" * 512}.get(damage, whole))
    if damage == "gone":
        place.unlink()
    done = export_dataset(dataset, out, "webdataset", shard_bytes=SMALL)
    assert done.kept == len(done.files) - 1
    assert contents(out) == before


def test_a_full_disk_is_named_and_what_was_finished_stays(dataset, tmp_path, monkeypatch):
    calls = []

    def full(out):
        calls.append(out)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(_export_shards, "flush", full)
        with pytest.raises(WriteError, match=r"train-000002\.tar.*No space left"):
            export_dataset(dataset, tmp_path / "out", "webdataset", shard_bytes=SMALL)
    assert visible(tmp_path / "out") == ["train/train-000000.tar", "train/train-000001.tar"]
    assert export_dataset(dataset, tmp_path / "out", "webdataset", shard_bytes=SMALL).kept == 2


# What was there


@pytest.mark.parametrize(
    "change",
    [
        lambda data: edit(data, 3, angle=33.0),
        lambda data: (data / "val/rainy/020.png").unlink(),
        lambda data: write_manifest(data, read_manifest(data).records[:-1]),
    ],
)
@pytest.mark.parametrize("to", ["webdataset", "spa"])
def test_a_changed_dataset_needs_another_folder_or_overwrite(dataset, tmp_path, to, change):
    out = tmp_path / "out"
    export_dataset(dataset, out, to, shard_bytes=SMALL)
    (out / "notes.md").write_text("mine")
    before = contents(out)
    change(dataset)
    with pytest.raises(ExportError, match=r"choose another folder, or replace it with --overwrite"):
        export_dataset(dataset, out, to, shard_bytes=SMALL)
    assert contents(out) == before
    export_dataset(dataset, out, to, shard_bytes=SMALL, overwrite=True)
    export_dataset(dataset, tmp_path / "fresh", to, shard_bytes=SMALL)
    assert contents(out) == contents(tmp_path / "fresh") | {"notes.md": b"mine"}


def test_other_options_are_another_export_and_overwrite_takes_away_the_old(dataset, tmp_path):
    out = tmp_path / "out"
    export_dataset(dataset, out, "webdataset")
    for options in ({"to": "spa"}, {"shard_bytes": SMALL}, {"shuffle": False}, {"split": "val"}):
        with pytest.raises(ExportError, match="holds another export"):
            export_dataset(dataset, out, **{"to": "webdataset"} | options)
    export_dataset(dataset, out, "spa", split="val", overwrite=True)
    assert sorted(p.name for p in out.iterdir()) == [PLAN, "index.json", "real_val", "real_val.txt"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_no_export_is_never_touched(dataset, tmp_path, overwrite):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("out", "file"):
        with pytest.raises(ExportError, match=f"{name}' is not empty and holds no export; name a new folder"):
            export_dataset(dataset, tmp_path / name, "webdataset", overwrite=overwrite)
    assert visible(tmp_path / "out") == ["thesis.txt"]


@pytest.mark.parametrize("plan", ["", "[]", "{}", '{"format": "rainopt-export", "version": 2}', "ÿ"])
def test_a_damaged_plan_removes_nothing(dataset, tmp_path, plan):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / PLAN).write_text(plan, encoding="latin-1")
    with pytest.raises(ExportError, match="is damaged, or of a newer"):
        export_dataset(dataset, tmp_path / "out", "webdataset", overwrite=True)


def test_a_plan_cannot_remove_what_is_outside(dataset, tmp_path):
    out = tmp_path / "out"
    export_dataset(dataset, out, "webdataset")
    plan = json.loads((out / PLAN).read_text())
    (out / PLAN).write_text(json.dumps(plan | {"files": ["../data/manifest.jsonl"]}))
    with pytest.raises(ExportError, match="damaged"):
        export_dataset(dataset, out, "webdataset", overwrite=True)
    assert (dataset / "manifest.jsonl").exists()


@pytest.mark.parametrize("inner", ["", "out", "train/out"])
def test_an_export_does_not_go_into_its_dataset(dataset, inner):
    with pytest.raises(ExportError, match="lies in the dataset"):
        export_dataset(dataset, dataset / inner, "spa")


# What is not whole


@pytest.mark.parametrize("to", ["webdataset", "spa"])
def test_what_is_missing_is_named_and_the_rest_is_done(dataset, tmp_path, to):
    for path in ("train/rainy/001.png", "train/clean/002.png", "train/mask/003.png", "train/valid/004.png"):
        (dataset / path).unlink()
    edit(dataset, 5, valid="../data/train/valid/005.png")
    edit(dataset, 6, valid=7)
    done = export_dataset(dataset, tmp_path / "out", to)
    assert done.pairs == 17
    said = "\n".join(done.failures)
    for number, what in enumerate(("rainy", "clean", "mask", "valid"), 1):
        assert f"'train/{what}/{number:03}.png' is missing" in said
        assert f"'train/{number:03}'" in said
    assert "'train/005': `valid`: " in said
    assert "'train/006': `valid`: " in said
    assert len(done.failures) == 6


def spoil(dataset):
    """Change one file each of four pairs; return what is said."""
    picture(dataset / "train/rainy/001.png", 99)
    picture(dataset / "train/valid/002.png", 99)
    edit(dataset, 3, checksums={})
    (dataset / "train/mask/003.png").write_bytes(b"no picture")
    edit(dataset, 4, checksums={})
    picture(dataset / "train/clean/004.png", 99, (8, 6))
    return ["is not the file that was recorded"] * 2 + ["is not a PNG", "has 8 x 6 pixels, and the rainy image 6 x 8"]


@pytest.mark.parametrize("to", ["webdataset", "spa"])
def test_what_is_spoilt_is_left_out(dataset, tmp_path, to):
    said = spoil(dataset)
    out = tmp_path / "out"
    done = export_dataset(dataset, out, to, shard_bytes=SMALL)
    assert done.pairs == 19
    for number, message in enumerate(said, 1):
        (failure,) = (failure for failure in done.failures if f"'train/{number:03}'" in failure)
        assert message in failure
    if to == "spa":
        names = {pair.rainy.stem for pair in read_dataset(out)}
    else:
        names = {name.partition(".")[0] for _, name in shards(out)}
    assert names.isdisjoint(f"train__00{k}" for k in range(1, 5))
    assert len(names) == 19
    # The same is said again by a run that finds the rest there.
    again = export_dataset(dataset, out, to, shard_bytes=SMALL)
    assert (again.pairs, sorted(again.failures)) == (19, sorted(done.failures))
    assert again.kept == (len(again.files) if to == "webdataset" else 0)


@pytest.mark.parametrize("to", ["webdataset", "spa"])
def test_a_pair_that_was_mended_is_taken_up(dataset, tmp_path, to):
    good = (dataset / "val/rainy/020.png").read_bytes()
    for record in read_manifest(dataset).records[20:]:
        picture(dataset / record.rainy, 99)
    done = export_dataset(dataset, tmp_path / "out", to)
    assert (done.pairs, len(done.files), len(done.failures)) == (20, 1, 3)
    assert not list((tmp_path / "out").glob("*/val-*.tar"))
    # A file of another size is another plan.
    (dataset / "val/rainy/020.png").write_bytes(good)
    done = export_dataset(dataset, tmp_path / "out", to, overwrite=True)
    assert (done.pairs, len(done.files), len(done.failures)) == (21, 2, 2)


def test_a_shard_is_written_again_when_what_it_lacked_is_mended(dataset, tmp_path):
    out, place = tmp_path / "out", dataset / "val/rainy/021.png"
    good = place.read_bytes()
    place.write_bytes(good[:-1] + b"x")
    assert export_dataset(dataset, out, "webdataset").pairs == 22
    place.write_bytes(good)
    done = export_dataset(dataset, out, "webdataset")
    assert (done.pairs, done.kept, done.failures) == (23, 1, ())


def test_a_torn_manifest_is_not_whole(dataset, tmp_path):
    manifest = dataset / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-25])
    done = export_dataset(dataset, tmp_path / "out", "webdataset")
    assert done.pairs == 22
    assert "line 24 is torn" in done.failures[0]


def test_unpaired_images_are_named_as_left_out(dataset, tmp_path):
    edit(dataset, 0, clean=None, checksums={})
    done = export_dataset(dataset, tmp_path / "out", "webdataset")
    assert (done.pairs, done.failures) == (22, ())
    assert done.notes == ("left out: 1 rainy image without a clean one: 'train/000'",)
    for k in range(30):
        picture(tmp_path / "alone" / f"{k}.png", k)
    with pytest.raises(ExportError, match="holds no pair to export"):
        export_dataset(tmp_path / "alone", tmp_path / "none", "webdataset")
    assert not (tmp_path / "none").exists()


def test_progress_counts_to_the_end(dataset, tmp_path):
    for to in ("webdataset", "spa", "webdataset", "spa"):
        seen = []
        export_dataset(dataset, tmp_path / to, to, progress=lambda done, total, seen=seen: seen.append((done, total)))
        assert seen[-1] == (23, 23)
        assert seen == sorted(set(seen))


@pytest.mark.parametrize(
    "wrong", [{"to": "zip"}, {"split": "dev"}, {"shard_bytes": 0}, {"layout": "cityscapes"}, {"to": "WebDataset"}]
)
def test_wrong_arguments_are_named(dataset, tmp_path, wrong):
    with pytest.raises(ValueError, match=f"`{next(iter(wrong))}` must be"):
        export_dataset(dataset, tmp_path / "out", **{"to": "webdataset"} | wrong)
    assert not (tmp_path / "out").exists()


# The command


def test_the_command_says_one_line(dataset, tmp_path, capsys):
    assert follow_export(dataset, tmp_path / "out", "webdataset") == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{tmp_path / 'out'} holds 23 pairs in 2 shards (")
    assert (out.count("\n"), err) == (1, "")
    assert follow_export(dataset, tmp_path / "out", "webdataset") == 0
    assert "2 shards, 2 of them there already (" in capsys.readouterr().out
    assert follow_export(dataset, tmp_path / "spa", "spa", split="val") == 0
    out, err = capsys.readouterr()
    assert "holds 3 pairs in 1 list (" in out
    assert err == "note: left out: 20 pairs not in split 'val'\n"


def test_the_command_names_what_failed(dataset, tmp_path, capsys):
    (dataset / "train/mask/003.png").unlink()
    assert follow_export(dataset, tmp_path / "out", "webdataset") == 1
    out, err = capsys.readouterr()
    assert out.endswith("; 1 failed\n")
    assert err == "failed  'train/003': 'train/mask/003.png' is missing\n"
    assert follow_export(tmp_path / "nowhere", tmp_path / "new", "webdataset") == 1
    assert "nowhere' does not exist" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "option"),
    [
        ({"to": "zip"}, "--to"),
        ({"split": "dev"}, "--split"),
        ({"layout": "x"}, "--layout"),
        ({"shard_size": 0}, "--sh"),
    ],
)
def test_the_command_tells_wrong_usage(dataset, tmp_path, wrong, option):
    with pytest.raises(typer.BadParameter) as caught:
        follow_export(dataset, tmp_path / "out", **{"to": "webdataset"} | wrong)
    assert caught.value.param_hint.startswith(option)


def test_the_command_is_interrupted(dataset, tmp_path, capsys, monkeypatch):
    def interrupt(sample):
        raise KeyboardInterrupt

    monkeypatch.setattr(_export_shards, "check_sample", interrupt)
    assert follow_export(dataset, tmp_path / "out", "webdataset") == 130
    assert capsys.readouterr().err == "interrupted; run the same command again to go on\n"
    assert visible(tmp_path / "out") == []
