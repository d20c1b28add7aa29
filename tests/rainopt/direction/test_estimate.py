import functools

import numpy as np
import pytest

from data_tools import RainDirection, RainSpec, add_rain
from rainopt import AngleEstimate, estimate_angle
from rainopt.direction import planes as work_planes
from rainopt.direction.estimate import AGREEMENT, APART, FLOOR, PRESENT, describe, peak, probability, refine, vote
from rainopt.direction.evidence import Evidence

ANGLES = (-60, -45, -31.5, -20, -8, -1, 0, 2.3, 10, 15, 27, 40, 45, 50, 60)


def background(shape):
    rows, columns = (np.linspace(0, 1, n) for n in shape)
    return (0.3 + 0.15 * np.sin(3 * rows)[:, None] + 0.1 * columns[None, :]).astype(np.float32)


@functools.cache
def rainy(angle, seed=0, shape=(240, 320), directions=None):
    chosen = {} if directions is None else {"directions": directions}
    spec = RainSpec(angle=float(angle), angle_spread=0.0, density=1500.0, length=35.0, intensity=0.4, **chosen)
    out = add_rain(background(shape), spec, np.random.default_rng(seed)).rainy
    out.setflags(write=False)
    return out


def gap(a, b):
    """Angle between two lines, degrees."""
    return abs((a - b + 90) % 180 - 90)


def votes(angle, weight=None, dark=False, rng=None):
    """Evidence spread evenly over the picture."""
    angle = np.asarray(angle, float)
    weight = np.ones(len(angle)) if weight is None else np.asarray(weight, float)
    k = np.arange(len(angle))
    return Evidence(angle, weight, (k * 0.618) % 1, (k * 0.414) % 1, np.full(len(angle), dark), np.ones(len(angle)))


def both(bright, dark):
    return Evidence(*(np.concatenate(pair) for pair in zip(bright, dark, strict=True)))


# Rain with known truth


@pytest.mark.parametrize("angle", ANGLES)
def test_rendered_rain_is_found(angle):
    found = estimate_angle(rainy(angle))
    assert isinstance(found, AngleEstimate)
    assert gap(found.angle, angle) < 0.5
    assert 0.9 < found.confidence <= 1
    assert len(found.directions) == 1
    assert found.directions[0] == (found.angle, 1.0)


@pytest.mark.parametrize("turns", [(-12.0, 12.0), (-22.0, 0.0, 22.0)])
@pytest.mark.parametrize("angle", [-7, 20])
def test_several_directions_are_told_apart(angle, turns):
    # Crossing streaks are hard to follow in a small picture.
    image = rainy(angle, shape=(480, 640), directions=tuple(RainDirection(t, 1.0) for t in turns))
    found = estimate_angle(image)
    assert sorted(d.angle for d in found.directions) == pytest.approx([angle + t for t in turns], abs=1)
    assert sum(d.share for d in found.directions) == pytest.approx(1)
    assert all(0.5 / len(turns) < d.share < 2 / len(turns) for d in found.directions)
    shares = [d.share for d in found.directions]
    assert shares == sorted(shares, reverse=True)
    assert found.angle == found.directions[0].angle


def test_a_weaker_direction_has_the_smaller_share():
    image = rainy(0, shape=(480, 640), directions=(RainDirection(-15.0, 1.0), RainDirection(15.0, 0.4)))
    first, second = estimate_angle(image).directions
    assert first.angle == pytest.approx(-15, abs=1)
    assert second.angle == pytest.approx(15, abs=1)
    assert 0.15 < second.share < 0.45


# What must not matter


@pytest.mark.parametrize("angle", [-40, 5, 22])
def test_a_mirrored_image_has_the_mirrored_angle(angle):
    image = rainy(angle)
    found, mirrored = estimate_angle(image), estimate_angle(image[:, ::-1])
    assert mirrored.angle == pytest.approx(-found.angle, abs=0.1)
    assert mirrored.confidence == pytest.approx(found.confidence, abs=0.02)
    flipped = estimate_angle(image[::-1])
    assert flipped.angle == pytest.approx(-found.angle, abs=0.1)


