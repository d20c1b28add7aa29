from .rain.drops import draw_streaks
from .rain.haze import ground_depth
from .rain.parts import RainDirection, RainLayer
from .rain.presets import PRESETS
from .rain.spec import RainSpec
from .rain.streaks import Streaks, render_streaks
from .rain.synth import Rainy, add_rain, compose
from .rain.video import rain_video

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
