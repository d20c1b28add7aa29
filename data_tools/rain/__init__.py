"""Synthetic rain with exact truth, over pictures and video."""
