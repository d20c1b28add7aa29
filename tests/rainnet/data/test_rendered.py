"""Synthetic rain over clean pictures."""

import cv2
import numpy as np
import pytest
import torch

from data_tools import PRESETS
from rainnet.data import DataError, RenderedCrops
from rainnet.programs.base import ExampleSpec
from rainopt import estimate_angle
from rainopt.geometry.lines import line_angle
from rainopt.io import write_image

UPRIGHT = ExampleSpec(upright=True, truth=True, angle=True, plain=True)
LYING = ExampleSpec(truth=True, angle=True)


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """Paths of three clean pictures of soft spots of colour, of different sizes."""
    folder, rng = tmp_path_factory.mktemp("clean"), np.random.default_rng(0)
    paths = []
    for name, shape in {"a.png": (150, 220), "b.png": (260, 140), "c.png": (200, 200)}.items():
        few = rng.integers(30, 200, (6, 6, 3)).astype(np.uint8)
        paths.append(write_image(folder / name, cv2.resize(few, shape[::-1], interpolation=cv2.INTER_CUBIC)))
    return paths


def flat(folder, *levels, shape=(160, 160)):
    """Write pictures of one grey each."""
    return [write_image(folder / f"{level}.png", np.full((*shape, 3), level, np.uint8)) for level in levels]


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_an_example_depends_on_seed_and_number_alone(clean):
    first, second = (RenderedCrops(paths, 32, UPRIGHT, seed=3) for paths in (clean, [str(path) for path in clean]))
    forth = [first[k] for k in range(6)]
    back = [second[k] for k in reversed(range(6))][::-1]
    assert all(same(a, b) for a, b in zip(forth, back, strict=True))
    assert not any(same(forth[0], other) for other in forth[1:])
    assert not same(forth[0], RenderedCrops(clean, 32, UPRIGHT, seed=4)[0])
    assert first[10**12]["rainy"].shape == (3, 32, 32)
    for example in forth:
        assert all(0 <= value.min() <= value.max() <= 1 for name, value in example.items() if name != "angle")


def test_dry_examples_are_clean_and_have_an_angle(clean):
    dry, wet = (RenderedCrops(clean, 32, UPRIGHT, dry=share) for share in (1.0, 0.0))
    for k in range(5):
        assert torch.equal(dry[k]["rainy"], dry[k]["clean"])
        assert torch.equal(dry[k]["angle"], wet[k]["angle"])
        assert torch.equal(dry[k]["clean"], wet[k]["clean"])
    shares = RenderedCrops(clean, 16, UPRIGHT, dry=0.3, presets={"heavy": 1})
    found = np.mean([torch.equal(e["rainy"], e["clean"]) for e in (shares[k] for k in range(200))])
    assert 0.2 < found < 0.4


def test_rain_adds_light_and_leaves_dry_places_as_they_are(clean):
    data = RenderedCrops(clean, 64, LYING, dry=0.0, presets={"light": 1})
    for example in (data[k] for k in range(5)):
        rain = example["rainy"] - example["clean"]
        assert (rain >= 0).all()
        assert (rain == 0).any()
        assert rain.max() > 0.1
        levels = example["rainy"] * 255
        assert (levels - levels.round()).abs().max() < 1e-4


@pytest.mark.parametrize("preset", ["light", "medium", "heavy"])
def test_streaks_are_vertical_in_the_upright_crop_and_not_in_the_plain_one(preset, tmp_path):
    data = RenderedCrops(flat(tmp_path, 90), 64, UPRIGHT, dry=0.0, presets={preset: 1}, gain=(1, 1), angle_range=90.0)

    def leaning(crop, level):
        """Energy along the columns for each of that along the rows; small for vertical streaks."""
        rain = crop - level
        return float(rain.diff(dim=1).square().sum() / rain.diff(dim=2).square().sum())

    upright, plain = [], []
    for example in (data[k] for k in range(40)):
        upright.append(leaning(example["rainy"], 90 / 255))
        angle = float(example["angle"])
        plain.append(leaning(example["plain"], 90 / 255) / np.tan(np.deg2rad(angle)) ** 2)
    assert max(upright) < 0.35
    assert np.median(upright) < 0.1
    # A line that leans by θ changes tan²θ times as much along the columns as along the rows.
    assert 0.5 < np.median(plain) < 2


def test_the_angle_is_that_of_the_rain(tmp_path):
    paths = flat(tmp_path, 60, shape=(320, 320))
    data = RenderedCrops(paths, 320, LYING, dry=0.0, presets={"light": 1}, scale=(1, 1))
    for example in (data[k] for k in range(8)):
        found = estimate_angle(example["rainy"].numpy(), channel_axis=0)
        assert found.confidence > 0.5
        assert abs(line_angle(found.angle - float(example["angle"]))) < 1.5


