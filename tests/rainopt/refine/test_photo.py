"""`refine`: the solver begins and a network ends, as in rainnet."""

from functools import partial

import numpy as np
import pytest

import rainnet
import rainopt
from data_tools import RainSpec, add_rain
from data_tools.rain.spec import RainDirection
from rainopt.image import image_luminance
from rainopt.refine import refine
from rainopt.refine.photo import refined
from rainopt.still.settings import StillSettings
from tests.support.photos import clean, levels, rainy
from tests.support.refine import altered_pair

CROSSED = RainSpec(angle=20.0, directions=(RainDirection(0.0, 0.6), RainDirection(-45.0, 0.4)))


@pytest.fixture(scope="module")
def altered(tmp_path_factory):
    return altered_pair(tmp_path_factory.mktemp("altered"))


def crossed(size):
    return add_rain(clean(size), CROSSED, np.random.default_rng(4)).rainy


@pytest.mark.parametrize("angle", [None, 4.0, -70.0])
@pytest.mark.parametrize("kind", ["grey", "bytes", "alpha", "dark", "crossed"])
def test_it_gives_what_rainnet_gives(altered, angle, kind):
    net, path = altered
    image = {
        "grey": rainy().mean(axis=-1),
        "bytes": levels(rainy()),
        "alpha": np.dstack([levels(rainy(), np.uint16), np.full((72, 96), 40000, np.uint16)]),
        "dark": rainy() / 8,
        "crossed": crossed((160, 200)),
    }[kind]
    got = refined(image, StillSettings(angle=angle), as_float=True, path=path)
    wanted = rainnet.derain(net, image, angle=angle)
    assert got.angle == pytest.approx(wanted.angle)
    assert bool(got.directions) != wanted.dry
    np.testing.assert_allclose(got.background, wanted.background, atol=2e-5)
    np.testing.assert_allclose(got.rain, (image_luminance(image) - image_luminance(got.background)).clip(0), atol=2e-5)
    assert got.background.flags["C_CONTIGUOUS"]


def test_rain_in_two_directions_is_seen_in_the_test_above():
    assert len(rainopt.derain(crossed((160, 200))).directions) == 2


def test_a_picture_without_rain_is_left_exactly_as_it_is():
    image = levels(clean())
    got = refined(image, StillSettings())
    assert got.directions == ()
    np.testing.assert_array_equal(got.background, image)
    assert not got.rain.any()


def test_the_depth_is_that_of_the_picture_unless_floats_are_asked_for():
    for dtype in (np.uint8, np.uint16, np.float32):
        image = rainy() if dtype == np.float32 else levels(rainy(), dtype)
        exact, rounded = refine(image, angle=0.0).background, refined(image, StillSettings(angle=0.0)).background
        assert (exact.dtype, rounded.dtype) == (np.float32, dtype)
        np.testing.assert_array_equal(rounded, exact if dtype == np.float32 else levels(exact, dtype))


def test_channels_may_lie_first():
    last, first = refine(rainy(), angle=0.0), refine(np.moveaxis(rainy(), -1, 0), angle=0.0, channel_axis=0)
    np.testing.assert_array_equal(np.moveaxis(first.background, 0, -1), last.background)


def test_the_veil_is_taken_off_what_is_refined():
    usual, clear = refine(rainy(), angle=0.0), refine(rainy(), angle=0.0, veil=True)
    assert usual.veil is None
    assert clear.veil.max() > 0
    assert (clear.background <= usual.background + 1e-6).all()
    np.testing.assert_array_equal(clear.rain, usual.rain)


def test_progress_goes_up_to_one():
    shares = []
    refine(crossed((160, 200)), progress=shares.append)
    assert shares == sorted(shares)
    assert (shares[0] > 0, shares[-1]) == (True, 1)


def test_what_it_was_not_trained_with_is_refused():
    given = (("strength", {"strength": 2.0}), ("weights", {"weights": rainopt.UDGWeights()}))
    for name, asked in given:
        with pytest.raises(ValueError, match=f"`{name}` cannot be chosen where a network refines"):
            refined(rainy(), StillSettings(**asked))


def test_what_is_no_picture_of_numpy_is_refused(torch):
    ask = partial(refine, angle=0.0)
    with pytest.raises(TypeError, match="`image` must be an array of numpy to be refined, got Tensor"):
        ask(torch.from_numpy(rainy()))
    with pytest.raises(ValueError, match="`image` must be at least 8 pixels on each side"):
        ask(rainy()[:5])
