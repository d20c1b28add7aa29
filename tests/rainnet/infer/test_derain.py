"""`rainnet.derain`: the whole equals the network, and any picture comes back as it came."""

import numpy as np
import pytest
import torch

import rainnet
from rainnet.infer import streaks
from rainnet.infer.derain import derain
from rainnet.infer.device import device_for
from rainnet.infer.streaks import Streaks
from rainopt.image import LUMA, exposure
from rainopt.still.bound import most_rain
from tests.support.udgnet import TINY, rained, random_udgnet

ODD = (83, 131)


@pytest.fixture
def picture(rng):
    return rng.random((*ODD, 3), dtype=np.float32)


@pytest.mark.parametrize(
    ("stride", "angle", "from_input"), [(1, 17.0, True), (1, None, False), (2, -80.0, False), (2, None, True)]
)
def test_it_agrees_with_the_network(rng, stride, angle, from_input):
    net = random_udgnet(stride=stride, rain_from_input=from_input)
    batch = rng.random((2, 3, *ODD), dtype=np.float32)
    if angle is None:
        # The network gives a batch one frame; two angles would make it wider than either needs.
        batch[1] = batch[0]
    with torch.no_grad():
        whole = net(torch.from_numpy(batch), None if angle is None else torch.full((2,), angle))
    for number, one in enumerate(batch):
        result = derain(net, one, angle="network" if angle is None else angle, channel_axis=0, bounded=False)
        np.testing.assert_allclose(result.background, whole.background[number], atol=1e-5)
        np.testing.assert_allclose(result.rain, np.tensordot(LUMA, whole.rain[number].numpy(), 1), atol=1e-5)
        assert result.angle == pytest.approx(float(whole.angle[number]), abs=1e-4)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((40, 56), np.uint8),
        ((8, 8, 3), np.uint16),
        ((23, 31, 4), np.float32),
        ((9, 12, 2), np.float64),
        ((1, 1, 3), np.uint8),
        ((50, 9, 1), np.uint16),
    ],
)
def test_a_network_that_removes_nothing_changes_nothing(rng, shape, dtype):
    net = rainnet.create("udgnet", stride=2, **TINY)
    full = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1.0
    image = (rng.random(shape) * full).astype(dtype)
    result = derain(net, image, angle=17.0)
    assert result.background.dtype == np.float32
    np.testing.assert_array_equal(result.background, image.astype(np.float32) / np.float32(full))
    assert result.rain.shape == shape[:2]


@pytest.mark.parametrize(("side", "angle"), [((8, 8), -80.0), ((1, 1), "solver"), ((3, 40), -80.0), ((41, 2), 0.0)])
def test_any_size(rng, side, angle):
    image = rng.integers(0, 255, (*side, 3)).astype(np.uint8)
    result = derain(random_udgnet(), image, angle=angle)
    assert result.background.shape == image.shape
    assert np.abs(result.background - image / 255).max() > 1e-3
    assert 0 <= result.background.min() <= result.background.max() <= 1
    assert 0 <= result.rain.min() <= result.rain.max() <= 1


def test_grey_is_three_equal_channels(picture):
    net, grey = random_udgnet(), 0.25 + picture[..., 0] / 2
    alone = derain(net, grey, angle=17.0)
    three = derain(net, np.repeat(grey[..., None], 3, axis=-1), angle=17.0)
    np.testing.assert_allclose(alone.background, three.background.mean(axis=-1), atol=1e-6)
    np.testing.assert_allclose(alone.rain, three.rain, atol=1e-6)
    np.testing.assert_array_equal(derain(net, grey[..., None], angle=17.0).background[..., 0], alone.background)


def test_alpha_is_kept_and_does_not_matter(picture, rng):
    net, alpha = random_udgnet(), rng.random((*ODD, 1), dtype=np.float32)
    for colours in (picture, picture[..., :1]):
        result = derain(net, np.concatenate([colours, alpha], axis=-1), angle=5.0).background
        np.testing.assert_array_equal(result[..., -1:], alpha)
        np.testing.assert_array_equal(result[..., :-1], derain(net, colours, angle=5.0).background)


