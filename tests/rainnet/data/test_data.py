"""Rendered examples, what they are made of, and the crops themselves."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from data_tools import PRESETS
from rainnet.data import DataError, RenderedCrops, pictures_in
from rainnet.data.crops import Cut, Place, as_planes, find_place, wrapped
from rainnet.data.pictures import Pictures, as_rgb
from rainnet.programs.base import ExampleSpec
from rainopt import estimate_angle
from rainopt.geometry.warp import Upright
from rainopt.io import write_image

UPRIGHT = ExampleSpec(upright=True, truth=True, angle=True, plain=True)
LYING = ExampleSpec(truth=True, angle=True)
ANGLES = st.floats(-89.9, 90)


def smooth(shape, seed):
    """Return a picture of soft spots of colour, (H, W, 3) uint8."""
    import cv2

    few = np.random.default_rng(seed).integers(30, 200, (6, 6, 3)).astype(np.uint8)
    return cv2.resize(few, shape[::-1], interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """Paths of three clean pictures of different sizes, which differ all over."""
    folder = tmp_path_factory.mktemp("clean")
    shapes = {"a.png": (150, 220), "b.png": (260, 140), "c.png": (200, 200)}
    return [write_image(folder / name, smooth(shape, n)) for n, (name, shape) in enumerate(shapes.items())]


def flat(folder, *levels, shape=(160, 160)):
    """Write pictures of one grey each."""
    return [write_image(folder / f"{level}.png", np.full((*shape, 3), level, np.uint8)) for level in levels]


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


# Examples


def test_an_example_holds_what_it_should(clean):
    example = RenderedCrops(clean, 48, UPRIGHT, unpaired=clean)[5]
    assert set(example) == {"rainy", "clean", "plain", "angle", "unpaired"}
    for name, value in example.items():
        assert value.shape == (() if name == "angle" else (3, 48, 48))
        assert value.dtype == torch.float32
        assert name == "angle" or (value.min() >= 0 and value.max() <= 1)
    assert "plain" not in RenderedCrops(clean, 48, LYING)[5]


def test_an_example_depends_on_seed_and_number_alone(clean):
    first, second = RenderedCrops(clean, 32, UPRIGHT, seed=3), RenderedCrops(clean, 32, UPRIGHT, seed=3)
    forth = [first[k] for k in range(6)]
    back = [second[k] for k in reversed(range(6))][::-1]
    assert all(same(a, b) for a, b in zip(forth, back, strict=True))
    assert not any(same(forth[0], other) for other in forth[1:])
    assert not same(forth[0], RenderedCrops(clean, 32, UPRIGHT, seed=4)[0])
    assert first[10**12]["rainy"].shape == (3, 32, 32)


def test_a_picture_for_the_discriminator_changes_nothing_else(clean):
    with_one, without = RenderedCrops(clean, 32, UPRIGHT, unpaired=clean)[7], RenderedCrops(clean, 32, UPRIGHT)[7]
    assert with_one.pop("unpaired").shape == (3, 32, 32)
    assert same(with_one, without)


def test_dry_examples_are_clean_and_have_an_angle(clean):
    dry, wet = RenderedCrops(clean, 32, UPRIGHT, dry=1.0), RenderedCrops(clean, 32, UPRIGHT, dry=0.0)
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
    data = RenderedCrops(flat(tmp_path, 60, shape=(320, 320)), 320, LYING, dry=0.0, presets={"light": 1}, scale=(1, 1))
    for example in (data[k] for k in range(8)):
        found = estimate_angle(example["rainy"].numpy(), channel_axis=0)
        assert found.confidence > 0.5
        assert abs(wrapped(found.angle - float(example["angle"]))) < 1.5


def test_of_several_directions_the_strongest_counts(tmp_path):
    data = RenderedCrops(flat(tmp_path, 60), 32, UPRIGHT, presets={"multi": 1}, angle_range=30.0)
    own = RenderedCrops(flat(tmp_path, 60), 32, UPRIGHT, presets={"multi": 1}, angle_range=None)
    for k in range(20):
        for dataset, limit in ((data, 30.0), (own, 20.0 + 25.0)):
            spec, angle = dataset._draw_rain(np.random.default_rng(k))
            strongest = max(spec.directions, key=lambda direction: direction.share)
            assert abs(wrapped(spec.angle + strongest.turn - angle)) < 1e-9
            assert abs(angle) <= limit
            assert len(spec.directions) > 1


def test_angles_fill_their_range(tmp_path):
    data = RenderedCrops(flat(tmp_path, 60, shape=(40, 40)), 8, UPRIGHT, dry=1.0, angle_range=30.0)
    angles = np.array([float(data[k]["angle"]) for k in range(300)])
    assert -30 <= angles.min() < -28
    assert 28 < angles.max() <= 30
    counts = np.histogram(angles, 3, (-30, 30))[0]
    assert counts.min() > 60


def test_an_error_of_the_angle_moves_the_crop_and_not_the_truth(clean):
    true, missed = (
        RenderedCrops(clean, 32, UPRIGHT, dry=0.0),
        RenderedCrops(clean, 32, UPRIGHT, dry=0.0, angle_error=5.0),
    )
    for k in range(5):
        assert torch.equal(true[k]["angle"], missed[k]["angle"])
        assert not torch.equal(true[k]["rainy"], missed[k]["rainy"])


def test_the_other_picture_is_another(tmp_path):
    paths = flat(tmp_path, 40, 90, 140)
    data = RenderedCrops(paths, 16, UPRIGHT, dry=1.0, gain=(1, 1), unpaired=paths)
    seen = set()
    for example in (data[k] for k in range(40)):
        levels = [round(float(example[name].mean()) * 255) for name in ("clean", "unpaired")]
        assert levels[0] != levels[1]
        seen.add(tuple(levels))
    assert len(seen) == 6


def test_the_only_picture_cannot_be_the_other(tmp_path):
    paths = flat(tmp_path, 40, 90)
    with pytest.raises(DataError, match=r"40\.png' is the only picture for \"unpaired\""):
        RenderedCrops(paths, 16, UPRIGHT, unpaired=paths[:1])
    other = RenderedCrops(paths[:1], 16, UPRIGHT, gain=(1, 1), unpaired=paths[1:])[0]["unpaired"]
    assert torch.allclose(other, torch.tensor(90 / 255))


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
    paths = [write_image(tmp_path / "a.png", picture)]
    data = RenderedCrops(paths, 16, LYING, dry=1.0, gain=(1, 1))
    turned = [np.rot90(picture, k) for k in range(4)]
    ways = {way.transpose(2, 0, 1).tobytes() for way in turned + [way[:, ::-1] for way in turned]}
    shown = {np.rint(data[k]["clean"].numpy() * 255).astype(np.uint8).tobytes() for k in range(80)}
    assert shown == ways


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
    ],
)
def test_arguments_out_of_range_are_named(options, message, clean):
    with pytest.raises(ValueError, match=message):
        RenderedCrops(clean, **({"size": 16, "spec": UPRIGHT} | options))


def test_every_preset_can_be_drawn(clean):
    for name in PRESETS:
        assert RenderedCrops(clean, 16, UPRIGHT, presets={name: 1}, angle_range=None)[0]["rainy"].shape == (3, 16, 16)


# Crops


@given(angle=ANGLES, top=st.integers(0, 20), left=st.integers(0, 20), seed=st.integers(0, 99))
def test_an_upright_crop_is_a_crop_of_the_whole_picture_upright(angle, top, left, seed):
    cut = Cut(12, angle)
    height, width = cut.shape
    whole = np.random.default_rng(seed).random((2, height + 20, width + 20), dtype=np.float32)
    crop = cut.upright(whole[:, top : top + height, left : left + width])
    # The row that keeps its place is the middle one of the crop.
    start, along = (left, top) if cut.transposed else (top, left)
    upright = Upright(angle, *whole.shape[1:], centre=start + 5.5)
    sheared = np.clip(upright.forward(whole), 0, 1)
    column = upright.margin + along + cut.margin
    assert np.allclose(crop, sheared[:, start : start + 12, column : column + 12], atol=1e-5)


@given(angle=ANGLES)
def test_the_rectangle_is_as_large_as_the_crop_needs(angle):
    cut = Cut(12, angle)
    rectangle = np.zeros(cut.shape, np.float32)
    columns = rectangle if cut.transposed else rectangle.T
    length = 12 + 2 * cut.margin
    columns[...] = (np.arange(length) / length)[:, None]
    # A ramp tells where each value comes from.
    found = cut.upright(rectangle[None])[0] * length
    slope = Upright(angle, 12, 12).slope
    expected = np.arange(12) + cut.margin + slope * (np.arange(12)[:, None] - 5.5)
    assert np.abs(found - expected).max() < 0.05
    # Three pixels on each side are interpolated from, and a fraction of one more is lost to whole numbers.
    assert slope == 0 or 3 <= expected.min() <= 4
    assert slope == 0 or 3 <= length - 1 - expected.max() <= 4


def test_the_plain_crop_is_around_the_same_centre():
    for angle in (0.0, 20.0, -37.0, 60.0, -80.0):
        cut = Cut(11, angle)
        region = np.zeros((1, *cut.shape), np.float32)
        region[0, cut.shape[0] // 2, cut.shape[1] // 2] = 1
        assert cut.plain(region).shape == cut.upright(region).shape == (1, 11, 11)
        assert np.unravel_index(cut.plain(region).argmax(), (1, 11, 11)) == (0, 5, 5)
        assert np.unravel_index(cut.upright(region).argmax(), (1, 11, 11)) == (0, 5, 5)


@given(
    picture=st.tuples(st.integers(20, 90), st.integers(20, 90)),
    angle=ANGLES,
    scale=st.floats(0.2, 1),
    seed=st.integers(0, 9),
)
def test_a_place_lies_in_the_picture_where_it_can(picture, angle, scale, seed):
    shape = Cut(20, angle).shape
    place = find_place(picture, shape, 20, (scale, scale), np.random.default_rng(seed))
    fits = shape[0] <= picture[0] and shape[1] <= picture[1]
    inside = (
        place.top >= 0
        and place.left >= 0
        and place.top + place.height <= picture[0]
        and place.left + place.width <= picture[1]
    )
    assert inside == fits
    # In any case the middle square is.
    for start, side, part, whole in zip(place[:2], (place.height, place.width), shape, picture, strict=True):
        margin = (part - 20) / 2 * side / part
        assert start + margin >= -0.5
        assert start + side - margin <= whole + 0.5
    # Both sides are those of the result divided by one factor, in whole pixels.
    sides = list(zip((place.height, place.width), shape, strict=True))
    least = max((side - 0.5) / part for side, part in sides) - 1e-9
    most = min((side + 0.5) / part for side, part in sides) + 1e-9
    assert least <= most
    if scale * picture[0] > shape[0] and scale * picture[1] > shape[1]:
        assert least <= 1 / scale <= most


def test_places_reach_all_edges():
    places = [find_place((30, 24), (8, 20), 8, (1, 1), np.random.default_rng(k)) for k in range(400)]
    assert {place.top for place in places} == set(range(23))
    assert {place.left for place in places} == set(range(5))


def test_outside_lies_the_nearest_pixel(rng):
    picture = rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)
    taken = Place(-2, -3, 10, 12, (10, 12)).take(picture)
    assert np.array_equal(taken, np.pad(picture, ((2, 2), (3, 4), (0, 0)), mode="edge"))


def test_a_picture_no_larger_than_the_crop_is_enough(tmp_path):
    paths = flat(tmp_path, 90, shape=(16, 16))
    example = RenderedCrops(paths, 16, UPRIGHT, dry=1.0, gain=(1, 1))[0]
    assert torch.allclose(example["clean"], torch.tensor(90 / 255))


def test_planes_are_the_pictures_in_order(rng):
    a, b = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8), rng.random((4, 5, 3), dtype=np.float32)
    planes = as_planes(a, b)
    assert planes.dtype == np.float32
    assert np.allclose(planes[:3].transpose(1, 2, 0), a / 255)
    assert np.array_equal(planes[3:].transpose(1, 2, 0), b)


# Pictures


def test_pictures_are_found_below_folders_in_natural_order(tmp_path):
    names = ("b10.png", "b9.png", "a/x.JPG", "a/y.txt", ".hidden.png", "c/d/1.tif")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in pictures_in([tmp_path])]
    assert sorted(found) == ["a/x.JPG", "b10.png", "b9.png", "c/d/1.tif"]
    assert found.index("b9.png") < found.index("b10.png")
    assert pictures_in(tmp_path) == pictures_in([tmp_path, tmp_path / "a", tmp_path / "b9.png"])
    assert pictures_in([tmp_path / "c", tmp_path / "a"]) == [tmp_path / "c/d/1.tif", tmp_path / "a/x.JPG"]


def test_folders_without_pictures_are_named(tmp_path):
    with pytest.raises(DataError, match=f"'{tmp_path}/gone' does not exist; check the name"):
        pictures_in([tmp_path / "gone"])
    with pytest.raises(DataError, match=f"'{tmp_path}' holds no picture"):
        pictures_in([tmp_path])
    with pytest.raises(DataError, match="no folder of pictures is named"):
        pictures_in([])
    with pytest.raises(DataError, match="there is no clean picture; name a folder"):
        RenderedCrops([], 16, UPRIGHT)


def test_small_and_broken_pictures_are_named_at_once(tmp_path, clean):
    small = flat(tmp_path, 1, 2, shape=(20, 30))
    with pytest.raises(
        DataError, match=r"'.*1\.png' has 20 x 30 pixels, too few for crops of 24 x 24, and 1 more of 5"
    ):
        RenderedCrops([*clean, *small], 24, UPRIGHT)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"nonsense")
    with pytest.raises(DataError, match=r"broken\.png' is not a PNG"):
        RenderedCrops([*clean, broken], 16, UPRIGHT)
    cut_off = tmp_path / "cut.png"
    cut_off.write_bytes(clean[0].read_bytes()[:300])
    with pytest.raises(DataError, match=r"cut\.png' is a truncated PNG"):
        RenderedCrops([cut_off], 16, UPRIGHT)[0]


def test_pictures_are_kept_within_their_budget(tmp_path):
    paths = flat(tmp_path, 1, 2, 3, shape=(10, 10))
    store = Pictures(budget=2 * 300)
    held = [store.read(path) for path in paths[:2]]
    assert store.read(paths[0]) is held[0]
    store.read(paths[2])  # takes the place of the second, which was used longest ago
    assert store.read(paths[0]) is held[0]
    assert store.read(paths[1]) is not held[1]
    assert Pictures(budget=0).read(paths[0]).shape == (10, 10, 3)
    empty = pickle.loads(pickle.dumps(store))
    assert len(pickle.dumps(store)) < 300
    assert empty.read(paths[0]) is not held[0]
    assert np.array_equal(empty.read(paths[0]), held[0])


def test_all_kinds_of_pictures_become_8_bit_rgb():
    grey = np.array([[0, 7, 255]], np.uint8)
    rgb = np.repeat(grey[:, :, None], 3, axis=2)
    alpha = np.full((1, 3, 1), 9, np.uint8)
    kinds = (grey, rgb, grey.astype(np.uint16) * 257, grey / np.float32(255))
    with_alpha = (np.concatenate([grey[:, :, None], alpha], 2), np.concatenate([rgb, alpha], 2))
    for pixels in kinds + with_alpha:
        assert np.array_equal(as_rgb(pixels), rgb)
        assert as_rgb(pixels).dtype == np.uint8


def test_paths_may_be_text(clean):
    assert same(RenderedCrops([str(path) for path in clean], 16, UPRIGHT)[0], RenderedCrops(clean, 16, UPRIGHT)[0])
    assert all(isinstance(path, Path) for path in clean)


def test_hidden_folders_do_not_count_and_links_in_a_circle_end(tmp_path):
    for folder in ("a", "a/.thumbnails"):
        (tmp_path / folder).mkdir()
        write_image(tmp_path / folder / "1.png", np.zeros((8, 8, 3)))
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    assert pictures_in(tmp_path) == [tmp_path / "a" / "1.png"]


def test_a_thicker_veil_than_the_presets_have_it(tmp_path):
    write_image(tmp_path / "1.png", np.full((64, 64, 3), 0.2))
    settings = {"presets": {"light": 1.0}, "dry": 0.0, "gain": (1.0, 1.0)}
    plain = RenderedCrops([tmp_path / "1.png"], 32, UPRIGHT, **settings)
    hazy = RenderedCrops([tmp_path / "1.png"], 32, UPRIGHT, haze=1.0, veil=(0.5, 0.5), **settings)
    for k in range(4):
        assert float(hazy[k]["rainy"].quantile(0.1)) > float(plain[k]["rainy"].quantile(0.1)) + 0.05
        assert torch.equal(hazy[k]["clean"], plain[k]["clean"])
