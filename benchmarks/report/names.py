"""Names of sets and methods as tables show them."""

from __future__ import annotations

SETS = {
    "rain100l_dev": "light rain (`rain100l_dev`)",
    "streaks": "medium rain with haze (`streaks`)",
    "heavy": "very heavy rain (`heavy`)",
}
METHODS = {"input": "rainy input", "network, rainopt's angle": "network, angle of rainopt"}

UNITS = {"db": "dB", "deg": "°", "psnr": "PSNR", "ssim": "SSIM", "f1": "F1"}


def of_set(name: str) -> str:
    """Return what a set of pictures is called."""
    return SETS.get(name, name)


def of_method(name: str) -> str:
    """Return what a method is called."""
    return METHODS.get(name, name)


def words(name: str) -> str:
    """Return a key of JSON as words."""
    return name.replace("_", " ")


def heading(key: str) -> str:
    """Return a key of JSON as the heading of a column, with its unit behind it."""
    if key.startswith("within_") and key.endswith("_deg"):
        return f"within {key.split('_')[1]}°"
    found = [UNITS.get(one, one) for one in words(key).split()]
    if found[-1:] and found[-1] in ("dB", "°"):
        return f"{' '.join(found[:-1])}, {found[-1]}"
    return " ".join(found)