def test_channels_may_be_anywhere_and_depth_does_not_matter(rng):
    net, image = random_udgnet(), rng.integers(0, 255, (*ODD, 3)).astype(np.uint8)
    last = derain(net, image, angle=9.0).background
    first = derain(net, np.moveaxis(image, -1, 0), angle=9.0, channel_axis=0).background
    np.testing.assert_array_equal(np.moveaxis(first, 0, -1), last)
    assert first.flags.c_contiguous
    assert last.flags.c_contiguous
    np.testing.assert_allclose(derain(net, image.astype(np.uint16) * 257, angle=9.0).background, last, atol=1e-6)


def test_networks_of_one_channel_and_in_double_precision(picture):
    net = random_udgnet(channels=1)
    assert derain(net, picture[..., 0], angle=0.0).background.shape == ODD
    with pytest.raises(ValueError, match="`image` has 3 channels besides alpha, and the network takes 1"):
        derain(net, picture)
    net = random_udgnet()
    single, double = derain(net, picture, angle=17.0), derain(net.double(), picture, angle=17.0)
    assert double.background.dtype == np.float32
    np.testing.assert_allclose(double.background, single.background, atol=1e-5)


def test_every_library_gets_its_own_arrays(picture, xp):
    given = xp.asarray(picture)
    result = derain(random_udgnet(), given, angle=17.0)
    for layer in (result.background, result.rain):
        assert type(layer) is type(given)
        # Inference tensors would be refused by whoever trains on results.
        assert not isinstance(layer, torch.Tensor) or not (layer.requires_grad or layer.is_inference())
    np.testing.assert_array_equal(
        np.asarray(result.background), derain(random_udgnet(), picture, angle=17.0).background
    )


def test_the_network_is_left_as_it_was(picture):
    net = random_udgnet().train()
    net.angle.eval()
    modes = [module.training for module in net.modules()]
    weights = {name: value.clone() for name, value in net.state_dict().items()}
    derain(net, picture, angle=17)
    assert [module.training for module in net.modules()] == modes
    net.multiple = 0
    with pytest.raises(ZeroDivisionError):
        derain(net, picture, angle=17)
    assert [module.training for module in net.modules()] == modes
    assert all(torch.equal(value, weights[name]) for name, value in net.state_dict().items())
    # It can still be trained.
    net = random_udgnet()
    derain(net, picture, angle=17)
    net(torch.rand(1, 3, 16, 16)).background.sum().backward()
    assert all(parameter.grad is not None for parameter in net.image_stream.parameters())


def test_no_more_is_taken_off_than_rain_can_have_added(rng):
    image = rained(rng, angle=20.0) / np.float32(255)
    most = most_rain(Streaks(image).removal(20.0, 96, 120))
    assert 0 < most < 1
    assert most_rain(Streaks(np.full((64, 64), 0.5, np.float32)).removal(20.0, 64, 64)) == 1
    net = random_udgnet()
    with torch.no_grad():
        net.image_stream.last.bias += 2 * most
    taken = image - derain(net, image, angle=20.0).background
    assert taken.max() <= most + 1e-6
    free = image - derain(net, image, angle=20.0, bounded=False).background
    np.testing.assert_allclose(taken, np.minimum(free, np.minimum(most, image)), atol=1e-6)


@pytest.mark.parametrize(
    "settings", [{}, {"polish": 3}, {"angle": 20.0, "polish": 3}, {"angle": 20.0, "bounded": False}]
)
def test_streaks_are_looked_for_once_and_only_where_they_are_needed(rng, monkeypatch, settings):
    looked, real = [], streaks.look
    monkeypatch.setattr(streaks, "look", lambda *given: looked.append(given) or real(*given))
    result = derain(random_udgnet(), rained(rng, angle=20.0), **settings)
    assert not result.dry
    assert result.angle == pytest.approx(20, abs=3)
    assert len(looked) == (settings.get("bounded") is not False)


def test_an_image_without_rain_comes_back_as_it_was():
    net, image = random_udgnet(), np.full((96, 120, 3), 90, np.uint8)
    image[40:] = 140
    result = derain(net, image)
    assert result.dry
    np.testing.assert_array_equal(result.background, image / np.float32(255))
    assert not result.rain.any()
    assert result.rain.shape == (96, 120)
    told = derain(net, image, angle="solver")
    assert not told.dry
    assert np.abs(told.background - result.background).max() > 0


