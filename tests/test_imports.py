"""Nothing heavy is imported before it is needed, and nothing at all that a user of arrays has no use for."""

import subprocess
import sys

import pytest

from tests.support.photos import save_photo
from tests.support.processes import ROOT, environment

# Runs programs one after another as their scripts do, and prints the modules at the end.
PROGRAMS = """
import contextlib, io, runpy, sys
for words in {programs}:
    sys.argv = list(words)
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
print(*sys.modules)
"""
PAGES = "fastapi starlette uvicorn rainopt.web.serve rainopt.studio.app"
HEAVY = f"numpy scipy numba torch cupy cv2 av PIL onnxruntime {PAGES}"


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        (
            "import rainopt.commands.main, data_tools.commands.main, rainnet.commands.main",
            "numpy scipy numba torch cupy cv2 av PIL onnxruntime fastapi starlette uvicorn",
        ),
        ("import rainopt", "numpy scipy numba torch cv2 PIL typer rich rainopt.app rainopt.web rainopt.studio"),
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
    assert set(absent.split()).isdisjoint(modules(f"import sys; {code}; print(*sys.modules)"))


def test_help_is_told_without_what_the_work_needs():
    some = {"rainopt": "derain studio", "data_tools": "build review rate", "rainnet": "derain train"}
    programs = [(name, *more, "--help") for name in some for more in ((), *((word,) for word in some[name].split()))]
    found = modules(PROGRAMS.format(programs=programs))
    assert {"rainopt.commands.studio", "data_tools.commands.rate", "rainnet.commands.train"} <= found
    assert set(HEAVY.split()).isdisjoint(found)


@pytest.mark.slow
def test_a_photograph_is_derained_without_a_page(tmp_path):
    photo, result = save_photo(tmp_path / "a.png"), tmp_path / "b.png"
    program = PROGRAMS.format(programs=[("rainopt", "derain", str(photo), "-o", str(result))])
    assert {"torch", "cupy", "av", "onnxruntime", *PAGES.split()}.isdisjoint(modules(program))
    assert result.exists()


def modules(program):
    """Return the modules that a program prints."""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment(), cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())
