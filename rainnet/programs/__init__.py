"""Training programs, one file for each network, and the table that names them."""

from __future__ import annotations

from rainnet.programs.base import Batch, Program
from rainnet.programs.udgnet import UDGNetProgram

PROGRAMS: dict[str, type[Program]] = {
    "udgnet": UDGNetProgram,
}
"""How each network of `rainnet.zoo.NETWORKS` is trained."""

__all__ = ["PROGRAMS", "Batch", "Program"]
