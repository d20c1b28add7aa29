"""`rainnet.derain`: tiles equal the whole, the whole equals the network, and any picture comes back as it came."""

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import rainnet
from rainnet.infer import angle as infer_angle
from rainnet.infer import device as infer_device
from rainnet.infer import polish as infer_polish
from rainnet.infer.angle import found_by_network, middle_angle
from rainnet.infer.bound import most_rain
from rainnet.infer.derain import Derained, derain, find_angle
from rainnet.infer.streaks import Streaks
from rainnet.infer.tiles import FEATHER, LEAST_TILE
from rainnet.models.base import Network
from rainnet.models.decomposition import Layers
from rainopt import estimate_angle, udg_energy
from rainopt.geometry.lines import line_angle
from rainopt.geometry.tiles import equal_spans
from rainopt.image import LUMA
from rainopt.still import adaptive

ODD = (83, 131)
TINY = {"features": 4, "blocks": 1, "angle_features": 4, "angle_stages": 2}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tiny(**config):
    """A small network whose every weight counts."""
    torch.manual_seed(1)
    net = rainnet.create("udgnet", **({"stride": 2} | TINY | config)).eval()
    for stream in (net.image_stream, net.rain_stream):
        nn.init.normal_(stream.last.weight, std=0.05)
        nn.init.normal_(stream.last.bias, std=0.02)
    return net


@dataclass(frozen=True)
class PlainConfig:
    channels: int = 3


class Plain(Network):
    """A network that takes pictures as they are, in blocks of 4 pixels, and needs no angle."""

    name: ClassVar[str] = "plain"
    Config = PlainConfig
    multiple, reach = 4, 4 * 2 + 3

    def __init__(self, channels=3):
        super().__init__(PlainConfig(channels))
        torch.manual_seed(2)
        self.inner = nn.Conv2d(channels, 8, 5, stride=4, padding=2)
        self.outer = nn.ConvTranspose2d(8, channels, 6, stride=4, padding=1)

    def layers(self, rainy):
        if any(side % 4 for side in rainy.shape[-2:]):
            raise ValueError(f"sides must be multiples of 4, got {tuple(rainy.shape)}")
        found = self.outer(torch.relu(self.inner(rainy)))
        return Layers(found, found.abs())


@pytest.fixture
def picture(rng):
    return rng.random((*ODD, 3), dtype=np.float32)


def rained(rng, height=96, width=120, angle=0.0):
    """A smooth scene with some streaks, uint8."""
    row, column = np.mgrid[:height, :width]
    scene = 0.4 + 0.2 * np.sin(row / 17)[..., None] * np.cos(column / 23)[..., None] * np.array([1, 0.8, 0.6])
    for _ in range(60):
        top, at, long = rng.integers(height), rng.integers(width), rng.integers(12, 30)
        rows = np.arange(top, min(top + long, height))
        columns = np.rint(at + np.tan(np.deg2rad(angle)) * (rows - top)).astype(int)
        inside = (columns >= 0) & (columns < width)
        scene[rows[inside], columns[inside]] += 0.25
    return np.rint(scene.clip(0, 1) * 255).astype(np.uint8)


# Tiles


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("angle", [0, 17, -80])
@pytest.mark.parametrize("tile", [32, 45, 64])
def test_tiles_equal_the_whole(picture, stride, angle, tile):
    net = tiny(stride=stride)
    whole = derain(net, picture, angle=angle, tile=0)
    tiled = derain(net, picture, angle=angle, tile=tile, batch=3)
    assert np.abs(whole.background - picture).mean() > 0.01
    np.testing.assert_allclose(tiled.background, whole.background, atol=2e-6)
    np.testing.assert_allclose(tiled.rain, whole.rain, atol=2e-6)


def test_tiles_equal_the_whole_for_a_network_of_blocks(picture):
    net = Plain()
    whole, tiled = (derain(net, picture, tile=tile) for tile in (0, 32))
    assert whole.angle is None
    assert np.abs(whole.background - picture).mean() > 0.01
    np.testing.assert_allclose(tiled.background, whole.background, atol=2e-6)


