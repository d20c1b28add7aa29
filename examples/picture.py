"""Make docs/images/before_after.jpg: before, after, and the rain layer, side by side.

    python examples/picture.py

The photograph is scikit-image's rocket (SpaceX, public domain); the rain over it is rendered.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from skimage import data

from data_tools import RainSpec, add_rain
from rainopt import derain, write_image

TARGET = Path(__file__).parents[1] / "docs" / "images" / "before_after.jpg"
RAIN = RainSpec(angle=14, density=2500, intensity=0.6, length=45, width=2.0, veil=0.03, texture=0.3)
PART = np.s_[:, 110:530]  # columns with the rocket in their middle
GAP = 8  # white pixels between two panels
BRIGHTER = 2.0  # by which the rain layer is shown, which is dark


def main() -> None:
    """Write the picture and say where it is."""
    rainy = add_rain(data.rocket(), RAIN, np.random.default_rng(3)).rainy
    d = derain(rainy)
    layer = np.repeat(np.clip(BRIGHTER * d.rain, 0, 1)[..., None], 3, axis=2)
    between = np.ones((len(rainy), GAP, 3), np.float32)
    panels = [rainy[PART], between, d.background[PART], between, layer[PART]]
    print(write_image(TARGET, np.concatenate(panels, axis=1), quality=88))


if __name__ == "__main__":
    main()
