"""That an ONNX file computes what its network does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rainnet.models.base import Network
from rainopt.refine.session import require_runtime

SIZES = ((48, 64), (75, 53), (20, 40))
"""Pictures that are compared, (height, width); the second is a multiple of nothing, the last smaller than pooling."""


def check_onnx(source: str | Path | bytes, net: Network, sizes: Sequence[tuple[int, int]] = SIZES) -> float:
    """Return the largest difference between what an ONNX file and its network make of the same random pictures.

    Parameters
    ----------
    source
        File of `export_onnx`, or its bytes.
    net
        The network, on the CPU.
    sizes
        (height, width) of the pictures, each given alone with its angle found, and in pairs with angles given, steep
        and flat. Both compute where a row is shifted to in float32, so they differ more on larger pictures: on noise,
        the hardest picture to shift, by 6e-5 at 480 × 720.
    """
    # rainopt's door: nothing is told to the makers of onnxruntime.
    onnxruntime = require_runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # for small pictures, more would wait for each other
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    inputs = [entry.name for entry in session.get_inputs()]
    generator = torch.Generator().manual_seed(0)
    largest = 0.0
    with torch.inference_mode():
        for height, width in sizes:
            if "upright" in inputs:
                height, width = (size + -size % net.multiple for size in (height, width))
            for angles in ((None,), (17.0, -31.0), (-80.0, 90.0)):
                planes = net.planes if "upright" in inputs else net.channels
                pictures = torch.rand((len(angles), planes, height, width), generator=generator)
                angle = None if angles[0] is None else torch.tensor(angles)
                feed = {inputs[0]: pictures.numpy()}
                if "angle" in inputs:
                    feed["angle"] = np.full(1, np.nan, np.float32) if angle is None else angle.numpy()
                if "upright" in inputs:
                    expected: tuple[Tensor | None, ...] = net.layers(pictures)
                else:
                    expected = net(pictures, angle)
                for got, wanted in zip(session.run(None, feed), expected, strict=False):
                    if wanted is None or got.shape != tuple(wanted.shape):
                        return float("inf")
                    # Not max(): it would pass over NaN.
                    largest = float(np.maximum(largest, np.abs(got - wanted.numpy()).max()))
    return largest