@pytest.mark.parametrize("preset", PRESETS)
def test_of_several_directions_the_strongest_counts_and_angles_fill_their_range(preset, tmp_path):
    paths = flat(tmp_path, 60, shape=(40, 40))
    data = RenderedCrops(paths, 8, UPRIGHT, dry=1.0, presets={preset: 1}, angle_range=30.0)
    angles = np.array([float(data[k]["angle"]) for k in range(200)])
    assert -30 <= angles.min() < -28
    assert 28 < angles.max() <= 30
    assert np.histogram(angles, 3, (-30, 30))[0].min() > 35
    own = RenderedCrops(paths, 8, UPRIGHT, dry=1.0, presets={preset: 1}, angle_range=None)
    assert {float(own[k]["angle"]) for k in range(5)} != set(angles[:5])


def test_a_thicker_veil_than_the_presets_have_it(tmp_path):
    settings = {"presets": {"light": 1.0}, "dry": 0.0, "gain": (1.0, 1.0)}
    plain = RenderedCrops(flat(tmp_path, 51), 32, UPRIGHT, **settings)
    hazy = RenderedCrops(flat(tmp_path, 51), 32, UPRIGHT, haze=1.0, veil=(0.5, 0.5), **settings)
    for k in range(4):
        assert float(hazy[k]["rainy"].quantile(0.1)) > float(plain[k]["rainy"].quantile(0.1)) + 0.05
        assert torch.equal(hazy[k]["clean"], plain[k]["clean"])


def test_the_other_picture_is_another(tmp_path):
    paths = flat(tmp_path, 40, 90, 140)
    data = RenderedCrops(paths, 16, UPRIGHT, dry=1.0, gain=(1, 1), unpaired=paths)
    seen = set()
    for example in (data[k] for k in range(40)):
        levels = [round(float(example[name].mean()) * 255) for name in ("clean", "unpaired")]
        assert levels[0] != levels[1]
        seen.add(tuple(levels))
    assert len(seen) == 6
    with pytest.raises(DataError, match=r"40\.png' is the only picture for \"unpaired\""):
        RenderedCrops(paths, 16, UPRIGHT, unpaired=paths[:1])


def test_reduction_averages_and_gain_multiplies(tmp_path, rng):
    picture = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    paths = [write_image(tmp_path / "a.png", picture)]
    half = RenderedCrops(paths, 32, LYING, dry=1.0, scale=(0.5, 0.5), flips=False, gain=(1, 1))
    mean = picture.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
    assert np.abs(half[0]["clean"].numpy() * 255 - mean).max() <= 0.51
    bright = RenderedCrops(paths, 64, LYING, dry=1.0, scale=(1, 1), flips=False, gain=(1.2, 1.2))
    expected = np.rint(np.minimum(picture * 1.2, 255)).transpose(2, 0, 1)
    assert np.array_equal(np.rint(bright[0]["clean"].numpy() * 255), expected)


def test_flips_show_a_picture_in_all_eight_ways_and_only_those(tmp_path, rng):
    picture = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    # No larger than the crop, which is enough.
    data = RenderedCrops([write_image(tmp_path / "a.png", picture)], 16, LYING, dry=1.0, gain=(1, 1))
    turned = [np.rot90(picture, k) for k in range(4)]
    ways = {way.transpose(2, 0, 1).tobytes() for way in turned + [way[:, ::-1] for way in turned]}
    assert {np.rint(data[k]["clean"].numpy() * 255).astype(np.uint8).tobytes() for k in range(80)} == ways


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"presets": {"lihgt": 1}}, "'lihgt' is no preset of rain; did you mean 'light'"),
        ({"presets": {"light": 0}}, "`presets` must give one of"),
        ({"presets": {"light": -1}}, "`light` must be a number in"),
        ({"dry": 1.5}, r"`dry` must be a number in \[0, 1\], got 1.5"),
        ({"angle_range": 91}, "`angle_range` must be"),
        ({"angle_error": -1}, "`angle_error` must be"),
        ({"scale": (1.0, 0.5)}, "`scale` must be the lowest and the highest value, in this order"),
        ({"scale": (0.5, 1.5)}, "`scale` must be a number in"),
        ({"gain": (1.0,)}, "`gain` must be the lowest and the highest value"),
        ({"size": 4}, "`size` must be a whole number of at least 8, got 4"),
        ({"seed": -1}, "`seed` must be"),
        ({"pictures": []}, "there is no clean picture; name a folder"),
    ],
)
def test_arguments_out_of_range_are_named(options, message, clean):
    with pytest.raises(ValueError, match=message):
        RenderedCrops(**({"pictures": clean, "size": 16, "spec": UPRIGHT} | options))
