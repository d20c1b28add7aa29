import functools
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

import rainnet
from rainnet.export.onnx import LEAVES_OUT, MIXED, ExportError, check_onnx, export_onnx
from rainnet.models.decomposition import Layers
from tests.support.toy import Toy
from tests.support.udgnet import random_udgnet


def random_net(seed=0):
    net = random_udgnet(seed, along=(2,))
    # Fresh networks find the same angle everywhere.
    nn.init.normal_(net.angle.last.weight, std=3.0)
    return net


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("onnx")


@pytest.fixture(scope="module")
def net():
    return random_net()


@pytest.fixture(scope="module")
def whole(net, folder):
    return export_onnx(net, folder / "whole.onnx", facts={"steps": 7}).path


@pytest.fixture(scope="module")
def core(net, folder):
    return export_onnx(net, folder / "core.onnx", core=True).path


@functools.cache
def opened(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4  # one of the tests provokes an error
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def ran(path, **inputs):
    session = opened(path)
    names = [output.name for output in session.get_outputs()]
    values = session.run(None, {name: np.asarray(value) for name, value in inputs.items()})
    return dict(zip(names, (torch.from_numpy(value) for value in values), strict=True))


def by_torch(net, rainy, angle=None):
    training = net.training
    with torch.no_grad():
        result = net.eval()(rainy, angle)
    net.train(training)
    return result


def assert_same(got, wanted):
    for name, value in zip(("background", "rain", "used"), wanted[:3], strict=True):
        torch.testing.assert_close(got[name], value, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("size", "angles"),
    [
        ((40, 56), [17.0, -31.5]),
        ((33, 25), [0.0, 0.0]),
        ((24, 50), [-80.0, 63.0]),
        ((21, 64), [90.0, 46.0]),
        ((31, 31), [12.0, 75.0]),  # both kinds in one batch
        ((8, 9), [44.0, -2.0]),
        ((1, 1), [20.0, 3.0]),
    ],
)
@pytest.mark.slow
def test_the_graph_is_the_network_at_any_size_and_angle(net, whole, size, angles):
    rainy, angle = torch.rand(len(angles), 3, *size), torch.tensor(angles)
    wanted = by_torch(net, rainy, angle)
    assert_same(ran(whole, rainy=rainy, angle=angle), wanted)
    # Otherwise a graph that returns its input would pass.
    assert (wanted.background - rainy).abs().max() > 0.01


@pytest.mark.slow
def test_angles_that_are_nan_are_found(net, whole):
    rainy = torch.rand(3, 3, 37, 64) * torch.tensor([0.2, 0.6, 1.0])[:, None, None, None]
    found = ran(whole, rainy=rainy, angle=torch.full((3,), torch.nan))
    wanted = by_torch(net, rainy)
    assert_same(found, wanted)
    assert wanted.angle.std() > 0.1
    mixed = ran(whole, rainy=rainy, angle=torch.tensor([torch.nan, 5.0, torch.nan]))
    assert_same(mixed, by_torch(net, rainy, torch.stack([wanted.angle[0], torch.tensor(5.0), wanted.angle[2]])))


@pytest.mark.slow
def test_kinds_of_rain_do_not_mix_where_torch_does_not_mix_them(whole):
    with pytest.raises(Exception, match=f"{MIXED}.*Attempting to broadcast"):
        ran(whole, rainy=torch.rand(2, 3, 20, 30), angle=torch.tensor([10.0, 80.0]))


@pytest.mark.slow
def test_the_file_says_what_it_is(net, whole, core):
    for path, facts in ((whole, {"steps": 7}), (core, {})):
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        said = {entry.key: entry.value for entry in model.metadata_props}
        assert (said["format"], said["network"], said["multiple"]) == ("rainnet", "udgnet", "2")
        assert said["reach"] == str(net.reach)
        again = rainnet.create(said["network"], **json.loads(said["config"]))
        assert again.config == net.config
        assert json.loads(said["facts"]) == facts
        assert said["leaves_out"] == LEAVES_OUT
        assert [entry.version for entry in model.opset_import] == [18]
        assert all(entry.doc_string for entry in (*model.graph.input, *model.graph.output))
        # Nothing of the machine that wrote it, and weights where tools look for them.
        assert b"site-packages" not in path.read_bytes()
        assert not model.functions
        weights = [onnx.numpy_helper.to_array(weight) for weight in model.graph.initializer]
        for stream in (net.image_stream, net.rain_stream):
            for value in stream.parameters():
                assert any(np.array_equal(weight, value.detach()) for weight in weights)


def test_the_same_network_is_the_same_file_and_left_as_it_was(net, core, folder):
    before = {key: value.clone() for key, value in net.state_dict().items()}
    net.train()
    net.rain_stream.eval()
    assert export_onnx(net, folder / "same.onnx", core=True).path.read_bytes() == core.read_bytes()
    assert net.training
    assert not net.rain_stream.training
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())