@pytest.mark.parametrize("ensemble", [1, 2, 4])
def test_an_ensemble_follows_mirrors(picture, ensemble):
    def taken(image):
        return derain(random_udgnet(), image, angle=0, ensemble=ensemble, bounded=False).background - image

    apart = np.abs(taken(picture) - taken(picture[:, ::-1])[:, ::-1]).max()
    assert apart < 1e-5 if ensemble > 1 else apart > 1e-3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tile": 31}, "`tile` must be 0, for none, or at least 32 pixels, got 31"),
        ({"tile": 64.5}, "`tile` must be a whole number"),
        ({"tile": False}, "`tile` must be a whole number"),
        ({"batch": 0}, "`batch` must be a whole number of at least 1, got 0"),
        ({"polish": -3}, "`polish` must be a whole number"),
        ({"ensemble": 3}, "`ensemble` must be one of 1, 2, 4, got 3"),
        ({"device": "gpu"}, "`device` must be auto, cpu or cuda:N, got 'gpu'"),
        ({"channel_axis": 7}, "`channel_axis` must name an axis"),
    ],
)
def test_settings_out_of_range(picture, settings, message):
    with pytest.raises(ValueError, match=message):
        derain(random_udgnet(), picture, **settings)


def test_auto_is_where_the_network_is():
    assert device_for("auto", random_udgnet().to("meta")).type == "meta"
    assert device_for(torch.device("cpu"), random_udgnet().to("meta")).type == "cpu"


@pytest.mark.gpu
def test_on_a_gpu(picture):
    net = random_udgnet()
    host = derain(net, picture, angle=17.0, device="cpu")
    for tile in (0, 32):
        device = derain(net, picture, angle=17.0, device="cuda:0", tile=tile)
        np.testing.assert_allclose(device.background, host.background, atol=2e-3)
    assert next(net.parameters()).device.type == "cuda"
    given = torch.from_numpy(picture).cuda()
    assert derain(net, given, angle=17.0).background.device.type == "cuda"


def test_an_angle_changes_nothing_for_a_network_that_needs_none(rng):
    torch.manual_seed(0)
    net = rainnet.create("prenet", features=4, stages=2, blocks=1)
    torch.nn.init.normal_(net.last.weight, std=0.2)
    image = rng.random((40, 30, 3), dtype=np.float32)
    plain, told = derain(net, image), derain(net, image, angle=20.0)
    assert not np.array_equal(plain.background, image)
    np.testing.assert_array_equal(plain.background, told.background)


@pytest.mark.parametrize("bounded", [True, False])
def test_several_directions_are_sought_one_after_the_other(picture, bounded):
    net, known = random_udgnet(), {"unit": exposure(picture), "bounded": bounded}
    both = derain(net, picture, angle=(12.0, -25.0), **known)
    one = derain(net, picture, angle=12.0, **known)
    # What the whole picture tells of the rain bounds what is taken off each time.
    streaks = Streaks(picture, unit=known["unit"])
    other = derain(net, one.background, angle=-25.0, streaks=streaks, **known)
    assert both.angle == 12.0
    np.testing.assert_allclose(both.background, other.background, atol=1e-6)
    np.testing.assert_allclose(both.rain, one.rain + other.rain, atol=1e-6)
    np.testing.assert_array_equal(derain(net, picture, angle=[12.0], **known).background, one.background)


def test_several_directions_that_cannot_be_are_refused(picture):
    with pytest.raises(ValueError, match="1 degree apart"):
        derain(random_udgnet(), picture, angle=(12.0, 12.5))
    with pytest.raises(ValueError, match="`polish` goes on along one direction"):
        derain(random_udgnet(), picture, angle=(12.0, -25.0), polish=20)


def test_a_network_that_takes_pictures_as_they_lie_takes_them_once(picture):
    net = rainnet.create("ddn")
    one, both = (derain(net, picture, angle=angle).background for angle in (12.0, (12.0, -25.0)))
    np.testing.assert_array_equal(one, both)
