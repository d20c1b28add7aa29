"""What is left of streaks: drawn ones of known contrast, and how the measure is fooled."""

import json

import numpy as np
import pytest
from scipy import ndimage

from benchmarks import traces
from benchmarks.common import photograph
from benchmarks.rain.clear_streaks import CELLS, FEWEST, IN_CELL, find_streaks
from benchmarks.rain.kept import away_from, kept_of
from benchmarks.rain.streak_profiles import Streaks, traces_of
from benchmarks.rain.wide_streaks import find_wide, halved
from data_tools import RainSpec, add_rain
from rainopt import write_image
from tests.support.processes import call

HEIGHT, WIDTH = 120, 160
WHITE = np.ones(3)
ORANGE = np.array([1.0, 0.0, -1.0])


def slope():
    """Return a smooth picture: across a streak, its contrast is 0."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([0.3 + 0.001 * rows, 0.4 - 0.0005 * columns, 0.25 + 0.0005 * (rows + columns)], axis=-1)


def drawn(angles, length=40.0, half=1.5):
    """Return a streak for each angle, side by side, and the picture of bars 3 pixels wide that fade within a pixel."""
    count = len(angles)
    columns = (np.arange(count) + 0.5) * WIDTH / count
    streaks = Streaks(np.full(count, HEIGHT / 2), columns, np.asarray(angles, float), np.full(count, length))
    row, column = np.mgrid[:HEIGHT, :WIDTH]
    bars = np.zeros((HEIGHT, WIDTH))
    for k, angle in enumerate(np.radians(angles)):
        down, right = np.cos(angle), np.sin(angle)
        along = (row - streaks.row[k]) * down + (column - columns[k]) * right
        aside = (column - columns[k]) * down - (row - streaks.row[k]) * right
        inside = np.clip(half + 0.5 - np.abs(aside), 0, 1) * np.clip(length / 2 + 3 - np.abs(along), 0, 1)
        bars = np.maximum(bars, inside)
    return streaks, bars[..., None]


@pytest.mark.parametrize("angles", [(0.0,), (17.0,), (-42.0,), (90.0,), (20.0, -25.0)])
@pytest.mark.parametrize(
    ("over", "colour", "expected"),
    [
        (0.0, WHITE, (0, 0, 0)),
        (1.0, WHITE, (1, 0, 0)),
        (0.5, WHITE, (0.5, 0, 0)),
        (-0.3, WHITE, (0, 0.3, 0)),
    ],
)
def test_what_was_drawn_is_measured_at_every_angle(angles, over, colour, expected):
    streaks, bars = drawn(angles)
    rainy, result = (slope() + share * 0.2 * bars * colour for share in (1.0, over))
    # The slope is nearly as bright on both sides: within what it rises, dark is by the darker side.
    assert traces_of(rainy, result, streaks) == pytest.approx(expected, abs=0.02)


def test_a_colour_that_is_left_is_chroma_and_no_light():
    streaks, bars = drawn((10.0, -30.0))
    grey = np.dot(ORANGE, (0.299, 0.587, 0.114))
    residue = 0.05 * (ORANGE - grey) * bars  # of luminance 0
    found = traces_of(slope() + 0.2 * bars, slope() + residue, streaks)
    assert found == pytest.approx((0, 0, 0.25 * np.sqrt(np.mean((ORANGE - grey) ** 2))), abs=0.01)


def test_dots_do_not_cancel_in_the_mean():
    streaks, bars = drawn((0.0,))
    dots = np.where((np.arange(HEIGHT) // 8 % 2)[:, None, None], 1.0, -1.0)
    left, dark, _ = traces_of(slope() + 0.2 * bars, slope() + 0.1 * dots * bars, streaks)
    # Half of the sections lie in one kind of dots each, and half across two.
    assert left > 0.12
    assert dark > 0.12


def test_no_section_counts_for_more_than_it_had():
    streaks, bars = drawn((0.0,))
    assert traces_of(slope() + 0.1 * bars, slope() + 0.3 * bars, streaks).left == pytest.approx(1)


def test_bit_depth_darkness_and_grey_change_nothing():
    streaks, bars = drawn((12.0,))
    rainy, result = slope() + 0.2 * bars, slope() + 0.07 * bars
    expected = traces_of(rainy, result, streaks)
    sixteen = [np.rint(65535 / 8 * image).astype(np.uint16) for image in (rainy, result)]
    assert traces_of(*sixteen, streaks) == pytest.approx(expected, abs=1e-3)
    grey = [image[..., 1] for image in (rainy, result)]
    assert traces_of(*grey, streaks) == pytest.approx((0.35, 0, 0), abs=0.01)


def test_what_cannot_be_measured_is_named():
    streaks, bars = drawn((0.0,))
    with pytest.raises(
        ValueError, match=r"`result` must be as high and wide as `rainy`, \(120, 160\), got \(119, 160\)"
    ):
        traces_of(slope(), slope()[1:], streaks)
    with pytest.raises(ValueError, match="none is"):
        traces_of(slope() - 0.1 * bars, slope(), streaks)


@pytest.fixture(scope="module")
def rain():
    """A photograph, the same with rain, and what is found in it."""
    clean = photograph(300, 451) / 255
    rainy = np.asarray(
        add_rain(clean, RainSpec(angle=15.0, density=3000.0, intensity=0.7), np.random.default_rng(0)).rainy
    )
    return clean, rainy, find_streaks(rainy)


def test_found_streaks_are_those_that_were_rendered(rain):
    clean, rainy, found = rain
    assert len(found.clear.row) >= FEWEST
    assert np.abs(found.clear.angle - 15).max() < 7
    left, dark, _ = traces_of(rainy, clean, found.clear)
    assert left < 0.1
    assert dark < 0.1
    assert not find_streaks(clean).directions


@pytest.mark.parametrize("shape", [(2, 2), (40, 60), (40, 60, 3)])
def test_a_flat_picture_has_no_rain(shape):
    found = find_streaks(np.full(shape, 0.5))
    assert not found.directions
    assert len(found.clear.row) == len(found.likely.row) == 0


def test_no_streak_is_found_twice_and_no_part_gives_many(rain):
    _, _, found = rain
    rows, columns = (np.subtract.outer(at, at) for at in found.clear[:2])
    down, right = np.cos(np.radians(found.clear.angle)), np.sin(np.radians(found.clear.angle))
    aside, along = np.abs(columns * down - rows * right), np.abs(rows * down + columns * right)
    reach = np.add.outer(found.clear.length, found.clear.length) / 2
    same = (aside < 3) & (along < reach) & (np.abs(np.subtract.outer(found.clear.angle, found.clear.angle)) < 1)
    assert np.array_equal(same, np.eye(len(same), dtype=bool))
    cells = [(CELLS * (at + 0.5) / size).astype(int) for at, size in zip(found.clear[:2], found.shape, strict=True)]
    assert np.bincount(cells[0] * CELLS + cells[1]).max() <= IN_CELL


def test_black_and_blurred_pictures_have_few_traces_and_keep_little(rain):
    clean, rainy, found = rain
    away = away_from(found.shape, found.likely)
    assert kept_of(rainy, rainy, away) == (1, 100)
    true = kept_of(rainy, clean, away)
    for fooled in (np.zeros_like(rainy), ndimage.gaussian_filter(rainy, (6, 6, 0))):
        assert max(traces_of(rainy, fooled, found.clear)) < 0.1
        kept = kept_of(rainy, fooled, away)
        assert kept.detail < 0.2 < true.detail
        assert kept.psnr < true.psnr - 5


def test_away_is_away_from_all_streaks():
    streaks, bars = drawn((0.0, 30.0))
    away = away_from((HEIGHT, WIDTH), streaks)
    assert 0.8 < away.mean() < 0.95
    assert not (away & (bars[..., 0] > 0)).any()
    assert away_from((HEIGHT, WIDTH), streaks.select(np.zeros(2, bool))).all()
    assert kept_of(slope(), slope(), np.zeros((HEIGHT, WIDTH), bool)) is None


@pytest.mark.slow
def test_methods_are_told_beside_the_input_and_dry_photographs_counted(rain, tmp_path):
    clean, rainy, _ = rain
    drawn_pair = {"pairs/drawn/rain": (rainy,), "pairs/drawn/norain": (clean,)}
    for folder, pair in {"photos": (rainy, clean), "mine": (clean, clean), **drawn_pair}.items():
        (tmp_path / folder).mkdir(parents=True)
        for name, image in zip(("a.png", "b.png"), pair, strict=False):
            write_image(tmp_path / folder / name, image)
    target, sheet = tmp_path / "traces.json", tmp_path / "sheet.png"
    words = ("--folder", f"truth={tmp_path / 'mine'}", "--json", target, "--sheet", sheet)
    status, out, err = call(traces.main, "--data", tmp_path, *words)
    assert status == 0, err
    assert "1 with no rain seen" in out
    told = json.loads(target.read_text())
    assert list(told["means"]) == ["input", "rainopt", "udgnet-small", "truth"]
    assert told["means"]["input"]["left"] == pytest.approx(1)
    assert told["means"]["input"]["chroma_ratio"] == 1
    assert told["means"]["truth"]["left"] < 0.1
    assert told["means"]["truth"]["detail"] > told["means"]["rainopt"]["detail"]
    assert told["left_out"]["no rain seen"] == ["b.png"]
    assert told["truths"]["drawn"]["pictures"] == 1
    assert told["truths"]["drawn"]["left"] == pytest.approx(told["means"]["truth"]["left"])
    assert sheet.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--model", "nothing-of-this-name"), "--model: "),
        (("--model", "empty/photos"), "use --folder"),
        (("--folder", "nowhere"), "--folder must name a folder of results"),
        (("--folder", "without"), "has none of a.png"),
    ],
)
def test_what_is_no_method_is_refused(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("empty/photos", "without"):
        (tmp_path / folder).mkdir(parents=True)
    write_image(tmp_path / "empty/photos/a.png", slope())
    write_image(tmp_path / "without/c.png", slope())
    status, _, err = call(traces.main, "--data", tmp_path / "empty", *words)
    assert status == 2
    assert message in " ".join(err.split())


def test_names_of_methods_are_not_taken_twice_and_sheets_are_pictures(tmp_path):
    for folder in ("photos", "mine"):
        (tmp_path / folder).mkdir()
        write_image(tmp_path / folder / "a.png", slope())
    for words, message in (
        (("--folder", f"input={tmp_path / 'mine'}"), "there is a 'input'"),
        (("--folder", tmp_path / "mine", "--folder", tmp_path / "mine"), "there is a 'mine'"),
        (("--sheet", tmp_path / "sheet.txt"), "--sheet must end in .png"),
    ):
        status, _, err = call(traces.main, "--data", tmp_path, *words)
        assert status == 2
        assert message in " ".join(err.split())


def test_what_cannot_be_read_is_named_and_the_rest_is_measured(rain, tmp_path):
    _, rainy, _ = rain
    for name in ("photos", "mine"):
        (tmp_path / name).mkdir()
        for photo in ("a.png", "c.png"):
            write_image(tmp_path / name / photo, rainy)
    (tmp_path / "photos/b.png").write_bytes(b"no picture")
    (tmp_path / "mine/b.png").write_bytes(b"no picture")
    write_image(tmp_path / "mine/c.png", slope(), overwrite=True)
    target = tmp_path / "traces.json"
    status, _, err = call(traces.main, "--data", tmp_path, "--folder", tmp_path / "mine", "--json", target)
    assert status == 1
    assert "b.png: failed" in err
    assert "c.png: failed" in err
    told = json.loads(target.read_text())
    assert told["failed"] == ["b.png", "c.png"]
    assert list(told["each"]) == ["a.png"]
    assert told["means"]["mine"]["left"] == pytest.approx(1)


def test_wide_streaks_are_told_from_thin_ones_at_half_the_size():
    rng = np.random.default_rng(1)
    wide, thin = (RainSpec(angle=12.0, density=500.0, length=70.0, width=width, intensity=0.7) for width in (9.0, 1.6))
    scene = np.full((400, 520, 3), 0.3)
    near, far = (halved(np.asarray(add_rain(scene, spec, rng).rainy)) for spec in (wide, thin))
    assert near.shape == (200, 260, 3)
    found = find_wide(near)
    assert len(found.row) >= 4
    assert len(find_wide(far).row) <= len(find_streaks(far).clear.row) / 4
    assert traces_of(near, halved(scene), found) == pytest.approx((0, 0, 0), abs=0.01)


def test_half_the_size_is_the_mean_of_blocks_in_every_depth():
    image = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    half = halved(image)
    assert half.shape == (2, 3, 3)
    np.testing.assert_allclose(half[1, 2], image[2:4, 4:6].mean(axis=(0, 1)) / 255, rtol=1e-6)
    np.testing.assert_allclose(halved(image.astype(np.uint16) * 257), half, rtol=1e-6)
    np.testing.assert_allclose(halved(image[..., 0] / 255), half[..., 0], rtol=1e-6)