def test_the_core_is_the_layers(net, core):
    for size in ((16, 22), (50, 8)):
        upright = torch.rand(2, 3, *size)
        got = ran(core, upright=upright)
        with torch.no_grad():
            wanted = net.layers(upright)
        torch.testing.assert_close(got["removed"], wanted.removed, rtol=0, atol=1e-4)
        torch.testing.assert_close(got["rain"], wanted.rain, rtol=0, atol=1e-4)


class Turning(Toy):
    def orientation(self, height, width, angle):
        return object()


class Sorting(Toy):
    def layers(self, rainy):
        # How many values there are depends on the values, which no graph of open sizes says.
        return Layers(rainy[rainy > 0.5].view(1, -1), rainy) if bool(rainy.sum() > 3) else Layers(rainy, rainy)


def test_what_has_no_graph_is_an_error(folder):
    with pytest.raises(ExportError, match="export its core"):
        export_onnx(Turning(), folder / "turning.onnx")
    with pytest.raises(ExportError, match="cannot export the network"):
        export_onnx(Sorting(), folder / "sorting.onnx", core=True)


@pytest.mark.slow
def test_a_graph_of_other_weights_is_noticed(net, whole, core):
    assert check_onnx(whole, net.eval()) <= 1e-4
    assert check_onnx(core, net, [(11, 12), (32, 20)]) <= 1e-4
    other = random_net(1).eval()
    assert check_onnx(whole, other) > 1e-3
    assert check_onnx(core, other) > 1e-3
    with torch.no_grad():
        other.angle.last.bias.fill_(torch.nan)
        for parameter in other.image_stream.parameters():
            parameter.fill_(torch.nan)
    assert not check_onnx(core, other) <= 1e-4


def test_a_graph_that_differs_is_not_written(core, folder, monkeypatch):
    monkeypatch.setattr("rainnet.export.onnx.layers_graph", lambda *_: onnx.load(core))
    with pytest.raises(ExportError, match="was not written: its graph differs from the network by"):
        export_onnx(random_net(1), folder / "wrong.onnx", core=True)
    assert not (folder / "wrong.onnx").exists()


def test_settings_are_checked_and_a_file_that_is_there_is_kept(net, core, folder):
    before = core.read_bytes()
    with pytest.raises(FileExistsError):
        export_onnx(random_net(1), core, core=True)
    assert core.read_bytes() == before
    with pytest.raises(ExportError, match=r"must end in \.onnx"):
        export_onnx(net, folder / "net.safetensors")
    with pytest.raises(ExportError, match="at least 18, got 11"):
        export_onnx(net, folder / "net.onnx", opset=11)


@pytest.mark.slow
@pytest.mark.parametrize("opset", [19, 20, 21])
def test_later_opsets(net, folder, opset):
    exported = export_onnx(net, folder / f"opset{opset}.onnx", opset=opset)
    assert exported.difference <= 1e-4


@pytest.mark.slow
def test_an_operator_that_onnx_lacks_is_named(tmp_path):
    with pytest.raises(ExportError, match="ONNX has nothing for 'rainnet::irnn', which this network computes with"):
        export_onnx(rainnet.create("spanet", features=4, stages=1, blocks=1).eval(), tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())
