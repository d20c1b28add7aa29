import importlib

import numpy as np
import pytest
from numba import cuda

from benchmarks.common import photograph
from data_tools import RainSpec, add_rain
from rainopt import write_image

simulated = cuda.jit
with pytest.MonkeyPatch.context() as patch:
    # As it is imported, a peer says how many registers its own kernels may use. Where there is no card, tests run in
    # numba's simulator, which has none.
    patch.setattr(cuda, "jit", lambda *arguments, max_registers=None, **options: simulated(*arguments, **options))
    importlib.import_module("pylops")


@pytest.fixture
def tree(tmp_path):
    """Two rainy pictures of known angles with their truths, and four clean photographs."""
    views = {
        "a.png": (10.0, photograph(400, 600)[100:228, 40:200]),
        "b.png": (-15.0, photograph(300, 451)[50:178, 100:260]),
    }
    for kind in ("pairs/small/rain", "pairs/small/norain", "clean"):
        (tmp_path / kind).mkdir(parents=True)
    for name, (angle, view) in views.items():
        rainy = add_rain(view, RainSpec(angle=angle), np.random.default_rng(0)).rainy
        write_image(tmp_path / "pairs/small/rain" / name, rainy)
        write_image(tmp_path / "pairs/small/norain" / name, view)
    for k in range(4):
        write_image(tmp_path / "clean" / f"{k}.png", photograph(96, 128 + k))
    return tmp_path
