import functools

import numpy as np
import pytest

from data_tools import RainSpec, add_rain
from rainopt import AngleEstimate, angle, estimate_angle
from rainopt.angle import FEW, Ridges, vote

ANGLES = (-60, -45, -31.5, -20, -8, -1, 0, 2.3, 10, 15, 27, 40, 45, 50, 65)


def background(shape):
    rows, columns = (np.linspace(0, 1, n) for n in shape)
    return (0.3 + 0.15 * np.sin(3 * rows)[:, None] + 0.1 * columns[None, :]).astype(np.float32)


@functools.cache
def rainy(angle, seed=0, shape=(240, 320)):
    spec = RainSpec(angle=float(angle), angle_spread=0.0, density=1500.0, length=35.0, intensity=0.4)
    out = add_rain(background(shape), spec, np.random.default_rng(seed)).rainy
    out.setflags(write=False)
    return out


def turn(a, b):
    """Angle between two lines, degrees."""
    return abs((a - b + 90) % 180 - 90)


@pytest.mark.parametrize("angle", ANGLES)
def test_rendered_rain_is_found(angle):
    found = estimate_angle(rainy(angle))
    assert isinstance(found, AngleEstimate)
    assert turn(found.angle, angle) < 1
    assert 0.5 < found.confidence <= 1


@pytest.mark.parametrize("angle", [-40, 5, 22])
def test_a_mirrored_image_has_the_mirrored_angle(angle):
    image = rainy(angle)
    found, mirrored = estimate_angle(image), estimate_angle(image[:, ::-1])
    assert mirrored.angle == pytest.approx(-found.angle, abs=0.1)
    assert mirrored.confidence == pytest.approx(found.confidence, abs=0.02)
    flipped = estimate_angle(image[::-1])
    assert flipped.angle == pytest.approx(-found.angle, abs=0.1)


@pytest.mark.parametrize("scale", [0.5, 0.25, 0.3])
def test_brightness_does_not_matter(scale):
    found, darker = estimate_angle(rainy(22)), estimate_angle(rainy(22) * np.float32(scale))
    assert darker.angle == pytest.approx(found.angle, abs=0.02)
    assert darker.confidence == pytest.approx(found.confidence, abs=0.01)


def test_an_offset_does_not_matter():
    image = 0.5 * rainy(-15)
    assert estimate_angle(image + 0.3).angle == pytest.approx(estimate_angle(image).angle, abs=0.5)


def test_dtypes_agree():
    image = rainy(18)
    found = estimate_angle(image)
    assert estimate_angle(image.astype(np.float64)) == found
    for dtype in (np.uint8, np.uint16):
        full = np.iinfo(dtype).max
        coarse = estimate_angle(np.rint(image * full).astype(dtype))
        assert coarse.angle == pytest.approx(found.angle, abs=0.2)


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


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (1, 60), (60, 1), (2, 2), (3, 3), (64, 80)])
def test_nothing_is_found_where_nothing_is(shape, value):
    assert estimate_angle(np.full(shape, value, np.float32)) == AngleEstimate(0.0, 0.0)


def test_smooth_images_give_no_confidence():
    assert estimate_angle(background((120, 160))).confidence < 0.2


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 40), (3, 3), (5, 9), (12, 12)])
def test_tiny_images_have_an_answer(rng, shape):
    found = estimate_angle(rng.random(shape))
    assert -90 < found.angle <= 90
    assert 0 <= found.confidence <= 1


def test_confidence_falls_where_streaks_are_fewer_than_noise(rng):
    noise = rng.random((200, 260))
    assert estimate_angle(noise).confidence < 0.3 < estimate_angle(rainy(10)).confidence


def test_large_images_are_judged_by_the_means_of_blocks(monkeypatch):
    image = rainy(10)
    monkeypatch.setattr(angle, "WORK_PIXELS", image.size)
    large = np.kron(image, np.ones((3, 3), np.float32))
    assert estimate_angle(large).angle == pytest.approx(estimate_angle(image).angle, abs=0.1)
    odd = np.pad(large, ((0, 2), (0, 1)), "edge")
    assert estimate_angle(odd).angle == pytest.approx(10, abs=1)


# The vote


def test_no_votes():
    assert vote(Ridges(np.empty(0), np.empty(0))) == AngleEstimate(0.0, 0.0)
    assert vote(Ridges(np.array([12.0]), np.array([0.0]))) == AngleEstimate(0.0, 0.0)


@pytest.mark.parametrize("angle", [-89.0, -45.2, 0.0, 13.7, 89.5, 90.0])
def test_a_unanimous_vote_is_followed(angle):
    found = vote(Ridges(np.full(50, angle), np.ones(50)))
    assert turn(found.angle, angle) < 1e-6
    assert -90 < found.angle <= 90
    # Nothing disagrees; what is missing to certainty is evidence.
    assert found.confidence == pytest.approx(50 / (50 + FEW))


def test_more_ridges_of_one_mind_give_more_confidence():
    found = [vote(Ridges(np.full(count, 10.0), np.ones(count))).confidence for count in (1, 5, 50, 5000)]
    assert found == sorted(found)
    assert found[0] < 0.1
    assert found[-1] > 0.99


def test_votes_across_the_horizontal_are_neighbours(rng):
    angles = (90 + rng.normal(0, 1, 400) + 90) % 180 - 90
    found = vote(Ridges(angles, np.ones(400)))
    assert turn(found.angle, 90) < 0.5
    assert found.confidence > 0.9


def test_the_weightier_direction_wins():
    angles = np.repeat([-20.0, 25.0], [30, 60])
    assert vote(Ridges(angles, np.ones(90))).angle == pytest.approx(25, abs=0.1)
    assert vote(Ridges(angles, np.where(angles < 0, 5.0, 1.0))).angle == pytest.approx(-20, abs=0.1)


def test_scattered_votes_give_no_confidence(rng):
    assert vote(Ridges(rng.uniform(-90, 90, 5000), np.ones(5000))).confidence < 0.05


def test_bad_images_name_the_argument():
    with pytest.raises(ValueError, match=r"`image` must be \(H, W\)"):
        estimate_angle(np.zeros(5))
    with pytest.raises(ValueError, match="1 to 4 channels"):
        estimate_angle(np.zeros((5, 5, 7)))
    with pytest.raises(ValueError, match="finite"):
        estimate_angle(np.full((5, 5), np.nan))
    with pytest.raises(TypeError, match="uint8, uint16 or floating point"):
        estimate_angle(np.zeros((5, 5), int))


def test_rain_is_told_from_what_lies_flat(rng):
    # Horizontal bright lines, as of shutters and steps, outweigh the rain a little; rain falls.
    angles, weights = np.repeat([88.0, 15.0], [60, 40]), np.ones(100)
    assert vote(Ridges(angles, weights)).angle == pytest.approx(15, abs=0.1)
