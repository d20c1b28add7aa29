"""Dark pictures: the same picture in another unit gives the same in that unit."""

import numpy as np
import pytest

import rainnet
from rainnet.infer.derain import derain, find_angle
from tests.support.udgnet import rained, random_udgnet


@pytest.fixture
def picture(rng):
    image = rained(rng, angle=20.0) / np.float32(255)
    return np.clip(image / image.max(), 0, 1).astype(np.float32)


@pytest.mark.parametrize("settings", [{}, {"angle": 12.0, "polish": 3}, {"angle": "network", "ensemble": 2}])
@pytest.mark.parametrize("darker", [1 / 2, 1 / 16])
def test_a_darker_picture_gives_the_same_darker(picture, settings, darker):
    net = random_udgnet()
    bright, dark = derain(net, picture, **settings), derain(net, picture * np.float32(darker), **settings)
    assert dark.angle == bright.angle
    assert not dark.dry
    np.testing.assert_array_equal(dark.background, bright.background * np.float32(darker))
    np.testing.assert_array_equal(dark.rain, bright.rain * np.float32(darker))


def test_in_16_bits_it_does_within_their_rounding(picture):
    net, full = random_udgnet(), np.rint(picture.astype(float) ** 2.2 * 65535)
    bright = derain(net, full.astype(np.uint16), angle=20.0).background
    dark = derain(net, np.rint(full / 16).astype(np.uint16), angle=20.0).background
    np.testing.assert_allclose(dark * 16, bright, atol=4e-3)
    assert np.abs(dark * 16 - bright).mean() < 2e-4


def test_what_is_dry_is_dry_however_dark():
    image = np.full((96, 120, 3), 0.75, np.float32)
    image[40:] = 1.0
    for darker in (1, 1 / 16):
        result = derain(random_udgnet(), image * np.float32(darker))
        assert result.dry
        np.testing.assert_array_equal(result.background, image * np.float32(darker))


def test_frames_may_share_a_unit(picture):
    net = random_udgnet()
    dark = picture / 4
    shared = derain(net, dark, angle=12.0, unit=1.0, bounded=False).background
    assert np.abs(shared - derain(net, dark, angle=12.0, bounded=False).background).max() > 1e-4
    for wrong in (0, 2.0, True, "a"):
        with pytest.raises(ValueError, match="`unit` must be a number above 0 and at most 1"):
            derain(net, dark, unit=wrong)


def test_networks_are_given_by_name_or_file_as_well(picture, tmp_path):
    net = random_udgnet()
    file = rainnet.save(net, tmp_path / "net.safetensors")
    expected = derain(net, picture, angle=12.0).background
    for given in (file, str(file), tmp_path):
        np.testing.assert_array_equal(derain(given, picture, angle=12.0).background, expected)
    assert find_angle(file, picture, by="network") == find_angle(net, picture, by="network")
    rainnet.save(random_udgnet(seed=2), file, overwrite=True)
    assert np.abs(derain(file, picture, angle=12.0).background - expected).max() > 1e-4
    with pytest.raises(TypeError, match=r"`net` must be a network, or the name or file of one .*, got NoneType"):
        derain(None, picture)


def test_what_is_an_array_by_its_class_alone_is_refused(picture):
    masked = np.ma.masked_array((picture * 255).astype(np.int32), mask=picture > 0.5)
    for image in (masked, masked.astype(np.uint8), np.ma.masked_array(picture)):
        with pytest.raises(TypeError, match="must not be a masked array"):
            derain(random_udgnet(), image)
