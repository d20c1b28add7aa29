"""Examples that hold the layer that a network begins with."""

import numpy as np
import pytest
import torch

from rainnet.data import PairCrops, RenderedCrops
from rainnet.data.camera import Camera
from rainnet.models.start import solver_layers
from rainnet.programs.base import ExampleSpec
from rainopt.io import write_image
from tests.support.udgnet import rained

SPEC = ExampleSpec(upright=True, truth=True, start=True)
CAMERA = Camera(tinted=0.5, near=0.5, downpour=0.5, beaded=0.5, lamps=0.5, bars=0.5, noise=0.5, jpeg=0.5)


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """Paths of two smooth pictures."""
    folder, rng = tmp_path_factory.mktemp("clean"), np.random.default_rng(0)
    row, column = np.mgrid[:180, :220]
    paths = []
    for name in ("a.png", "b.png"):
        waves = np.sin(row / rng.uniform(9, 30))[..., None] * np.cos(column / rng.uniform(9, 30))[..., None]
        picture = 110 + 60 * waves * rng.random(3)
        paths.append(write_image(folder / name, picture.astype(np.uint8)))
    return paths


def test_an_example_with_a_start_depends_on_seed_and_number_alone(clean):
    first, second = (RenderedCrops(clean, 48, SPEC, seed=3, camera=CAMERA) for _ in range(2))
    forth = [first[k] for k in range(5)]
    back = [second[k] for k in reversed(range(5))][::-1]
    for one, other in zip(forth, back, strict=True):
        assert one.keys() == other.keys() == {"rainy", "clean", "start"}
        assert all(torch.equal(one[name], other[name]) for name in one)
        assert one["start"].shape == (1, 48, 48)
        assert 0 <= one["start"].min() <= one["start"].max() <= 1


def test_the_start_takes_most_of_the_rain_off(clean):
    data = RenderedCrops(clean, 64, SPEC, dry=0.0, presets={"light": 1})
    before, after = [], []
    for example in (data[k] for k in range(8)):
        before.append((example["rainy"] - example["clean"]).square().mean())
        after.append((example["rainy"] - example["start"] - example["clean"]).square().mean())
    assert sum(after) < 0.4 * sum(before)


def test_frames_of_a_scene_have_a_start_each(clean):
    spec = ExampleSpec(upright=True, truth=True, frames=2, start=True)
    example = RenderedCrops(clean, 48, spec, dry=0.0, camera=CAMERA)[0]
    assert example["start"].shape == (2, 1, 48, 48)
    assert not torch.equal(*example["start"])


def test_the_start_of_pairs_is_found_in_the_crop(tmp_path, rng):
    for side in ("rain", "norain"):
        (tmp_path / side).mkdir()
        write_image(tmp_path / side / "one.png", rained(rng, 96, 120, 5.0))
    example = PairCrops([tmp_path], 64, SPEC)[0]
    rainy = example["rainy"][None]
    torch.testing.assert_close(example["start"], solver_layers(rainy, torch.zeros(1))[0])
