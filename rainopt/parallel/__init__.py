"""Threads for kernels, processes for files."""