def test_a_reach_that_is_short_is_seen_by_the_test(picture):
    # So that the tests above cannot pass for want of anything that crosses a cut.
    net = tiny()
    whole = derain(net, picture, angle=17, tile=0)
    net.reach = 0
    assert np.abs(derain(net, picture, angle=17, tile=32).background - whole.background).max() > 1e-3


@given(
    st.integers(1, 3000),
    st.one_of(st.just(0), st.integers(LEAST_TILE, 700)),
    st.integers(0, 90),
    st.sampled_from([1, 2, 4, 16, 64]),
)
def test_spans_cover_every_pixel_once(blocks, side, reach, multiple):
    length = multiple * -(-blocks // multiple)
    cover = equal_spans(length, side, reach, FEATHER, multiple)
    total = np.zeros(length, np.float32)
    for span in cover:
        start, stop = span.pixels.start, span.pixels.stop
        assert 0 <= start < stop <= length
        assert start % multiple == stop % multiple == 0
        assert stop - start == len(cover[0].window)
        total[span.pixels] += span.window
        counts = np.flatnonzero(span.window) + start
        # What counts has its surroundings in the tile, or there are none.
        assert start == 0 or counts.min() - start >= reach
        assert stop == length or stop - 1 - counts.max() >= reach
    np.testing.assert_allclose(total, 1, rtol=1e-6)
    if side == 0:
        assert len(cover) == 1
    else:
        around = 2 * multiple * -(-(reach + FEATHER // 2) // multiple)
        assert len(cover[0].window) <= max(side, multiple) + around


def test_tiles_are_as_large_as_was_said(picture, monkeypatch):
    net, seen = tiny(), []
    real = net.layers
    monkeypatch.setattr(net, "layers", lambda rainy: seen.append(tuple(rainy.shape)) or real(rainy))
    derain(net, picture, angle=0, tile=40, batch=4)
    assert {shape[1:] for shape in seen} == {seen[0][1:]}
    assert max(seen[0][2:]) <= 40 + 2 * (net.reach + FEATHER)
    assert [shape[0] for shape in seen][:-1] == [4] * (len(seen) - 1)
    seen.clear()
    derain(net, picture, angle=0)
    assert seen == [(1, 3, 84, 132)]


def test_progress_rises_to_one(picture):
    shares = []
    derain(tiny(), picture, angle=17, tile=32, progress=shares.append)
    assert len(shares) > 5
    assert shares == sorted(set(shares))
    assert shares[-1] == 1


# The network itself


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("angle", [17.0, -80.0, None])
@pytest.mark.parametrize("from_input", [True, False])
def test_it_agrees_with_the_network(rng, stride, angle, from_input):
    net = tiny(stride=stride, rain_from_input=from_input)
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


@pytest.mark.parametrize("shape", [(40, 56), (8, 8, 3), (23, 31, 4), (9, 12, 2), (1, 1, 3), (50, 9, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_a_network_that_removes_nothing_changes_nothing(rng, shape, dtype):
    net = rainnet.create("udgnet", stride=2, **TINY)
    image = rng.random(shape).astype(dtype)
    full = 1.0
    if np.dtype(dtype).kind == "u":
        full = np.iinfo(dtype).max
        image = rng.integers(0, full, shape, endpoint=True).astype(dtype)
    result = derain(net, image, angle=17.0)
    assert result.background.dtype == np.float32
    np.testing.assert_array_equal(result.background, image.astype(np.float32) / np.float32(full))
    assert result.rain.shape == shape[:2]


@pytest.mark.parametrize("side", [(8, 8), (1, 1), (3, 40), (41, 2)])
@pytest.mark.parametrize("angle", ["solver", -80.0])
def test_any_size(rng, side, angle):
    image = rng.integers(0, 255, (*side, 3)).astype(np.uint8)
    result = derain(tiny(), image, angle=angle)
    assert result.background.shape == image.shape
    assert np.abs(result.background - image / 255).max() > 1e-3
    assert 0 <= result.background.min() <= result.background.max() <= 1
    assert 0 <= result.rain.min() <= result.rain.max() <= 1


def test_grey_is_three_equal_channels(picture):
    net, grey = tiny(), 0.25 + picture[..., 0] / 2
    alone = derain(net, grey, angle=17.0)
    three = derain(net, np.repeat(grey[..., None], 3, axis=-1), angle=17.0)
    np.testing.assert_allclose(alone.background, three.background.mean(axis=-1), atol=1e-6)
    np.testing.assert_allclose(alone.rain, three.rain, atol=1e-6)
    np.testing.assert_array_equal(derain(net, grey[..., None], angle=17.0).background[..., 0], alone.background)


def test_alpha_is_kept_and_does_not_matter(picture, rng):
    net, alpha = tiny(), rng.random((*ODD, 1), dtype=np.float32)
    for colours in (picture, picture[..., :1]):
        result = derain(net, np.concatenate([colours, alpha], axis=-1), angle=5.0).background
        np.testing.assert_array_equal(result[..., -1:], alpha)
        np.testing.assert_array_equal(result[..., :-1], derain(net, colours, angle=5.0).background)


def test_channels_may_be_anywhere(picture):
    net = tiny()
    first = derain(net, np.moveaxis(picture, -1, 0), angle=9.0, channel_axis=0).background
    last = derain(net, picture, angle=9.0).background
    np.testing.assert_array_equal(np.moveaxis(first, 0, -1), last)
    assert first.flags.c_contiguous
    assert last.flags.c_contiguous


def test_depth_does_not_matter(rng):
    net, image = tiny(), rng.integers(0, 255, (*ODD, 3)).astype(np.uint8)
    eight = derain(net, image, angle=3.0).background
    sixteen = derain(net, image.astype(np.uint16) * 257, angle=3.0).background
    np.testing.assert_allclose(sixteen, eight, atol=1e-6)
    swapped = derain(net, image.astype(np.uint16).byteswap().view(np.dtype(np.uint16).newbyteorder()) * 257, angle=3.0)
    np.testing.assert_array_equal(swapped.background, sixteen)


def test_a_network_of_one_channel(picture):
    net = tiny(channels=1)
    assert derain(net, picture[..., 0], angle=0.0).background.shape == ODD
    with pytest.raises(ValueError, match="`image` has 3 channels besides alpha, and the network takes 1"):
        derain(net, picture)


def test_a_network_in_double_precision(picture):
    net = tiny()
    single, double = derain(net, picture, angle=17.0), derain(net.double(), picture, angle=17.0)
    assert double.background.dtype == np.float32
    np.testing.assert_allclose(double.background, single.background, atol=1e-5)


def test_the_network_is_left_as_it_was(picture):
    net = tiny().train()
    net.angle.eval()
    modes = [module.training for module in net.modules()]
    weights = {name: value.clone() for name, value in net.state_dict().items()}
    derain(net, picture, angle=17)
    assert [module.training for module in net.modules()] == modes
    with pytest.raises(ValueError, match="finite"):
        derain(net, np.full((8, 8), np.nan), angle=17)
    net.multiple = 0
    with pytest.raises(ZeroDivisionError):
        derain(net, picture, angle=17)
    assert [module.training for module in net.modules()] == modes
    for name, value in net.state_dict().items():
        torch.testing.assert_close(value, weights[name], rtol=0, atol=0)
    # It can still be trained.
    net = tiny()
    derain(net, picture, angle=17)
    net(torch.rand(1, 3, 16, 16)).background.sum().backward()
    assert all(parameter.grad is not None for parameter in net.image_stream.parameters())


# Libraries


def test_torch_in_torch_out(picture):
    net = tiny()
    given = torch.from_numpy(picture).requires_grad_()
    result = derain(net, given, angle=17.0)
    for layer in (result.background, result.rain):
        assert isinstance(layer, torch.Tensor)
        assert not layer.requires_grad
        # Inference tensors would be refused by whoever trains on results.
        assert not layer.is_inference()
    same = derain(net, picture, angle=17.0)
    np.testing.assert_array_equal(result.background.numpy(), same.background)
    assert isinstance(same.background, np.ndarray)


def test_other_libraries(picture, xp):
    result = derain(tiny(), xp.asarray(picture), angle=17.0)
    assert type(result.background) is type(xp.asarray(picture))
    np.testing.assert_array_equal(np.asarray(result.background), derain(tiny(), picture, angle=17.0).background)


def test_what_is_no_array_is_refused():
    with pytest.raises(TypeError, match="`image` must be arrays"):
        derain(tiny(), [[0.5]])


# Angles


def test_who_finds_the_angle(rng, monkeypatch):
    net, image = tiny(), rained(rng, angle=20.0)
    with torch.no_grad():
        own = float(net.find_angle(torch.from_numpy(image / np.float32(255)).permute(2, 0, 1)[None])[0])
    solvers = estimate_angle(image).angle
    assert abs(solvers - 20) < 3
    assert abs(own - solvers) > 1
    assert derain(net, image, angle="network").angle == pytest.approx(own, abs=1e-4)
    assert derain(net, image, angle="solver").angle == solvers
    assert derain(net, image, angle=-80).angle == -80
    for by in ("network", "solver"):
        monkeypatch.setattr(infer_angle, "ANGLE_BY", by)
        assert derain(net, image).angle == derain(net, image, angle=by).angle == find_angle(net, image)
    assert find_angle(Plain(), image, by="network") is None


@pytest.mark.parametrize(
    ("angle", "kind", "message"),
    [
        ("slanted", ValueError, "got 'slanted'"),
        (90.5, ValueError, r"in \(-90, 90\] degrees, got 90.5"),
        (-90, ValueError, "got -90"),
        (float("nan"), ValueError, "got nan"),
        (True, TypeError, "got True"),
        ([3.0], TypeError, r"got \[3.0\]"),
    ],
)
def test_angles_that_are_none(picture, angle, kind, message):
    with pytest.raises(kind, match=f"`angle` must be .*{message}"):
        derain(tiny(), picture, angle=angle)


def test_large_pictures_are_seen_in_crops(rng, monkeypatch):
    monkeypatch.setattr(infer_angle, "WHOLE_PIXELS", 10_000)
    monkeypatch.setattr(infer_angle, "CROP_SIDE", 60)
    net, seen = tiny(), []
    answers = iter([3.0, 40.0, 5.0, 4.0, -44.0, 4.5, 4.2, 4.1, 3.9])

    def answer(crop):
        seen.append(crop[0, 0].clone())
        return torch.tensor([next(answers)])

    monkeypatch.setattr(net, "find_angle", answer)
    image = torch.from_numpy(rng.random((3, 100, 150), dtype=np.float32))
    assert found_by_network(net, image, torch.device("cpu")) == pytest.approx(4.1)
    assert {tuple(crop.shape) for crop in seen} == {(60, 60)}
    corners = [image[0, :60, :60], image[0, -60:, -60:]]
    assert all(torch.equal(crop, corner) for crop, corner in zip((seen[0], seen[-1]), corners, strict=True))
    seen.clear()
    answers = iter([7.0] * 9)
    # A long picture is cut along its length only.
    assert found_by_network(net, torch.rand(3, 20, 900), torch.device("cpu")) == 7.0
    assert {tuple(crop.shape) for crop in seen} == {(20, 60)}
    assert len(seen) == 3


@given(st.lists(st.floats(-89, 90), min_size=1, max_size=9), st.floats(-180, 180))
def test_the_middle_angle_turns_with_the_angles(angles, turn):
    middle = middle_angle(angles)
    turned = middle_angle([line_angle(angle + turn) for angle in angles])

    def distance(centre, lines):
        return sum(abs(line_angle(centre - line)) for line in lines)

    moved = [line_angle(angle + turn) for angle in angles]
    assert distance(turned, moved) == pytest.approx(distance(middle, angles), abs=1e-6)
    if len(angles) % 2 and max(angles) - min(angles) < 90:
        assert distance(middle, angles) == pytest.approx(distance(float(np.median(angles)), angles), abs=1e-6)


# Polishing


def test_no_polish_is_the_network_alone(picture):
    net = tiny()
    np.testing.assert_array_equal(
        derain(net, picture, angle=9.0, polish=0).background, derain(net, picture, angle=9.0).background
    )


@pytest.fixture
def solved(monkeypatch):
    """What the solver was asked when polishing, and what it answered."""
    calls = []
    real = adaptive.solve_udg

    def watched(O, **settings):
        solution = real(O, **settings)
        calls.append((O, settings, solution))
        return solution

    monkeypatch.setattr(adaptive, "solve_udg", watched)
    return calls


@pytest.mark.parametrize("angle", [0.0, 17.0, -80.0])
def test_polish_lowers_the_energy(rng, solved, angle):
    image = rained(rng, angle=angle if abs(angle) < 45 else 0.0)
    result = derain(tiny(), image, angle=angle, polish=30)
    # No pilot: the network has taken its place.
    ((O, settings, solution),) = solved
    assert (settings["max_iter"], settings["tol"]) == (30, 0.0)

    def energy(background, rain):
        return float(udg_energy(O, background, rain, settings["weights"], settings["prior"]))

    start = settings["start"]
    assert energy(solution.background, solution.rain) < energy(O - start, start)
    assert result.background.shape == image.shape
    assert 0 <= result.rain.min() <= result.rain.max() <= 1


def test_polish_begins_with_what_the_network_removed(rng, solved):
    image, net = rained(rng), tiny()
    plain = derain(net, image, angle=0.0)
    after = derain(net, image, angle=0.0, polish=10)
    ((O, settings, _),) = solved
    grey = np.tensordot(image / np.float32(255), np.float32(LUMA), 1)
    removed = np.maximum(grey - np.tensordot(plain.background, np.float32(LUMA), 1), 0)
    # At angle 0 the frame of the solver is the picture.
    np.testing.assert_allclose(O, grey, atol=1e-6)
    np.testing.assert_allclose(settings["start"], np.minimum(removed, np.asarray(settings["prior"].ceiling)), atol=1e-6)
    # The luminance changes as the layer does, where nothing is cut off.
    change = np.tensordot(after.background - plain.background, np.float32(LUMA), 1)
    clear = ((after.background > 0.05) & (after.background < 0.95)).all(axis=-1)
    assert clear.mean() > 0.5
    np.testing.assert_allclose(change[clear], (removed - after.rain)[clear], atol=1e-4)
    assert np.abs(change[clear]).mean() > 1e-3


def test_polish_that_finds_nothing_better_leaves_the_network_s_result(rng, monkeypatch):
    image, net = rained(rng), tiny()
    plain = derain(net, image, angle=17.0)

    def content(O, removal, iterations, tol, first):
        return SimpleNamespace(rain=first), 0.0

    monkeypatch.setattr(infer_polish, "solve_adaptive", content)
    np.testing.assert_array_equal(derain(net, image, angle=17.0, polish=5).background, plain.background)


@pytest.mark.parametrize("layout", ["grey", "torch"])
def test_polish_of_other_pictures(rng, layout):
    image = rained(rng)[..., 0] if layout == "grey" else torch.from_numpy(rained(rng))
    result = derain(tiny(), image, angle=4.0, polish=10)
    assert result.background.shape == image.shape
    assert type(result.background) is type(image)


def test_polish_without_an_angle_of_the_network(rng):
    image = rained(rng, angle=20.0)
    result = derain(Plain(), image, polish=20)
    assert result.angle == estimate_angle(image).angle
    told = derain(Plain(), image, polish=20, angle=result.angle)
    np.testing.assert_array_equal(result.background, told.background)


# Settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tile": 31}, "`tile` must be 0, for none, or at least 32 pixels, got 31"),
        ({"tile": -1}, "`tile` must be a whole number"),
        ({"tile": 64.5}, "`tile` must be a whole number"),
        ({"tile": False}, "`tile` must be a whole number"),
        ({"batch": 0}, "`batch` must be a whole number of at least 1, got 0"),
        ({"polish": -3}, "`polish` must be a whole number"),
        ({"device": "gpu"}, "`device` must be auto, cpu or cuda:N, got 'gpu'"),
        ({"channel_axis": 7}, "`channel_axis` must name an axis"),
    ],
)
def test_settings_out_of_range(picture, settings, message):
    with pytest.raises(ValueError, match=message):
        derain(tiny(), picture, **settings)


def test_a_device_that_is_not_there(picture, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name in ("cuda:0", "cuda", torch.device("cuda:1")):
        with pytest.raises(ValueError, match="there is no device 'cuda"):
            derain(tiny(), picture, device=name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ValueError, match="there is no device 'cuda:3': torch finds 1"):
        derain(tiny(), picture, device="cuda:3")


def test_auto_stays_where_the_network_is():
    assert infer_device.device_for("auto", tiny().to("meta")).type == "meta"
    assert infer_device.device_for(torch.device("cpu"), tiny().to("meta")).type == "cpu"


@pytest.mark.gpu
def test_on_a_gpu(picture):
    net = tiny()
    host = derain(net, picture, angle=17.0, device="cpu")
    for tile in (0, 32):
        device = derain(net, picture, angle=17.0, device="cuda:0", tile=tile)
        np.testing.assert_allclose(device.background, host.background, atol=2e-3)
    assert next(net.parameters()).device.type == "cuda"
    given = torch.from_numpy(picture).cuda()
    assert derain(net, given, angle=17.0).background.device.type == "cuda"


def test_the_result_is_frozen(picture):
    result = derain(tiny(), picture, angle=1.0)
    assert rainnet.derain is derain
    assert isinstance(result, Derained)
    with pytest.raises(AttributeError):
        result.angle = 2.0
    assert replace(result, angle=2.0).angle == 2.0


def test_no_more_is_taken_off_than_rain_can_have_added(rng):
    image = rained(rng, angle=20.0) / np.float32(255)
    most = most_rain(Streaks(image).removal(20.0, 96, 120))
    assert 0 < most < 1
    assert most_rain(Streaks(np.moveaxis(image, -1, 0), 0).removal(20.0, 96, 120)) == most
    assert most_rain(Streaks(np.full((64, 64), 0.5, np.float32)).removal(20.0, 64, 64)) == 1
    net = tiny()
    with torch.no_grad():
        net.image_stream.last.bias += 2 * most
    taken = image - derain(net, image, angle=20.0).background
    assert taken.max() <= most + 1e-6
    free = image - derain(net, image, angle=20.0, bounded=False).background
    np.testing.assert_allclose(taken, np.minimum(free, np.minimum(most, image)), atol=1e-6)


@pytest.mark.parametrize("ensemble", [1, 2, 4])
def test_an_ensemble_follows_mirrors(picture, ensemble):
    def taken(image):
        return derain(tiny(), image, angle=0, ensemble=ensemble, bounded=False).background - image

    one, mirrored = taken(picture), taken(picture[:, ::-1])[:, ::-1]
    apart = np.abs(one - mirrored).max()
    assert apart < 1e-5 if ensemble > 1 else apart > 1e-3


def test_an_ensemble_is_of_one_two_or_four(picture):
    with pytest.raises(ValueError, match="`ensemble` must be one of 1, 2, 4, got 3"):
        derain(tiny(), picture, angle=0, ensemble=3)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_an_image_without_rain_comes_back_as_it_was(dtype):
    net, dry = tiny(), np.full((96, 120, 3), 90, np.uint8)
    dry[40:] = 140
    image = dry if dtype == np.uint8 else dry / np.float32(255)
    result = derain(net, image)
    assert result.dry
    np.testing.assert_array_equal(result.background, dry / np.float32(255))
    assert not result.rain.any()
    assert result.rain.shape == (96, 120)
    told = derain(net, image, angle="solver")
    assert not told.dry
    assert np.abs(told.background - result.background).max() > 0


def test_rain_that_is_seen_is_removed(rng):
    result = derain(tiny(), rained(rng, angle=20.0))
    assert not result.dry
    assert result.angle == pytest.approx(20, abs=3)
