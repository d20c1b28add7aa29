"""Nothing heavy is imported before it is needed, and nothing at all that a user of arrays has no use for."""

import subprocess
import sys

import pytest

from tests.support.processes import ROOT, environment


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        (
            "import rainopt.commands.main, data_tools.commands.main, rainnet.commands.main",
            "numpy scipy numba torch cupy cv2 av PIL onnxruntime fastapi starlette uvicorn",
        ),
        ("import data_tools.commands.main, rainopt.web.access", "pydantic fastapi"),
        ("from data_tools.rating import results, sources, study, summary", "fastapi uvicorn pydantic numpy"),
        ("import rainnet.evaluate.follow; from rainnet import zoo; assert zoo.names() and zoo.shipped()", "torch"),
        ("import rainopt.io.video.read, rainopt.io.video.write", "av cv2 PIL tifffile imageio"),
        (
            "import numpy as np, rainopt; assert 'rainopt.video.background' not in sys.modules;"
            "rainopt.derain(np.full((16, 16), 0.5), max_iter=2, tol=0);"
            "rainopt.percentile_background([np.zeros((3, 4), np.uint8)])",
            "torch cupy array_api_strict cvxpy skimage av onnxruntime rainopt.io.video.read",
        ),
        (
            "import numpy as np; from rainopt.refine import refine;"
            "refine(np.full((16, 16), 0.5), angle=3.0, max_iter=2); assert 'onnxruntime' in sys.modules",
            "torch onnx safetensors rainopt.video.background",
        ),
    ],
)
def test_what_is_not_needed_is_not_imported(code, absent):
    program = f"import sys; {code}; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment(), cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(absent.split()).isdisjoint(done.stdout.split())
