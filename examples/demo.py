"""Derain a sample photograph: the public-domain astronaut of scikit-image, with rain of our own making over it.

``make demo`` runs this. It uses the command as a user would, and the truth to say how much was gained.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from skimage import data

from data_tools import RainSpec, add_rain
from rainopt import psnr, read_image, write_image

FOLDER = Path("demo")
RAIN = RainSpec(angle=12, density=6000, intensity=0.65, length=42, width=1.7, veil=0.03)


def main() -> None:
    """Write demo/rainy.png, derain it, and say where the picture is."""
    clean = data.astronaut()
    FOLDER.mkdir(exist_ok=True)
    rainy = write_image(FOLDER / "rainy.png", add_rain(clean, RAIN, np.random.default_rng(0)).rainy)

    arguments = ["derain", str(rainy), "-o", str(FOLDER / "out"), "--compare", "--save-rain", "--overwrite"]
    print("$ rainopt", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "rainopt", *arguments], check=True)

    derained = read_image(FOLDER / "out" / "rainy.png")
    before, after = psnr(read_image(rainy), clean), psnr(derained, clean)
    print(f"The rain was drawn at +{RAIN.angle:.1f}°. PSNR against the clean photograph: {before:.1f} → {after:.1f} dB")
    print(f"Rainy, derained and rain layer side by side: {(FOLDER / 'out' / 'rainy_compare.png').resolve()}")


if __name__ == "__main__":
    main()
