"""Optimisation core."""
