"""Bare loops: numba for the CPU. Nothing else lives here; who calls them, and on what, is decided outside."""
