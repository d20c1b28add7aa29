"""Files whose weights are not those of the network that they name, or no plain numbers: refused before it is built."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from rainnet.models.udgnet import UDGNet
from rainnet.weights.checkpoint import load, save
from rainnet.weights.fitting import CheckpointError, outlined
from rainnet.weights.foreign import ConversionError, convert
from rainnet.zoo import create
from tests.support.udgnet import TINY, random_udgnet


@pytest.fixture
def saved(tmp_path):
    return save(random_udgnet(), tmp_path / "net.safetensors")


def with_config(path, **fields):
    """Let a file ask for another config than its weights are of."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    metadata["config"] = json.dumps(json.loads(metadata["config"]) | fields)
    save_file(load_file(path), path, metadata)
    return path


@pytest.fixture
def largest(monkeypatch):
    """Numbers of the largest network that was built in memory."""
    built, real = [0], UDGNet.__init__

    def init(self, config=None):
        real(self, config)
        built.append(sum(p.numel() for p in self.parameters() if not p.is_meta))

    monkeypatch.setattr(UDGNet, "__init__", init)
    return lambda: max(built)


@pytest.mark.parametrize("fields", [{"features": 4096}, {"blocks": 1000, "features": 512}, {"angle_features": 2048}])
def test_a_small_file_cannot_ask_for_a_large_network(saved, largest, fields):
    with pytest.raises(CheckpointError, match=r"net\.safetensors' (has no|does not fit)"):
        load(with_config(saved, **fields))
    assert largest() == 0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"blocks": 10**9}, "`blocks` must be at most 1024, got 1000000000"),
        ({"features": "32"}, "field 'features' of the config of udgnet cannot be '32': .*integer"),
        ({"features": 3.5}, "cannot be 3.5: .*integer"),
        ({"stride": True}, "cannot be True: .*integer"),
        ({"rain_from_input": "no"}, "cannot be 'no': .*boolean"),
        ({"along": 3}, "field 'along' .*tuple"),
        ({"along": [1] * 5000}, "`along` must hold 1 to 1024 dilations, got 5000"),
        ({"channels": None}, "cannot be None"),
    ],
)
def test_fields_of_a_config_are_of_their_kind_and_in_their_range(saved, largest, fields, message):
    with pytest.raises(CheckpointError, match=rf"net\.safetensors' cannot be built: .*{message}"):
        load(with_config(saved, **fields))
    assert largest() == 0


def test_a_config_that_is_nested_without_end_is_damaged(saved):
    with safe_open(saved, framework="pt") as file:
        metadata = file.metadata()
    save_file(load_file(saved), saved, metadata | {"config": "[" * 100_000})
    with pytest.raises(CheckpointError, match="is damaged: its config is no JSON object"):
        load(saved)


UNLIKE = {
    "float8": (lambda t: t.to(torch.float8_e4m3fn), "type float8_e4m3fn"),
    "complex": (lambda t: t.to(torch.complex64), "type complex64"),
    "sparse": (lambda t: t.to_sparse(), "sparse or nested"),
    "meta": (lambda t: t.to("meta"), "on the device 'meta'"),
    "quantised": (lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8), "type qint8"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", UNLIKE)
def test_weights_that_are_no_plain_numbers_are_refused(tmp_path, kind):
    change, message = UNLIKE[kind]
    state = random_udgnet(**TINY).state_dict()
    state["image_stream.head.weight"] = change(state["image_stream.head.weight"])
    torch.save(state, tmp_path / "net.pt")
    with pytest.raises(ConversionError, match=rf"net\.pt' (holds weights that are .*{message}|cannot be read)"):
        convert("udgnet", tmp_path / "net.pt", config=TINY | {"stride": 2})


def test_weights_of_eight_bits_in_a_file_of_ours_are_refused(saved):
    with safe_open(saved, framework="pt") as file:
        metadata = file.metadata()
    state = load_file(saved)
    state["angle.last.bias"] = state["angle.last.bias"].to(torch.float8_e5m2)
    save_file(state, saved, metadata)
    with pytest.raises(CheckpointError, match=r"type float8_e5m2 \(angle\.last\.bias\); save them as plain float32"):
        load(saved)


@pytest.mark.filterwarnings("ignore:Complex modules")
def test_a_network_of_complex_weights_is_not_saved(tmp_path):
    with pytest.raises(CheckpointError, match="`net` holds weights that are of type complex64"):
        save(random_udgnet().to(torch.complex64), tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())


def test_an_outline_has_the_shapes_of_the_network():
    built = {key: tuple(value.shape) for key, value in create("udgnet", **TINY, stride=3).state_dict().items()}
    assert outlined("udgnet", TINY | {"stride": 3}) == built
