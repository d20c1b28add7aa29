"""The recipes that come with the package."""

from __future__ import annotations

from pathlib import Path


def shipped() -> dict[str, Path]:
    """Return the recipes that come with the package, by name."""
    return {file.stem.replace("_", "-"): file for file in sorted(Path(__file__).parent.glob("*.toml"))}
