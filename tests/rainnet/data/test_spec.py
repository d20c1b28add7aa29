"""What a program's spec asks for, and what each kind of data answers."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from data_tools.manifest.file import write_manifest
from data_tools.manifest.record import PairRecord
from rainnet.data import DataError
from rainnet.data.kinds import ALL, KINDS, Kind, dataset_for
from rainnet.programs.base import ExampleSpec
from rainnet.recipes.sections import DataSection
from rainopt.io import write_image

SIZE = 16


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A dataset of two scenes in three rains each, streaks at 30 degrees; level 50 k + 10 n of scene k and rain n."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "rainy_image").mkdir()
    (folder / "ground_truth").mkdir()
    for scene in range(2):
        write_image(folder / f"ground_truth/{scene}.png", np.full((40, 44, 3), 50 * scene, np.uint8))
        for rain in range(1, 4):
            write_image(
                folder / f"rainy_image/{scene}_{rain}.png", np.full((40, 44, 3), 50 * scene + 10 * rain, np.uint8)
            )
    return folder


def section(root, kind="pairs", **keys):
    files = {"rendered": root / "ground_truth", "single": root / "rainy_image/0_1.png"}
    return DataSection(kind=kind, train=(files.get(kind, root),), size=SIZE, **keys)


def levels(crops):
    return [round(float(crop.mean()) * 255) for crop in crops]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("upright", [True, False])
def test_an_example_holds_what_is_asked_for_and_nothing_else(root, kind, upright):
    others = {"unpaired": (root / "ground_truth",), "unpaired_rainy": (root / "rainy_image",)}
    assert dataset_for(section(root, kind), 0, ExampleSpec(upright=upright))[0].keys() == {"rainy"}
    spec = ExampleSpec(upright, 1, "truth" in KINDS[kind].gives, True, True, True, True)
    example = dataset_for(section(root, kind, **others), 0, spec)[0]
    names = {"rainy", "unpaired", "unpaired_rainy", "angle", "plain"} | ({"clean"} if spec.truth else set())
    assert {name: tuple(value.shape) for name, value in example.items()} == {
        name: () if name == "angle" else (3, SIZE, SIZE) for name in names
    }
    if not upright:
        assert torch.equal(example["rainy"], example["plain"])


def test_entries_do_not_change_one_another(root):
    others = {"unpaired": (root / "ground_truth",), "unpaired_rainy": (root / "rainy_image",)}
    whole = dataset_for(section(root, **others), 3, ExampleSpec(True, 1, True, True, True, True, True))
    for name, field in (("clean", "truth"), ("angle", "angle"), ("unpaired", "unpaired")):
        alone = dataset_for(section(root, **others), 3, replace(ExampleSpec(upright=True), **{field: True}))
        for k in range(5):
            assert torch.equal(alone[k][name], whole[k][name])
            assert torch.equal(alone[k]["rainy"], whole[k]["rainy"])


@pytest.mark.parametrize("kind", ["rendered", "pairs"])
@pytest.mark.parametrize("upright", [True, False])
def test_frames_are_one_place_under_different_rains(root, kind, upright):
    spec = ExampleSpec(upright=upright, frames=2, truth=True, angle=True, plain=True)
    data = dataset_for(section(root, kind, presets={"heavy": 1.0}), 0, spec)
    for example in (data[k] for k in range(8)):
        assert example["rainy"].shape == example["clean"].shape == example["plain"].shape == (2, 3, SIZE, SIZE)
        assert example["angle"].shape == (2,)
        assert torch.equal(example["clean"][0], example["clean"][1])
        assert not torch.equal(example["rainy"][0], example["rainy"][1])
        if kind == "pairs":
            scene, *rains = levels([example["clean"][0], *example["rainy"]])
            assert all(rain - scene in (10, 20, 30) for rain in rains)
            assert len(set(rains)) == 2


def test_the_rain_of_all_frames_is_of_one_angle(root):
    data = dataset_for(section(root, "rendered", angle_range=40.0), 0, ExampleSpec(frames=3, angle=True))
    angles = [data[k]["angle"] for k in range(10)]
    assert all(bool((angle == angle[0]).all()) for angle in angles)
    assert len({float(angle[0]) for angle in angles}) == 10


def test_more_frames_than_one_begin_with_the_one(root):
    one, two = (dataset_for(section(root, "rendered"), 5, ExampleSpec(frames=frames)) for frames in (1, 2))
    for k in range(5):
        assert torch.equal(one[k]["rainy"], two[k]["rainy"][0])


def test_without_truth_the_scene_of_a_manifest_groups_frames(tmp_path):
    records = []
    for scene, rain, side in (("a", 1, 40), ("a", 2, 40), ("b", 1, 36), ("b", 2, 36), ("c", 1, 30)):
        name, level = f"{scene}{rain}.png", 100 * (scene == "b") + 10 * rain
        write_image(tmp_path / name, np.full((side, side, 3), level, np.uint8))
        records.append(PairRecord(id=f"{scene}{rain}", rainy=name, scene=scene, angle=0.0))
    write_manifest(tmp_path, records)
    rainy = DataSection(kind="rainy", train=(tmp_path,), size=SIZE)
    data = dataset_for(rainy, 0, ExampleSpec(frames=2))
    seen = {tuple(sorted(levels(data[k]["rainy"]))) for k in range(20)}
    assert seen == {(10, 20), (110, 120)}
    with pytest.raises(DataError, match="need 3 rainy pictures of one scene, and the most that a scene has here is 2"):
        dataset_for(rainy, 0, ExampleSpec(frames=3))
    # Scenes of two datasets do not mix, though they are called alike.
    other = tmp_path / "other"
    other.mkdir()
    write_image(other / "x.png", np.full((40, 40, 3), 200, np.uint8))
    write_manifest(other, [PairRecord(id="x", rainy="x.png", scene="c", angle=0.0)])
    both = DataSection(kind="rainy", train=(tmp_path, other), size=SIZE)
    assert {tuple(sorted(levels(dataset_for(both, 0, ExampleSpec(frames=2))[k]["rainy"]))) for k in range(20)} == seen
    write_image(tmp_path / "a2.png", np.zeros((41, 40, 3)))
    with pytest.raises(DataError, match=r"a2\.png' and '.*a1\.png' show one scene and differ in size"):
        dataset_for(rainy, 0, ExampleSpec(frames=2))


def test_other_rainy_pictures_are_not_those_of_the_example(root):
    data = dataset_for(section(root, unpaired_rainy=(root / "rainy_image",)), 0, ExampleSpec(unpaired_rainy=True))
    drawn = [levels([data[k]["rainy"], data[k]["unpaired_rainy"]]) for k in range(30)]
    assert len({rainy for _, rainy in drawn}) == 6
    assert 3 < sum(own != other for own, other in drawn) < 30


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        ("rainy", ExampleSpec(truth=True), "the truth, which data.kind 'rainy' cannot give; 'rendered' and"),
        ("single", ExampleSpec(frames=2), "'rendered' and 'pairs' and 'rainy' can"),
        ("pairs", ExampleSpec(unpaired=True), "clean pictures of other scenes: name a folder with --clean"),
        ("pairs", ExampleSpec(unpaired_rainy=True), "--rainy, or data.unpaired_rainy"),
        ("piars", ExampleSpec(), "'data.kind': 'piars' is no kind of data; did you mean 'pairs'"),
    ],
)
def test_what_cannot_be_answered_names_what_can(root, kind, spec, message):
    with pytest.raises(DataError, match=message):
        dataset_for(section(root, kind), 0, spec)


def test_a_kind_can_be_added(root, monkeypatch):
    told = []
    monkeypatch.setitem(KINDS, "mine", Kind(lambda *given: told.append(given) or "data", ALL - {"plain"}))
    asked = section(root, "mine")
    assert dataset_for(asked, 7, ExampleSpec(truth=True)) == "data"
    assert told == [(asked, 7, ExampleSpec(truth=True))]
    with pytest.raises(DataError, match="'mine' cannot give"):
        dataset_for(asked, 7, ExampleSpec(plain=True))


def test_the_spec_of_two_stages_asks_for_what_either_asks_for():
    both = ExampleSpec(frames=2, angle=True) | ExampleSpec(upright=True, truth=True)
    assert both == ExampleSpec(upright=True, frames=2, truth=True, angle=True)
    assert both.demands == {"upright", "frames", "truth", "angle"}
