"""Exports as WebDataset, read back with tarfile and with the library that programs use."""

import gc
import json
import shutil
import tarfile

import pytest

from data_tools.export.settings import ExportError
from data_tools.manifest.file import read_manifest
from tests.support.datasets import noise, put
from tests.support.exports import SMALL, contents, members


def test_members_are_the_files_and_what_is_known_about_them(dataset, export, tmp_path):
    done = export(dataset, tmp_path / "out")
    assert (done.pairs, done.failures, done.notes, done.kept) == (23, (), (), 0)
    assert done.files == ("train/train-000000.tar", "val/val-000000.tar")
    found = {name: content for (_, name), content in members(tmp_path / "out").items()}
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
def test_the_webdataset_library_reads_it(dataset, export, tmp_path):
    import webdataset

    export(dataset, tmp_path / "out", shard_bytes=SMALL)
    urls = sorted(map(str, (tmp_path / "out" / "train").glob("*.tar")))
    assert len(urls) > 3
    samples = list(webdataset.WebDataset(urls, shardshuffle=False))
    assert len(samples) == 20
    for sample in samples:
        assert json.loads(sample["json"])["id"] == sample["__key__"].replace("__", "/")
        assert {"rainy.png", "clean.png", "mask.png", "valid.png"} < sample.keys()
    decoded = next(iter(webdataset.WebDataset(urls, shardshuffle=False).decode("rgb8").to_tuple("rainy.png", "json")))
    assert decoded[0].shape == (6, 8, 3)
    gc.collect()  # what the library leaves open is closed while the warning is filtered


@pytest.mark.parametrize("shard_bytes", [1024, 10240, SMALL, 10**9])
def test_each_sample_is_whole_in_one_shard_within_the_limit(dataset, export, tmp_path, shard_bytes):
    out = tmp_path / "out"
    export(dataset, out, shard_bytes=shard_bytes)
    places: dict[str, set] = {}
    kinds: dict[str, list] = {}
    for shard, name in members(out):
        key, _, rest = name.partition(".")
        places.setdefault(key, set()).add(shard)
        kinds.setdefault(key, []).append(rest)
    assert len(places) == 23
    assert all(len(where) == 1 for where in places.values())
    full = ["rainy.png", "clean.png", "mask.png", "valid.png", "json"]
    assert all(m == (full if key[:5] == "train" else [*full[:2], "json"]) for key, m in kinds.items())
    one_each = shard_bytes == 1024
    assert all(p.stat().st_size <= shard_bytes or one_each for p in out.rglob("*.tar"))
    index = json.loads((out / "index.json").read_text())
    assert sum(shard["samples"] for shard in index["shards"]) == 23
    assert {s["path"]: s["bytes"] for s in index["shards"]} == {
        p.relative_to(out).as_posix(): p.stat().st_size for p in out.rglob("*.tar")
    }
    assert {name: split["samples"] for name, split in index["splits"].items()} == {"train": 20, "val": 3}
    assert one_each is (len(index["shards"]) == 23)


def test_the_same_dataset_gives_the_same_bytes_wherever_it_lies(dataset, export, tmp_path):
    export(dataset, tmp_path / "1", shard_bytes=SMALL)
    shutil.copytree(dataset, tmp_path / "elsewhere" / "copy", copy_function=shutil.copyfile)
    export(tmp_path / "elsewhere" / "copy", tmp_path / "2", shard_bytes=SMALL)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")
    with tarfile.open(tmp_path / "1" / "val" / "val-000000.tar") as tar:
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in tar} == {(0, 0, 0, "", "", 0o644)}


def test_neighbours_are_apart_unless_order_is_asked_for(dataset, export, tmp_path):
    def order(folder):
        return [json.loads(c)["id"] for (_, name), c in members(folder).items() if name.endswith(".json")]

    export(dataset, tmp_path / "1", shard_bytes=SMALL)
    export(dataset, tmp_path / "2", shard_bytes=SMALL, shuffle=False)
    in_order = [record.id for record in read_manifest(dataset)]
    assert order(tmp_path / "2") == in_order
    assert order(tmp_path / "1") != in_order
    assert sorted(order(tmp_path / "1")) == in_order


def test_one_split_only(dataset, export, tmp_path):
    done = export(dataset, tmp_path / "out", split="val")
    assert (done.pairs, done.files) == (3, ("val/val-000000.tar",))
    assert done.notes == ("left out: 20 pairs not in split 'val'",)
    with pytest.raises(ExportError, match=r"no pair to export in split 'test'; its splits are: 'train', 'val'"):
        export(dataset, tmp_path / "other", split="test")
    assert not (tmp_path / "other").exists()


def test_a_dataset_without_manifest_and_splits(export, tmp_path):
    for name in ("a.JPG", "b.png"):
        put(tmp_path / "data" / "rainy" / name, noise(1))
        put(tmp_path / "data" / "clean" / name, noise(2))
    done = export(tmp_path / "data", tmp_path / "out", shuffle=False)
    assert done.files == ("all/all-000000.tar",)
    found = {name: content for (_, name), content in members(tmp_path / "out").items()}
    keys = ["rainy__a", "rainy__b"]
    ends = [(".rainy.jpg", ".clean.jpg", ".json"), (".rainy.png", ".clean.png", ".json")]
    assert list(found) == [key + end for key, own in zip(keys, ends, strict=True) for end in own]
    assert found["rainy__a.rainy.jpg"] == (tmp_path / "data" / "rainy" / "a.JPG").read_bytes()


@pytest.mark.parametrize("damage", ["cut", "empty", "longer", "gone", "member"])
def test_a_shard_that_is_not_whole_is_written_again_and_the_others_kept(dataset, export, tmp_path, damage):
    out = tmp_path / "out"
    first = export(dataset, out, shard_bytes=SMALL)
    before = contents(out)
    assert export(dataset, out, shard_bytes=SMALL).kept == len(first.files)
    assert contents(out) == before
    place = out / "train" / "train-000001.tar"
    whole = place.read_bytes()
    if damage == "member":
        name = next(name for shard, name in members(out) if shard == "train/train-000001.tar" and ".mask." in name)
        whole = whole.replace(name.encode(), name.replace(".mask.", ".rain.").encode())
    place.write_bytes({"cut": whole[:-3000], "empty": b"", "longer": whole + b"\0" * 512}.get(damage, whole))
    if damage == "gone":
        place.unlink()
    done = export(dataset, out, shard_bytes=SMALL)
    assert done.kept == len(done.files) - 1
    assert contents(out) == before


def test_a_shard_is_written_again_when_what_it_lacked_is_mended(dataset, export, tmp_path):
    out, place = tmp_path / "out", dataset / "val/rainy/021.png"
    good = place.read_bytes()
    place.write_bytes(good[:-1] + b"x")
    assert export(dataset, out).pairs == 22
    place.write_bytes(good)
    done = export(dataset, out)
    assert (done.pairs, done.kept, done.failures) == (23, 1, ())
