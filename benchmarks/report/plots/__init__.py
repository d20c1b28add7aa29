"""Plots: each is a function of what is drawn, as JSON, that returns a figure of matplotlib."""
