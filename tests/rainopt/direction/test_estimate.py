import functools

import numpy as np
import pytest
from scipy import ndimage

from data_tools import RainDirection, RainSpec, add_rain
from rainopt import AngleEstimate, estimate_angle
from rainopt.direction.estimate import PRESENT
from rainopt.direction.ridges import turn

ANGLES = (-60, -45, -31.5, -20, -8, -1, 0, 2.3, 15, 27, 40, 45, 60)


def background(shape):
    rows, columns = (np.linspace(0, 1, n) for n in shape)
    return (0.3 + 0.15 * np.sin(3 * rows)[:, None] + 0.1 * columns[None, :]).astype(np.float32)


@functools.cache
def rainy(angle, shape=(240, 320), directions=None):
    chosen = {} if directions is None else {"directions": directions}
    spec = RainSpec(angle=float(angle), angle_spread=0.0, density=1500.0, length=35.0, intensity=0.4, **chosen)
    out = add_rain(background(shape), spec, np.random.default_rng(0)).rainy
    out.setflags(write=False)
    return out


@pytest.mark.parametrize("angle", ANGLES)
def test_rendered_rain_is_found(angle):
    found = estimate_angle(rainy(angle))
    assert isinstance(found, AngleEstimate)
    assert abs(turn(found.angle - angle)) < 0.5
    assert 0.9 < found.confidence <= 1
    assert found.directions == ((found.angle, 1.0),)


@pytest.mark.parametrize("angle", [-7, 20])
@pytest.mark.parametrize("drawn", [{-12: 1.0, 12: 1.0}, {-22: 1.0, 0: 1.0, 22: 1.0}, {-15: 1.0, 15: 0.4}])
def test_several_directions_are_told_apart(angle, drawn):
    # Crossing streaks are hard to follow in a small picture.
    image = rainy(angle, (480, 640), tuple(RainDirection(*d) for d in drawn.items()))
    found = estimate_angle(image)
    assert sorted(d.angle for d in found.directions) == pytest.approx([angle + by for by in drawn], abs=1)
    shares = [d.share for d in found.directions]
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)
    assert found.angle == found.directions[0].angle
    for by, strength in drawn.items():
        (share,) = (d.share for d in found.directions if abs(d.angle - angle - by) <= 1)
        assert share == pytest.approx(strength / sum(drawn.values()), rel=0.5)


def test_rain_before_a_fence_is_found():
    fence = dry(np.random.default_rng(0), "fence")
    found = estimate_angle(np.clip(fence + (rainy(12) - background((240, 320))), 0, 1))
    assert found.angle == pytest.approx(12, abs=1)
    assert found.confidence > 0.5


@pytest.mark.parametrize(("angle", "by"), [(-22, 15), (9, -15), (9, 30)])
def test_an_image_turned_by_some_degrees_has_the_angle_turned(angle, by):
    image = rainy(angle, shape=(420, 420))
    # Positive angles of `rotate` turn the picture against the clock, from down towards the right: ours exactly.
    turned = np.clip(ndimage.rotate(image, by, reshape=False, order=3, mode="reflect"), 0, 1)[80:-80, 80:-80]
    found, after = estimate_angle(image[80:-80, 80:-80]), estimate_angle(turned)
    assert after.angle == pytest.approx(found.angle + by, abs=0.5)
    assert after.confidence > 0.9


@pytest.mark.parametrize("factor", [0.5, 0.7, 1.5, 2])
def test_scale_does_not_matter(factor):
    image = rainy(17, shape=(300, 400))
    found, scaled = estimate_angle(image), estimate_angle(np.clip(ndimage.zoom(image, factor, order=3), 0, 1))
    assert scaled.angle == pytest.approx(found.angle, abs=0.3)
    assert scaled.confidence == pytest.approx(found.confidence, abs=0.1)


def test_images_of_any_kind_are_seen_alike(xp):
    # What they are reduced to is the same for every library, dtype and layout.
    colour = np.stack([np.rint(255 * k * rainy(18)[:160, :200]) for k in (1.0, 0.9, 0.8)]).astype(np.uint8)
    found = estimate_angle(colour / 255, channel_axis=0)
    assert found.confidence > 0.5
    assert estimate_angle(xp.asarray(colour), channel_axis=0).angle == pytest.approx(found.angle, abs=0.01)
    with pytest.raises(ValueError, match=r"`image` must be \(H, W\)"):
        estimate_angle(xp.zeros(5))


@pytest.mark.parametrize("shape", [(1, 1), (1, 60), (60, 1), (2, 2), (3, 3), (12, 12), (64, 80)])
def test_nothing_is_found_where_nothing_is(rng, shape):
    for value in (0.0, 0.4, 1.0):
        assert estimate_angle(np.full(shape, value, np.float32)) == AngleEstimate(0.0, 0.0)
    found = estimate_angle(rng.random(shape))
    assert -90 < found.angle <= 90
    assert 0 <= found.confidence <= 1


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
