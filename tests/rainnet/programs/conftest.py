"""Data that programs are tried on."""

import numpy as np
import pytest

from rainopt import write_image


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two clean pictures, and the same as pairs with streaks."""
    root, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    for part in ("clean", "pairs/rain", "pairs/norain"):
        (root / part).mkdir(parents=True)
    for k in range(2):
        clean = 0.6 * np.kron(rng.random((6, 8, 3)), np.ones((8, 8, 1)))
        rain = 0.4 * np.kron(rng.random((3, 64)) > 0.85, np.ones((16, 1)))
        write_image(root / f"clean/{k}.png", clean)
        write_image(root / f"pairs/norain/{k}.png", clean)
        write_image(root / f"pairs/rain/{k}.png", clean + rain[..., None])
    return root
