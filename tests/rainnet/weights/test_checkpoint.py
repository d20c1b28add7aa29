import json
import os

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from rainnet.weights import checkpoint
from rainnet.weights.checkpoint import CheckpointError, facts_of, header_of, load, resolve, save
from rainnet.zoo import Entry, added
from tests.support.toy import assert_same
from tests.support.udgnet import TINY, random_udgnet

SMALL = TINY | {"stride": 2}


@pytest.fixture
def net():
    return random_udgnet()


@pytest.fixture
def saved(net, tmp_path):
    return save(net, tmp_path / "net.safetensors", facts={"steps": 5, "psnr": 31.5})


def rewritten(path, tensors=None, **metadata):
    """Write a file again with other tensors or metadata; None drops an entry."""
    with checkpoint.safe_open(path, framework="pt") as file:
        before = file.metadata()
    after = {key: value for key, value in {**before, **metadata}.items() if value is not None}
    save_file(load_file(path) if tensors is None else tensors, path, after)


@pytest.mark.parametrize("config", [{}, {"stride": 1, "rain_from_input": False}, {"along": (1, 2), "rain_blocks": 2}])
def test_a_loaded_network_is_the_saved_one(tmp_path, config):
    net = random_udgnet(**config)
    back = load(save(net, tmp_path / "net.safetensors"))
    rainy = torch.rand(2, 3, 17, 22)
    with torch.no_grad():
        # The angle network is among them.
        for ours, theirs in zip(net(rainy)[:3], back(rainy)[:3], strict=True):
            assert torch.equal(ours, theirs)
    assert back.config == net.config
    assert type(back) is type(net)


def test_a_loaded_network_is_ready_to_be_used_and_random_numbers_are_as_they_were(saved):
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    assert not any(module.training for module in load(saved).modules())
    assert torch.equal(torch.rand(4), expected)


def test_the_file_says_what_it_is_and_what_it_was_told(saved, net, tmp_path):
    assert facts_of(saved) == {"steps": 5, "psnr": 31.5}
    assert facts_of(save(net, tmp_path / "other.safetensors")) == {}
    header = header_of(saved)
    assert header.network == "udgnet"
    assert header.config == {**net.config_dict(), "along": (1,)}


def test_weights_are_written_as_contiguous_float32(tmp_path):
    net = random_udgnet().to(memory_format=torch.channels_last).double()
    tensors = load_file(save(net, tmp_path / "net.safetensors"))
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}
    assert all(tensor.is_contiguous() for tensor in tensors.values())
    assert next(net.parameters()).dtype == torch.float64


def test_the_same_network_is_the_same_file_and_one_that_its_format_s_library_reads(net, tmp_path):
    files = [save(net, tmp_path / f"{k}.safetensors", facts={"a": 1}) for k in range(6)]
    assert len({file.read_bytes() for file in files}) == 1
    assert_same(load_file(files[0]), net.state_dict())


def test_a_device_that_is_not_there_is_an_error(saved):
    with pytest.raises(ValueError, match="`device` 'cuda:99' cannot be used here"):
        load(saved, device="cuda:99")


def test_a_file_that_is_there_is_kept(saved, tmp_path):
    before = saved.read_bytes()
    with pytest.raises(FileExistsError, match="exists already"):
        save(random_udgnet(1), saved)
    assert saved.read_bytes() == before
    save(random_udgnet(1), saved, overwrite=True)
    assert saved.read_bytes() != before
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


def test_weights_that_are_not_finite_are_not_written(net, saved):
    before = saved.read_bytes()
    with torch.no_grad():
        net.rain_stream.tail.bias[1] = torch.nan
    with pytest.raises(ValueError, match=r"NaN or infinite \(rain_stream.tail.bias\)"):
        save(net, saved, overwrite=True)
    assert saved.read_bytes() == before


def test_wrappers_other_suffixes_and_odd_facts_are_refused(net, tmp_path):
    with pytest.raises(TypeError, match="network of rainnet, got DataParallel"):
        save(nn.DataParallel(net), tmp_path / "net.safetensors")
    with pytest.raises(ValueError, match=r"must end in .safetensors"):
        save(net, tmp_path / "net.pt")
    with pytest.raises(TypeError, match="`facts`"):
        save(net, tmp_path / "net.safetensors", facts={"when": object()})
    with pytest.raises(TypeError, match="`facts`"):
        save(net, tmp_path / "net.safetensors", facts=NotImplemented)
    with pytest.raises(TypeError, match="`facts`"):
        save(net, tmp_path / "net.safetensors", facts={"psnr": float("inf")})
    assert list(tmp_path.iterdir()) == []


