import importlib
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from rainopt.parallel import threads

# Shared cores make single examples slow without saying anything about the code.
settings.register_profile("rainopt", deadline=None, max_examples=50)
settings.load_profile("rainopt")
# Shells let what they start in the background ignore interruptions, and so would every command that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Kernels for CUDA run in numba's simulator where there is no card; numba asks when it is first imported.
CARD = shutil.which("nvidia-smi") or any(Path("/dev").glob("nvidia[0-9]*"))
os.environ.setdefault("NUMBA_ENABLE_CUDASIM", "0" if CARD else "1")

LIBRARIES = ("numpy", "torch", "array_api_strict")


def _library(name):
    # Not skipped where it is missing: `make setup` installs it, and a test that does not run proves nothing.
    return importlib.import_module(name if name == "array_api_strict" else f"array_api_compat.{name}")


@pytest.fixture(params=LIBRARIES)
def xp(request):
    """Every array library in turn; the same test must pass on each."""
    return _library(request.param)


@pytest.fixture(params=LIBRARIES[1:])
def other_xp(request):
    """Every array library but numpy."""
    return _library(request.param)


@pytest.fixture
def torch():
    return importlib.import_module("torch")


@pytest.fixture
def strict():
    return importlib.import_module("array_api_strict")


@pytest.fixture
def rng():
    return np.random.default_rng(20)


@pytest.fixture
def thread_count():
    """Set the number of threads for one test."""
    yield threads.set_num_threads
    threads.set_num_threads(None)


@pytest.fixture
def as_written(monkeypatch):
    """Run every operation as it is written on the array namespace, without a kernel."""
    monkeypatch.setattr("rainopt.arrays.KERNELS", {})


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAINOPT_NUM_THREADS", raising=False)
    return tmp_path
