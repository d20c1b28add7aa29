"""Crops of pairs in every layout, of rainy pictures and of single ones."""

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

from data_tools import RainDirection, RainSpec, add_rain
from data_tools.layouts.read import LayoutError, read_dataset
from data_tools.manifest.file import write_manifest
from data_tools.manifest.record import PairFrame, PairRecord
from rainnet.data import DataError, PairCrops, RainyCrops, SinglePicture
from rainnet.programs.base import ExampleSpec
from rainopt import estimate_angle
from rainopt.geometry.warp import Upright
from rainopt.io import read_image, write_image

SIDE = 24
RAINY = ExampleSpec(upright=True, angle=True, plain=True)
PAIR = replace(RAINY, truth=True)


@pytest.fixture
def put(tmp_path):
    """Write pictures of one level each below a folder, by name; {name: level}."""

    def write(levels, shape=(SIDE + 60, SIDE + 70)):
        for name, level in levels.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(path, np.full((*shape, 3), level, np.uint8))
        return tmp_path

    return write


def noise(path, shape, seed=0):
    """Write a picture of noise and return it, (H, W, 3) uint8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.random.default_rng(seed).integers(40, 200, (*shape, 3), dtype=np.uint8)
    write_image(path, picture)
    return picture


def rainy_picture(path, angle, seed=0):
    clean = np.full((200, 240, 3), 70, np.uint8)
    spec = RainSpec(angle=angle, density=3000, width=2, length=40)
    rainy = add_rain(clean, spec, np.random.default_rng(seed)).rainy
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, rainy)


def shown(dataset, count=40):
    """Return the levels of rainy, and of clean pictures where there are some, that crops are of."""
    found = set()
    for example in (dataset[k] for k in range(count)):
        crops = [example[name] for name in ("rainy", "clean") if name in example]
        assert all(crop.shape == (3, SIDE, SIDE) and torch.allclose(crop, crop[0, 0, 0], atol=1e-5) for crop in crops)
        found.add(tuple(round(float(crop[0, 0, 0]) * 255) for crop in crops))
    return found


LAYOUTS = {
    "rain1400": ({f"rainy_image/1_{k}.png": 100 + k for k in (1, 2)} | {"ground_truth/1.png": 1}, {}),
    "spa": (
        {"real/a/1.png": 101, "real/b/1.png": 102, "gt/a.png": 1, "gt/b.png": 2},
        {"pairs.txt": "/real/a/1.png /gt/a.png\n/real/b/1.png /gt/b.png\n"},
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_pairs_of_any_layout_stay_together(name, put):
    levels, texts = LAYOUTS[name]
    root = put(levels)
    for file, text in texts.items():
        (root / file).write_text(text)
    layout = read_dataset(root)
    expected = {(101, 1), (102, 1)} if name == "rain1400" else {(101, 1), (102, 2)}
    for source in (str(root), layout, [root]):
        assert shown(PairCrops(source, SIDE, PAIR)) == expected
    assert shown(RainyCrops(root, SIDE, RAINY)) == {(rainy,) for rainy, _ in expected}
    more = put({"more/input/5.png": 105, "more/target/5.png": 5}) / "more"
    assert shown(PairCrops([layout, more], SIDE, PAIR)) == expected | {(105, 5)}


def test_manifests_give_pairs_splits_and_angles(put):
    root = put({f"{kind}/{k}.png": level + k for kind, level in (("r", 100), ("c", 0)) for k in range(1, 5)})
    frames = [PairFrame(rainy=f"r/{k}.png", clean=f"c/{k}.png") for k in (3, 4)]
    # Rain in several directions comes upright by the strongest.
    spec = RainSpec(angle=3.0, directions=(RainDirection(-12.0, 0.5), RainDirection(9.0, 1.0)))
    records = [
        PairRecord(id="one", rainy="r/1.png", clean="c/1.png", split="train", angle=3.0, spec=spec.to_dict()),
        PairRecord(id="two", rainy="r/2.png", clean="c/2.png", split="test", angle=-50.0),
        PairRecord(id="s", split="train", angle=90.0, frames=frames),
    ]
    file = write_manifest(root, records)
    angles = {101: {12, -12}, 102: {50, -50}, 103: {90}, 104: {90}}
    other = root / "mine.jsonl"
    other.write_bytes(file.read_bytes())
    for source in (root, read_dataset(root), other):
        data = PairCrops(source, SIDE, PAIR)
        assert shown(data) == {(101, 1), (102, 2), (103, 3), (104, 4)}
        found = {}
        for example in (data[k] for k in range(60)):
            found.setdefault(round(float(example["rainy"].mean()) * 255), set()).add(round(float(example["angle"])))
        assert found == angles
    assert shown(PairCrops(root, SIDE, PAIR, split="train")) == {(101, 1), (103, 3), (104, 4)}
    assert shown(RainyCrops(root, SIDE, RAINY, split="test")) == {(102,)}
    with pytest.raises(DataError, match="holds no pair of the split 'val', but of 'test', 'train'"):
        PairCrops(root, SIDE, PAIR, split="val")


def test_angles_that_nothing_tells_are_estimated(tmp_path):
    rainy_picture(tmp_path / "photo.png", 17.0)
    data = RainyCrops(tmp_path, SIDE, RAINY, flips=False)
    assert float(data[0]["angle"]) == pytest.approx(17.0, abs=1.5)
    assert float(data[0]["angle"]) == pytest.approx(estimate_angle(read_image(tmp_path / "photo.png")).angle)
    assert float(RainyCrops(tmp_path, SIDE, RAINY, flips=False, angle=-3.0)[0]["angle"]) == -3


@pytest.mark.parametrize("angle", [0.0, 21.3, -38.0, 45.0, 52.0, -71.0, 90.0])
def test_a_crop_is_the_whole_picture_upright_and_cut(angle, tmp_path):
    # A picture as large as the parallelogram leaves one place to crop.
    slope = abs(Upright(angle, SIDE, SIDE).slope)
    wide = SIDE + 2 * (int(np.ceil(slope * (SIDE - 1) / 2)) + 3 if slope else 0)
    shape = (wide, SIDE) if abs(angle) > 45 else (SIDE, wide)
    pictures = {name: noise(tmp_path / f"{name}/1.png", shape, k) for k, name in enumerate(("rainy", "clean"))}
    data = PairCrops(tmp_path, SIDE, PAIR, angle=angle, flips=False)
    example = data[0]
    warp = Upright(angle, *shape)
    first = warp.margin + (wide - SIDE) // 2
    for name, picture in pictures.items():
        planes = picture.transpose(2, 0, 1) / np.float32(255)
        expected = np.clip(warp.forward(planes), 0, 1)[:, :, first : first + SIDE]
        assert np.allclose(example[name].numpy(), expected, atol=1e-5)
    rainy = pictures["rainy"].transpose(2, 0, 1) / 255
    middle = slice((wide - SIDE) // 2, (wide + SIDE) // 2)
    assert np.allclose(example["plain"].numpy(), rainy[:, middle] if abs(angle) > 45 else rainy[..., middle])


def test_mirroring_mirrors_picture_and_angle_and_an_error_neither(tmp_path):
    picture = noise(tmp_path / "a.png", (SIDE, SIDE))
    planes = picture.transpose(2, 0, 1) / np.float32(255)
    data = SinglePicture(tmp_path / "a.png", SIDE, RAINY, angle=30.0)
    assert {float(data[k]["angle"]) for k in range(20)} == {30, -30}
    for example in (data[k] for k in range(20)):
        expected = planes if example["angle"] > 0 else planes[:, :, ::-1]
        assert np.allclose(example["plain"].numpy(), expected)
    missed = SinglePicture(tmp_path / "a.png", SIDE, RAINY, angle=30.0, angle_error=3.0)
    for k in range(3):
        assert torch.equal(missed[k]["angle"], data[k]["angle"])
        assert not torch.equal(missed[k]["rainy"], data[k]["rainy"])
    level = SinglePicture(tmp_path / "a.png", SIDE, RAINY, angle=90.0)
    assert {float(level[k]["angle"]) for k in range(20)} == {90}


def test_without_upright_crops_lie_as_they_are(tmp_path):
    picture = noise(tmp_path / "a.png", (40, 50))
    example = SinglePicture(tmp_path / "a.png", SIDE, ExampleSpec(), flips=False)[3]
    assert set(example) == {"rainy"}
    crop = np.rint(example["rainy"].numpy() * 255).astype(np.uint8).transpose(1, 2, 0)
    windows = np.lib.stride_tricks.sliding_window_view(picture, (SIDE, SIDE), axis=(0, 1))
    assert (windows == crop.transpose(2, 0, 1)).all(axis=(2, 3, 4)).sum() == 1


def test_the_picture_for_the_discriminator_is_sheared_alike(put):
    root = put({"photo.png": 100})
    row, column = np.indices((80, 80))
    diagonal = np.rint(128 + 100 * np.sin((column - row) / 4)).astype(np.uint8)
    other = write_image(root / "diagonal.png", np.repeat(diagonal[:, :, None], 3, axis=2))
    data = SinglePicture(root / "photo.png", SIDE, RAINY, angle=45.0, flips=False, unpaired=[other])
    for example in (data[k] for k in range(5)):
        assert example["unpaired"].diff(dim=1).abs().max() < 0.01
        assert example["unpaired"].diff(dim=2).abs().max() > 0.05


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda root: root / "gone", PairCrops, "does not exist"),
        (lambda root: [], PairCrops, "no folder holds no pair"),
        (lambda root: root / "nothing", PairCrops, "nothing' holds no pair"),
        (lambda root: root / "alone", PairCrops, r"3 of 3 rainy pictures have no clean one, .*0\.png'"),
        (lambda root: root / "deep", RainyCrops, "or the folders that hold the rainy pictures themselves"),
        (lambda root: root / "odd", PairCrops, r"y\.png' has 60 x 60 pixels, but its clean picture .* has 60 x 61"),
        (lambda root: root / "tiny", RainyCrops, r"y\.png' has 20 x 20 pixels, too few for crops of 24 x 24"),
        (lambda root: [root / "alone/0.png"], SinglePicture, "one photograph is expected, got list"),
        (lambda root: root / "alone", SinglePicture, "is a folder where an image file is expected"),
    ],
)
def test_what_cannot_be_trained_on_is_named(put, make, kind, message):
    put({f"alone/{k}.png": 100 + k for k in range(3)} | {"deep/2020/1.png": 1})
    put({"odd/rain/y.png": 102, "odd/norain/x.png": 1, "odd/rain/x.png": 101}, (60, 60))
    put({"tiny/y.png": 1}, (20, 20))
    root = put({"odd/norain/y.png": 2}, (60, 61))
    (root / "nothing").mkdir()
    write_manifest(root / "nothing", [])
    with pytest.raises((DataError, LayoutError), match=message):
        kind(make(root), SIDE, PAIR if kind is PairCrops else RAINY)


def test_arguments_are_checked(put):
    photo = put({"a.png": 7}) / "a.png"
    with pytest.raises(DataError, match="has no split 'train'"):
        SinglePicture(photo, SIDE, RAINY, split="train")
    with pytest.raises(ValueError, match="`angle` must be a number in"):
        SinglePicture(photo, SIDE, RAINY, angle=-90.0)


def test_problems_of_a_dataset_are_told_and_the_rest_is_used(put, caplog):
    root = put({"rain/x.png": 101, "norain/x.png": 1, "rain/y.png": 102})
    with caplog.at_level(logging.WARNING):
        data = PairCrops(root, SIDE, PAIR)
    assert shown(data, 3) == {(101, 1)}
    assert "1 problem" in caplog.text
    assert "y.png" in caplog.text
