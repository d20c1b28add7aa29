"""Files of networks: safetensors with odd headers and configs, and checkpoints that torch.save wrote."""

from __future__ import annotations

import functools
import io
import json
import warnings
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.robustness.attacks.texts import odd_json
from benchmarks.robustness.case import Case
from benchmarks.robustness.corpus import network
from benchmarks.robustness.mutations import NUMBERS, mutated

FIELDS = ("channels", "features", "blocks", "rain_blocks", "stride", "along", "rain_from_input", "angle_features")
ODD_FIELDS: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    2.0,
    "4",
    [],
    [1],
    [0],
    {},
    2**40,
    1e308,
    100_000,
    [2**40],
)
DTYPES = ("F64", "F32", "F16", "BF16", "I64", "I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "C64", "X", "")


def safetensors_read(random: Random) -> Case:
    """Return a file of a network whose header, config, tensors or bytes are odd."""
    import rainnet
    from rainnet.weights.checkpoint import CheckpointError, facts_of

    data = network()
    if random.random() < 0.85:
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        _spoil(header, random)
        text = json.dumps(header).encode("utf-8", "surrogatepass")
        size = len(text) if random.random() < 0.9 else random.choice(NUMBERS) % 2**64
        data = size.to_bytes(8, "little") + text + data[8 + length :]
    if random.random() < 0.3:
        data = mutated(data, random)
    facts = random.random() < 0.2

    def call(folder: Path) -> Any:
        path = folder / "net.safetensors"
        return facts_of(path) if facts else rainnet.load(path)

    name = "facts_of" if facts else "rainnet.load"
    return Case(f"{name}(odd safetensors)", call, (CheckpointError,), {"net.safetensors": data}, "net.safetensors")


def _spoil(header: dict[str, Any], random: Random) -> None:
    own = header["__metadata__"]
    match random.randrange(5):
        case 0:
            key = random.choice(list(own))
            own[key] = str(random.choice(("", "x", "2", "{}", "[]", "null", "\ud7ff", "[" * 5000, '{"a":' * 3000)))
        case 1 | 2:
            config = json.loads(own["config"])
            config[random.choice((*FIELDS, "x"))] = random.choice(ODD_FIELDS)
            own["config"] = json.dumps(config)
        case 3:
            tensor = header[random.choice([key for key in header if key != "__metadata__"])]
            tensor["dtype"] = random.choice(DTYPES)
        case _:
            changed = odd_json(header, random)
            if isinstance(changed, dict):
                header.clear()
                header.update(changed)


@functools.cache
def _pickles() -> dict[str, bytes]:
    """Return what torch.save makes of a network's weights, of odd tensors, and of things that are no weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # quantised tensors are on their way out of torch, and still in people's files
        return _saved()


def _saved() -> dict[str, bytes]:
    import torch

    import rainnet

    torch.manual_seed(0)
    state = rainnet.create("udgnet", features=4, blocks=1, stride=2, angle_features=4, angle_stages=2).state_dict()
    first = next(iter(state))

    def with_first(tensor: Any) -> dict[str, Any]:
        return {**state, first: tensor}

    shape = state[first].shape
    kinds: dict[str, Any] = {
        "state": dict(state),
        "wrapped": {"state_dict": dict(state), "epoch": 3},
        "parallel": {f"module.{key}": value for key, value in state.items()},
        "fp8": with_first(torch.zeros(shape).to(torch.float8_e4m3fn)),
        "half": with_first(torch.zeros(shape, dtype=torch.bfloat16)),
        "complex": with_first(torch.zeros(shape, dtype=torch.complex64)),
        "sparse": with_first(torch.zeros(shape).to_sparse()),
        "meta": with_first(torch.zeros(shape, device="meta")),
        "quantised": with_first(torch.quantize_per_tensor(torch.zeros(shape), 0.1, 0, torch.qint8)),
        "strided": with_first(torch.zeros(1).expand(shape)),
        "whole": with_first(torch.zeros(shape, dtype=torch.int64)),
        "nan": with_first(torch.full(shape, float("nan"))),
        "empty": {},
        "list": [1, 2],
        "nested": {"net": {"net": {"net": 1}}},
        "keys": {1: torch.zeros(2), None: torch.zeros(2), ("a",): 3},
        "number": 3,
        "tensor": torch.zeros(3),
        "parameter": torch.nn.Parameter(torch.zeros(3)),
    }
    found = {}
    for name, content in kinds.items():
        file = io.BytesIO()
        torch.save(content, file)
        found[name] = file.getvalue()
    file = io.BytesIO()
    torch.save(dict(state), file, _use_new_zipfile_serialization=False)
    found["old"] = file.getvalue()
    found["code"] = b"cos\nsystem\n(S'touch out/run'\ntR."
    return found


def pickle_read(random: Random) -> Case:
    """Return a checkpoint of another program, perhaps with changed bytes, to be converted."""
    from rainnet.weights.foreign import ConversionError, convert

    kinds = _pickles()
    name = random.choice(sorted(kinds))
    data = kinds[name]
    if random.random() < 0.6:
        data = mutated(data, random, list(kinds.values()))
    file = f"weights{random.choice(('.pth', '.pt', '.bin', '.safetensors'))}"
    config = {random.choice(FIELDS): random.choice(ODD_FIELDS)} if random.random() < 0.3 else {}

    def call(folder: Path) -> Any:
        return convert("udgnet", folder / file, config=config)

    return Case(f"convert(udgnet, {name}, {config})", call, (ConversionError,), {file: data}, file)
