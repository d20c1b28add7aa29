"""Tools that make paired data: rainy pictures with their truth."""

from data_tools.rain.drops import draw_streaks
from data_tools.rain.haze import ground_depth
from data_tools.rain.parts import RainDirection, RainLayer
from data_tools.rain.presets import PRESETS
from data_tools.rain.spec import RainSpec
from data_tools.rain.streaks import Streaks, render_streaks
from data_tools.rain.synth import Rainy, add_rain, compose
from data_tools.rain.video import rain_video

__all__ = [
    "PRESETS",
    "RainDirection",
    "RainLayer",
    "RainSpec",
    "Rainy",
    "Streaks",
    "add_rain",
    "compose",
    "draw_streaks",
    "ground_depth",
    "rain_video",
    "render_streaks",
]
