"""Manifests, lists of pairs, datasets as folders, recipes and their changes, with odd content."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.robustness.case import Case, PromiseBrokenError
from benchmarks.robustness.corpus import manifest, manifest_bytes, pictures
from benchmarks.robustness.mutations import mutated

ODD_JSON: tuple[Any, ...] = (None, True, 0, -1, 1e308, 2**70, "", "x", [], {}, [None], {"x": 1}, "\0", "\ud800", "../x")
ODD_JSON += (
    "/etc/passwd",
    "a\nb",
    "\x1b[31mred",
    "C:\\x",
    "x" * 5000,
    "rainy/" * 300,
    [[[[]]]],
    -0.0,
    "NaN",
    91,
    "a.png",
)
ODD_LINES = (
    "rainy/a.png clean/a.png",
    "/rainy/a.png /clean/a.png",
    "rainy/a.png",
    "rainy/a.png clean/a.png clean/b.png",
    "rainy/\0.png clean/a.png",
    "../rainy/a.png ../../clean/a.png",
    "C:\\rainy\\a.png C:\\clean\\a.png",
    "rainy\\a.png\tclean\\a.png",
    "\x1b[31m.png clean/a.png",
    "a b.png c d.png",
    "rainy/" + "x" * 300 + ".png clean/a.png",
    "rainy/" * 2000 + "a.png clean/a.png",
    "# a remark",
    "\ufeffrainy/a.png clean/a.png",
    "rainy/é.png clean/é.png",
)
FOLDERS: tuple[str, ...] = (
    "rainy",
    "clean",
    "rain",
    "norain",
    "Os",
    "Bs",
    "Ot",
    "input",
    "target",
    "rainy_image",
    "ground_truth",
    "gt",
)
FOLDERS += ("train", "val", "test", "data", "a\nb", "\x1b[1m", "deep/er", "train/rain", "train/norain", ".hidden", "")
FILES: tuple[str, ...] = (
    "1.png",
    "2.png",
    "01.png",
    "1_1.jpg",
    "1_2.jpg",
    "rain-1.png",
    "norain-1.png",
    "norain-1x2.png",
    "a.PNG",
)
FILES += (
    "real_world.txt",
    "manifest.jsonl",
    "notes.txt",
    "x.mp4",
    "1.png.png",
    "²³.png",
    "٣.png",
    "9" * 40 + ".png",
    "a b.png",
)
WORDS = "manifest spa jrgr rain1400 rain13k rain100 outdoor raindrop raincityscapes nturain gtrain folders rainy-left x"
LAYOUTS = (None, None, None, None, "unpaired", "", *WORDS.split())


def odd_json(values: Any, random: Random) -> Any:
    """Return what JSON holds with one part of it, at any depth, replaced, left out, or put in deeper."""
    whole = {"": copy.deepcopy(values)}
    place: Any = whole
    key: Any = ""
    while True:
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or random.random() < 0.25:
            break
        place = inner
        key = random.choice(list(inner)) if isinstance(inner, dict) else random.randrange(len(inner))
    match random.randrange(6):
        case 0 if isinstance(place, dict) and key:
            del place[key]
        case 1 if isinstance(place, dict) and key:
            place[str(random.choice((*ODD_JSON[5:8], key + "s")))] = place[key]
        case 2:
            place[key] = [place[key]] * random.choice((1, 2, 50))
        case _:
            place[key] = random.choice(ODD_JSON)
    return whole[""]


def manifest_read(random: Random) -> Case:
    """Return a manifest whose lines, or bytes, are odd."""
    from data_tools.layouts.read import LayoutError, read_dataset
    from data_tools.manifest.file import ManifestError, PairRecord, append_record, read_manifest

    lines = manifest()
    for _ in range(random.choice((0, 1, 1, 2))):
        k = random.randrange(len(lines))
        lines[k] = odd_json(lines[k], random)
    if random.random() < 0.2:
        lines.append(random.choice(lines))
    data = manifest_bytes(lines)
    if random.random() < 0.4:
        data = mutated(data, random)
    if random.random() < 0.03:
        data += b"[" * random.choice((1000, 5000, 200_000))
    way, layout = random.randrange(4), random.choice(LAYOUTS)
    files = {"data/manifest.jsonl": data, "data/rainy/a.png": b"", "data/clean/a.png": b"", "data/rainy/b.png": b""}

    def call(folder: Path) -> Any:
        place = folder / "data"
        if way == 0:
            return read_manifest(place)
        if way == 1:
            return read_dataset(place)
        if way == 2:
            return read_dataset(place / "manifest.jsonl", layout)
        # What can be read with repair can be added to, and holds one record more then.
        found = read_manifest(place, repair=True)
        copied = folder / "out"
        (copied / "manifest.jsonl").write_bytes(data)
        try:
            append_record(copied, PairRecord.parse({"id": "an id of its own", "rainy": "x.png"}))
        except ManifestError:
            if (copied / "manifest.jsonl").read_bytes() != data:
                raise PromiseBrokenError("a manifest that was not added to is not as it was") from None
            (copied / "manifest.jsonl").unlink()
            raise
        again = read_manifest(copied, repair=True)
        return None if len(again) == len(found) + 1 else f"{len(found)} records and one more are {len(again)}"

    def promise(result: Any) -> str | None:
        return result if isinstance(result, str) else None

    return Case("manifest(odd lines)", call, (ManifestError, LayoutError), files, None, promise)


def pairs_read(random: Random) -> Case:
    """Return a list of pairs with odd lines."""
    from data_tools.layouts.read import LayoutError, read_dataset
    from data_tools.manifest.file import ManifestError

    lines = [random.choice(ODD_LINES) for _ in range(random.choice((1, 3, 8)))]
    data = random.choice(("\n", "\r\n", "\r")).join(lines).encode("utf-8", "surrogatepass")
    if random.random() < 0.4:
        data = mutated(data, random)
    files = {"data/list.txt": data, "data/rainy/a.png": b"", "data/clean/a.png": b"", "data/rainy/é.png": b""}
    target, layout = random.choice(("data", "data/list.txt")), random.choice(LAYOUTS)

    def call(folder: Path) -> Any:
        return str(read_dataset(folder / target, layout))

    return Case("read_dataset(list of pairs)", call, (LayoutError, ManifestError), files)


def tree_read(random: Random) -> Case:
    """Return a folder with folders and files of names that mean something to a layout, and of odd ones."""
    from data_tools.layouts.read import LayoutError, read_dataset
    from data_tools.manifest.file import ManifestError

    image = pictures()["grey.png"]
    texts = (b"", b"rainy/1.png clean/1.png\n", b"\xff\xfe", image)
    files = {}
    for _ in range(random.choice((1, 4, 12))):
        folder, name = random.choice(FOLDERS), random.choice(FILES)
        files[f"data/{folder}/{name}".replace("//", "/")] = image if name.endswith("g") else random.choice(texts)
    layout = random.choice(LAYOUTS)

    def call(folder: Path) -> Any:
        return str(read_dataset(folder / "data", layout))

    return Case("read_dataset(odd tree)", call, (LayoutError, ManifestError), files)


SECTIONS = ("network", "data", "loss", "optimiser", "run", "validation", "stages", "x", "", "optimiser.network")
KEYS: tuple[str, ...] = (
    "name",
    "preset",
    "config",
    "start",
    "kind",
    "train",
    "size",
    "presets",
    "scale",
    "truth",
    "lr",
    "betas",
    "steps",
)
KEYS += ("batch", "seed", "ema", "every", "data", "limit", "frozen", "features", "", "x", "veil", "split", "schedule")
VALUES: tuple[str, ...] = (
    "1",
    "-1",
    "0",
    "1e308",
    "nan",
    "inf",
    "true",
    '""',
    '"x"',
    "[]",
    "[1]",
    "[1,2]",
    "{}",
    "{a=1}",
    "x",
    "'",
    "[",
    "[[",
)
VALUES += (
    '"\\u0000"',
    "2024-01-01",
    "9" * 400,
    "[" * 5000,
    "{a=" * 2000,
    '"udgnet"',
    "0x10",
    "1_0",
    "x\ny = 2",
    "\x1b[31m",
)


def recipe_read(random: Random) -> Case:
    """Return a recipe, or changes to one, with odd keys and values."""
    from rainnet.recipes.recipe import RecipeError, read_recipe, shipped

    names = sorted(shipped())
    text = shipped()[random.choice(names)].read_bytes()
    if random.random() < 0.5:
        lines = text.splitlines()
        k = random.randrange(len(lines))
        lines[k] = f"{random.choice(KEYS)} = {random.choice(VALUES)}".encode()
        text = b"\n".join(lines)
    if random.random() < 0.3:
        text = mutated(text, random)
    changes = [_change(random) for _ in range(random.choice((0, 1, 2)))]
    name = random.choice(("recipe.toml", "recipe.toml", "udgnet-small", "x", ""))

    def call(folder: Path) -> Any:
        return read_recipe(str(folder / name) if name.endswith(".toml") else name, changes)

    return Case(f"read_recipe({name or 'nothing'}, {changes!r:.60})", call, (RecipeError,), {"recipe.toml": text})


def _change(random: Random) -> str:
    text = f"{random.choice(SECTIONS)}.{random.choice(KEYS)}{random.choice(('=', '=', '=', ''))}{random.choice(VALUES)}"
    return text if random.random() < 0.9 else json.dumps(random.choice(ODD_JSON))