@pytest.mark.parametrize("by", [15, -15, 30])
@pytest.mark.parametrize("angle", [-22, 0, 9])
def test_an_image_turned_by_some_degrees_has_the_angle_turned(angle, by):
    from scipy import ndimage

    image = rainy(angle, shape=(420, 420))
    # Positive angles of `rotate` turn the picture against the clock, from down towards the right: ours exactly.
    turned = np.clip(ndimage.rotate(image, by, reshape=False, order=3, mode="reflect"), 0, 1)[80:-80, 80:-80]
    found, after = estimate_angle(image[80:-80, 80:-80]), estimate_angle(turned)
    assert after.angle == pytest.approx(found.angle + by, abs=0.5)
    assert after.confidence > 0.9


@pytest.mark.parametrize("factor", [0.5, 0.7, 1.5, 2])
def test_scale_does_not_matter(factor):
    from scipy import ndimage

    image = rainy(17, shape=(300, 400))
    found, scaled = estimate_angle(image), estimate_angle(np.clip(ndimage.zoom(image, factor, order=3), 0, 1))
    assert scaled.angle == pytest.approx(found.angle, abs=0.3)
    assert scaled.confidence == pytest.approx(found.confidence, abs=0.1)


@pytest.mark.parametrize("scale", [0.5, 0.25, 0.3])
def test_brightness_does_not_matter(scale):
    found, darker = estimate_angle(rainy(22)), estimate_angle(rainy(22) * np.float32(scale))
    assert darker.angle == pytest.approx(found.angle, abs=0.05)
    assert darker.confidence == pytest.approx(found.confidence, abs=0.01)


def test_an_offset_does_not_matter():
    image = 0.5 * rainy(-15)
    assert estimate_angle(image + 0.3).angle == pytest.approx(estimate_angle(image).angle, abs=0.1)


def test_dtypes_agree():
    image = rainy(18)
    found = estimate_angle(image)
    assert estimate_angle(image.astype(np.float64)) == found
    for dtype in (np.uint8, np.uint16):
        full = np.iinfo(dtype).max
        coarse = estimate_angle(np.rint(image * full).astype(dtype))
        # Rounded to 8 bits, a smooth background has contours.
        assert coarse.angle == pytest.approx(found.angle, abs=0.4)


def test_layouts_and_libraries_agree(xp):
    colour = np.stack([rainy(18) * k for k in (1.0, 0.9, 0.8)], axis=-1).astype(np.float32)
    found = estimate_angle(colour)
    assert estimate_angle(xp.asarray(colour)) == found
    assert estimate_angle(xp.asarray(np.ascontiguousarray(np.moveaxis(colour, -1, 0))), channel_axis=0) == found
    assert estimate_angle(np.moveaxis(colour, -1, 1), channel_axis=1) == found
    alpha = np.dstack([colour, np.random.default_rng(0).random((240, 320, 1), dtype=np.float32)])
    assert estimate_angle(alpha) == found
    assert estimate_angle(rainy(18)[..., None]) == estimate_angle(rainy(18))


def test_memory_layout_does_not_matter_and_the_input_is_kept():
    image = rainy(18).copy()
    kept = image.copy()
    found = estimate_angle(image)
    assert estimate_angle(np.asfortranarray(image)) == found
    assert estimate_angle(np.repeat(image, 2, axis=1)[:, ::2]) == found
    np.testing.assert_array_equal(image, kept)


def test_large_images_are_judged_by_the_means_of_blocks(monkeypatch):
    image = rainy(10)
    monkeypatch.setattr(work_planes, "WORK_PIXELS", image.size)
    large = np.kron(image, np.ones((3, 3), np.float32))
    assert estimate_angle(large).angle == pytest.approx(estimate_angle(image).angle, abs=0.1)
    odd = np.pad(large, ((0, 2), (0, 1)), "edge")
    assert estimate_angle(odd).angle == pytest.approx(10, abs=1)


# Where there is no rain


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (1, 60), (60, 1), (2, 2), (3, 3), (64, 80)])
def test_nothing_is_found_where_nothing_is(shape, value):
    assert estimate_angle(np.full(shape, value, np.float32)) == AngleEstimate(0.0, 0.0)


