"""Tools that make paired data: rainy pictures with their truth."""

from data_tools.drops import draw_streaks
from data_tools.presets import PRESETS
from data_tools.rain_parts import RainDirection, RainLayer
from data_tools.rain_spec import RainSpec
from data_tools.streaks import Streaks, render_streaks
from data_tools.synth import Rainy, add_rain, compose
from data_tools.veil import ground_depth
from data_tools.video_rain import rain_video

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
