"""The network in its ONNX file: what ships is what rainnet ships, and tiles are the whole."""

import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch

import rainnet
from rainnet.export.check import check_onnx
from rainnet.export.onnx import export_onnx
from rainopt.refine.session import PACKAGED, Core, core, require_runtime
from tests.support.processes import environment
from tests.support.refine import altered_pair


@pytest.fixture(scope="module")
def altered(tmp_path_factory):
    return altered_pair(tmp_path_factory.mktemp("altered"))


def test_the_file_that_ships_is_an_export_of_the_weights_that_ship():
    net, model = rainnet.load("refine"), onnx.load(PACKAGED)
    weights = [onnx.numpy_helper.to_array(each) for each in model.graph.initializer]
    for name, value in net.named_parameters():
        # Zeros that are added are left out of a graph.
        assert not value.any() or any(np.array_equal(each, value.detach()) for each in weights), name
    assert check_onnx(PACKAGED, net, sizes=((48, 64),)) < 1e-4


@pytest.mark.slow
def test_an_export_made_anew_gives_the_same(tmp_path, rng):
    anew = export_onnx(rainnet.load("refine"), tmp_path / "anew.onnx", core=True).path
    planes = rng.random((4, 83, 71), dtype=np.float32)
    np.testing.assert_allclose(Core(anew, 1).removed(planes), Core(PACKAGED, 1).removed(planes), atol=1e-6)


def test_it_gives_what_torch_gives_in_tiles_or_whole(altered, rng):
    net, path = altered
    planes = rng.random((4, 51, 390), dtype=np.float32)
    with torch.inference_mode():
        wanted = net.split(torch.from_numpy(planes)[None]).removed[0].numpy()
    assert np.abs(wanted - planes[3]).max() > 0.01
    opened = Core(path, 1)
    for tile in (None, 0, 60):
        np.testing.assert_allclose(opened.removed(planes, tile), wanted, atol=1e-5)


def test_progress_is_told_below_one(altered):
    shares = []
    Core(altered[1], 1).removed(np.zeros((4, 40, 500), np.float32), 40, shares.append)
    assert shares == sorted(shares)
    assert len(shares) > 1
    assert 0 < shares[0] < shares[-1] < 1


def test_it_is_opened_once_for_a_number_of_threads(thread_count):
    thread_count(1)
    assert core() is core()
    one = core()
    thread_count(2)
    assert core() is not one


def test_files_of_other_networks_are_refused(tmp_path):
    model = onnx.load(PACKAGED)
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(ValueError, match=r"other\.onnx' is not the core of a network that works in tiles"):
        Core(tmp_path / "other.onnx", 1)


def test_the_runtime_is_loaded_without_telling_its_makers(tmp_path):
    code = "from rainopt.refine.session import core; core()"
    variables = {key: value for key, value in environment().items() if key != "ORT_DISABLE_TELEMETRY"}
    subprocess.run([sys.executable, "-c", code], env=variables | {"TMPDIR": str(tmp_path)}, check=True)
    # Builds that tell leave a file where temporary files go.
    assert list(tmp_path.iterdir()) == []


def test_without_the_runtime_it_is_told_what_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModuleNotFoundError, match=r"refining needs onnxruntime, .*: pip install 'rainopt\[refine\]'"):
        require_runtime()
