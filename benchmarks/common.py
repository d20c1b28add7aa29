"""What nearly all benchmarks use, under one name: clocks, pictures, tables, and the result that they end with."""

from benchmarks.clocks import Timing, timed
from benchmarks.result import environment, finish
from benchmarks.sample_photographs import large_photograph, photograph, rainy_luminance, rainy_photograph
from benchmarks.tables import print_table

__all__ = [
    "Timing",
    "environment",
    "finish",
    "large_photograph",
    "photograph",
    "print_table",
    "rainy_luminance",
    "rainy_photograph",
    "timed",
]