def test_missing_bytes_are_noticed_wherever_they_are(saved):
    whole = saved.read_bytes()
    for length in (0, 5, 8, 300, len(whole) // 2, len(whole) - 1):
        saved.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"net\.safetensors' is no whole safetensors file"):
            load(saved)


def test_weights_of_nobody_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(CheckpointError, match="no whole safetensors file"):
        load(path)
    save_file({"a": torch.ones(2)}, path)
    with pytest.raises(CheckpointError, match=r"does not say of which network.*rainnet convert"):
        load(path)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"format": "pt"}, "does not say of which network"),
        ({"version": "2"}, "version 2 of the format, this rainnet reads 1"),
        ({"network": "udgnte"}, "'udgnte' is no network; did you mean 'udgnet'"),
        ({"network": None}, "'' is no network"),
        ({"config": None}, "its config is no JSON object"),
        ({"config": "{"}, "its config is no JSON object"),
        ({"facts": "[1]"}, "its facts is no JSON object"),
        ({"config": json.dumps({**SMALL, "feature": 4})}, "'feature' is no field.*did you mean 'features'"),
        ({"config": json.dumps({**SMALL, "blocks": -1})}, "cannot be built: `blocks` must be a whole number"),
        ({"config": json.dumps({**SMALL, "blocks": "many"})}, "cannot be built"),
    ],
)
def test_what_is_wrong_with_the_metadata_is_said(saved, metadata, message):
    rewritten(saved, **metadata)
    with pytest.raises(CheckpointError, match=message) as caught:
        load(saved)
    assert "net.safetensors" in str(caught.value)


def test_what_is_wrong_with_the_weights_is_said(saved):
    tensors = load_file(saved)
    name = "image_stream.head.weight"
    rest = {key: tensor for key, tensor in tensors.items() if key != name}
    for changed, message in (
        (rest, f"has no {name}"),
        (tensors | {"more": torch.ones(1)}, "has more than the network: more"),
        (tensors | {name: torch.ones(2, 3)}, rf"{name} is \(2, 3\) instead of \(4, 12, 3, 3\)"),
        (tensors | {name: torch.full((4, 12, 3, 3), torch.inf)}, rf"NaN or infinite \({name}\)"),
        ({}, f"and {len(tensors) - 3} more"),
    ):
        rewritten(saved, changed)
        with pytest.raises(CheckpointError, match=message):
            load(saved)


def test_a_folder_holds_one_network(net, tmp_path):
    with pytest.raises(CheckpointError, match="holds none"):
        resolve(tmp_path)
    only = save(net, tmp_path / "a.safetensors")
    assert resolve(tmp_path) == only
    save(net, tmp_path / "b.safetensors")
    with pytest.raises(CheckpointError, match=r"several \(a.safetensors, b.safetensors\)"):
        resolve(str(tmp_path))
    assert resolve(save(net, tmp_path / "model.safetensors").parent).name == "model.safetensors"


def test_networks_that_ship_go_by_name(net, tmp_path, monkeypatch):
    file = save(net, tmp_path / "elsewhere.safetensors")
    entry = Entry(type(net), "rainnet.models.udgnet:PRESETS", weights={"pocket": file})
    # A folder of the same name, left by a training run, does not take its place.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pocket").mkdir()
    with added("small", entry):
        assert resolve("pocket") == file
        assert load("pocket").config == net.config
        with pytest.raises(CheckpointError, match=r"no file 'pockt'.*did you mean 'pocket'"):
            resolve("pockt")
        with pytest.raises(CheckpointError, match="one of udgnet-small, refine, pocket is"):
            resolve("zzz")


def test_a_pipe_is_no_network(tmp_path):
    os.mkfifo(tmp_path / "net.safetensors")
    with pytest.raises(CheckpointError, match="is a pipe or a device where a file with a network is expected"):
        load(tmp_path / "net.safetensors")


@pytest.mark.parametrize("name", ["net.pt", "NET.PTH", "last.ckpt"])
def test_files_of_torch_are_not_loaded_and_the_state_of_a_run_points_to_its_network(net, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"anything")
    with pytest.raises(CheckpointError, match="rainnet convert"):
        load(path)
    save(net, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"the one beside it is: '.*model.safetensors'"):
        load(path)


def test_weights_that_were_quantised_are_refused(saved):
    tensors = load_file(saved)
    name = next(iter(tensors))
    tensors[name] = (100 * tensors[name]).to(torch.int32)
    rewritten(saved, tensors)
    with pytest.raises(CheckpointError, match=f"whole numbers for weights .{name}"):
        load(saved)
