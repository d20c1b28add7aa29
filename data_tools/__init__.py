"""Tools that make paired data: rainy pictures with their truth."""

from data_tools.synth import RainLayer, RainSpec, Rainy, Streaks, add_rain, compose, draw_streaks, render_streaks

__all__ = ["RainLayer", "RainSpec", "Rainy", "Streaks", "add_rain", "compose", "draw_streaks", "render_streaks"]