def dry(rng, kind):
    rows, columns = np.mgrid[:240, :320]
    if kind == "smooth":
        return background((240, 320))
    if kind == "noise":
        return rng.random((240, 320))
    if kind == "stripes":  # as many dark lines as bright ones
        return 0.5 + 0.3 * np.sin(columns / 2)
    if kind == "fence":  # pales, and nothing else
        return np.where((columns % 16 < 2) & (rows > 150), 0.8, background((240, 320)))
    if kind == "shutters":
        return np.where(rows % 9 < 2, 0.9, 0.4)
    if kind == "edges":
        return np.where((columns // 40 + rows // 40) % 2 == 0, 0.8, 0.2)
    # coloured thin lines, as of grass
    drawn = rainy(10) - background((240, 320))
    return np.clip(background((240, 320))[..., None] * [0.8, 0.5, 0.3] + drawn[..., None] * [-1.0, 1.0, -1.0], 0, 1)


@pytest.mark.parametrize("kind", ["smooth", "noise", "stripes", "shutters", "edges", "coloured"])
def test_no_direction_is_invented(rng, kind):
    found = estimate_angle(dry(rng, kind))
    assert found.confidence < PRESENT
    assert found.directions == ()
    assert -90 < found.angle <= 90


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 40), (3, 3), (5, 9), (12, 12)])
def test_tiny_images_have_an_answer(rng, shape):
    found = estimate_angle(rng.random(shape))
    assert -90 < found.angle <= 90
    assert 0 <= found.confidence <= 1


def test_rain_before_a_fence_is_found():
    fence = dry(np.random.default_rng(0), "fence")
    image = np.clip(fence + (rainy(12) - background((240, 320))), 0, 1)
    found = estimate_angle(image)
    assert found.angle == pytest.approx(12, abs=1)
    assert found.confidence > 0.5


# The vote


def test_no_votes():
    assert vote(votes([])) == AngleEstimate(0.0, 0.0)
    assert vote(votes([12.0], [0.0])) == AngleEstimate(0.0, 0.0)
    # Only dark ridges: nothing falls.
    assert vote(votes([12.0] * 50, dark=True)) == AngleEstimate(0.0, 0.0)


@pytest.mark.parametrize("angle", [-89.0, -45.2, 0.0, 13.7, 89.5, 90.0])
def test_a_unanimous_vote_is_followed(angle):
    found = peak(votes(np.full(50, angle)))
    assert gap(found, angle) < 1e-6
    assert -90 < found <= 90


def test_votes_across_the_horizontal_are_neighbours(rng):
    angles = (90 + rng.normal(0, 1, 400) + 90) % 180 - 90
    assert gap(peak(votes(angles)), 90) < 0.5


def test_the_weightier_direction_wins():
    angles = np.repeat([-20.0, 25.0], [30, 60])
    assert peak(votes(angles)) == pytest.approx(25, abs=0.1)
    assert peak(votes(angles, np.where(angles < 0, 5.0, 1.0))) == pytest.approx(-20, abs=0.1)


def test_dark_ridges_vote_against():
    bright = votes(np.repeat([0.0, 25.0], [60, 50]))
    assert peak(bright) == pytest.approx(0, abs=0.1)
    assert peak(both(bright, votes(np.zeros(60), dark=True))) == pytest.approx(25, abs=0.1)


def test_rain_is_told_from_what_lies_flat():
    # Horizontal bright lines, as of shutters and steps, outweigh the rain a little; rain falls.
    assert peak(votes(np.repeat([88.0, 15.0], [60, 40]))) == pytest.approx(15, abs=0.1)


def test_scattered_votes_give_no_confidence(rng):
    found = vote(both(votes(rng.uniform(-90, 90, 5000)), votes(rng.uniform(-90, 90, 5000), dark=True)))
    assert found.confidence < PRESENT
    assert found.directions == ()


def test_each_fact_moves_the_confidence_its_way(rng):
    scattered = rng.uniform(-90, 90, 300)

    def confidence(agreeing, dark=(), where=None):
        evidence = votes(np.concatenate([np.full(agreeing, 10.0), scattered]))
        if where is not None:
            evidence = evidence._replace(row=where * evidence.row, column=where * evidence.column)
        return probability(both(evidence, votes(list(dark), dark=True)), 10.0)

    usual = confidence(200, scattered)
    assert confidence(300, scattered) > usual > confidence(100, scattered)
    # Dark ridges of that direction speak against it, and so does crowding in a corner, and lying flat.
    assert confidence(200, [*scattered, *np.full(150, 10.0)]) < usual
    assert confidence(200, scattered, where=0.2) < usual
    flat = probability(votes(np.concatenate([np.full(200, 85.0), scattered])), 85.0)
    assert flat < probability(votes(np.concatenate([np.full(200, 25.0), scattered])), 25.0)


def test_what_is_described_has_its_values():
    evidence = both(votes([10.0, 10.0, 10.0, 60.0]), votes([10.0, 60.0], dark=True))
    share, excess, spread, difference, flat = describe(evidence, 10.0)
    chance = 2 * AGREEMENT / 180
    assert share == pytest.approx(np.log((0.75 - chance) / (1 - chance) + FLOOR))
    assert excess == pytest.approx((3 - 1) / (3 + 1))
    assert spread == pytest.approx(np.log(3 / 36 + FLOOR))  # three cells of 6 x 6 hold the same
    assert difference == pytest.approx(0.75 - 1 / 3)  # one dark vote, of no fewer than the bright three
    assert flat == pytest.approx((10 / 90) ** 4)
    nothing = describe(votes([60.0]), 10.0)
    np.testing.assert_allclose(nothing, [np.log(FLOOR), 0, np.log(FLOOR), 0, flat])
    assert probability(votes([]), 10.0) == 0


def test_refinement_finds_the_means_of_a_mixture(rng):
    angles = np.concatenate([rng.normal(-4, 1.5, 3000), rng.normal(7, 1.5, 1500), rng.uniform(-90, 90, 1500)])
    # Each begins where its neighbour pulls it.
    first, second = refine(votes(angles), [-2.5, 5.0])
    assert first.angle == pytest.approx(-4, abs=0.4)
    assert second.angle == pytest.approx(7, abs=0.4)
    assert first.share == pytest.approx(2 / 3, abs=0.05)
    assert first.share + second.share == pytest.approx(1)


def test_neighbours_nearer_than_apart_are_one_direction(rng):
    spread = np.concatenate([rng.normal(c, 0.5, 500) for c in (8 - APART / 4, 8 + APART / 4)])
    found = vote(votes(spread))
    assert len(found.directions) == 1
    assert found.angle == pytest.approx(8, abs=0.3)


def test_bad_images_name_the_argument():
    with pytest.raises(ValueError, match=r"`image` must be \(H, W\)"):
        estimate_angle(np.zeros(5))
    with pytest.raises(ValueError, match="1 to 4 channels"):
        estimate_angle(np.zeros((5, 5, 7)))
    with pytest.raises(ValueError, match="finite"):
        estimate_angle(np.full((5, 5), np.nan))
    with pytest.raises(TypeError, match="uint8, uint16 or floating point"):
        estimate_angle(np.zeros((5, 5), int))


def test_directions_and_confidence_do_not_contradict_one_another():
    # More of it lies flat than falls, and what lies flat is not to be believed by itself.
    flat = np.concatenate([np.full(26, 75.0), np.full(20, -8.0)])
    found = vote(votes(flat))
    assert found.directions
    assert found.confidence >= PRESENT
    assert found.angle == found.directions[0].angle
    for seed in range(300):
        rng = np.random.default_rng(seed)
        angles = [rng.normal(rng.uniform(-85, 85), rng.uniform(0.2, 6), rng.integers(1, 80)) for _ in range(3)]
        angles.append(rng.uniform(-90, 90, rng.integers(1, 100)))
        angles = np.clip(np.concatenate(angles), -89.9, 90)
        evidence = votes(angles, rng.uniform(0.01, 1, len(angles)), rng=rng)
        evidence = evidence._replace(dark=rng.random(len(angles)) < rng.uniform(0, 0.5))
        found = vote(evidence)
        assert bool(found.directions) == (found.confidence >= PRESENT)


def test_the_best_guess_is_one_of_the_bright_where_dark_ones_are_more_everywhere():
    angles = np.repeat([-60.0, 20.0], [3, 10])
    found = vote(both(votes(angles), votes(np.repeat(angles, 6), dark=True)))
    assert found.angle == pytest.approx(20, abs=0.1)
    assert found.directions == ()
