"""
What a camera sees behind the rain
==================================

Rain brightens a pixel for a frame or two and then leaves it. So frames of a camera that stands still hold what is
behind their rain, and a rain video becomes pairs of rainy frames and clean backgrounds: a dataset.
"""

# %%
# A rain video
# ------------
#
# From a file, frames come by ``rainopt.read_frames("clip.mp4", count=30)``. Here thirty frames are rendered, in which
# every drop falls on from frame to frame, and something moves that is not rain: a balloon rises from behind the
# rocket.

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

import rainopt
from data_tools import RainSpec, rain_video

clean = data.rocket()[::2, ::2]
rows, columns = np.indices(clean.shape[:2])
scenes = np.repeat(clean[None], 30, axis=0)
for time, scene in enumerate(scenes):
    scene[np.hypot(rows - (150 - 4 * time), columns - 230) < 9] = (200, 60, 40)

storm = RainSpec(angle=-10, density=9000, intensity=0.6, length=30, width=1.6)
rain = rain_video(scenes, storm, np.random.default_rng(1), fps=25, exposure=1 / 60)
frames = np.uint8(np.round([255 * frame.rainy for frame in rain]))

# %%
# The background
# --------------
#
# Of every pixel the same percentile over time is taken: the one that gives most pixels their most frequent brightness
# (Wang et al. 2019). The median would be the 50th; the denser the rain, the lower the right one lies.

b = rainopt.percentile_background(frames)
print(f"percentile {b.percentile} of {b.frames} frames")
median = np.median(frames, axis=0) / 255
for name, picture in (("one frame", frames[12]), ("the median", median), ("ours", b.image)):
    print(f"{name:>10}: {rainopt.psnr(picture, clean):.1f} dB")

# %%
# ``seen`` says how often each pixel shows its background. Where something moves it is low, and whoever makes pairs has
# to leave such places out.

figure, axes = plt.subplots(1, 3, figsize=(12, 3.2), layout="constrained")
panels = {"a frame": frames[12] / 255, "background": b.image, "seen": b.seen}
for axis, (title, picture) in zip(axes, panels.items(), strict=True):
    axis.imshow(picture, cmap="gray", vmin=0, vmax=1)
    axis.set_title(title)
    axis.axis("off")

# %%
# Hours of video
# --------------
#
# ``raindata build`` does this with every scene of every video: it finds the cuts, aligns frames of a camera that
# moves, takes as many as the rain needs, judges the background without knowing the truth, and writes pairs with a mask
# of the pixels where the background is valid. It can be killed at any time, and the next run goes on. A folder of
# pictures is a video, too:

place = tempfile.TemporaryDirectory()
folder = Path(place.name)
(folder / "pad").mkdir()
for number, frame in enumerate(frames):
    rainopt.write_image(folder / "pad" / f"{number:04}.png", frame)

words = ["build", "pad", "-o", "pairs", "--pairs", "3"]
print("$ raindata", *words)
as_wide = os.environ | {"COLUMNS": "86"}
command = [sys.executable, "-m", "data_tools", *words]
print(subprocess.check_output(command, cwd=folder, env=as_wide, text=True))

# %%
# A pair is a rainy frame, its background, and the mask of the pixels where that is what lies behind the rain. The mask
# leaves out the path of the balloon and, careful as it is, many a place where streaks of rain as dense as this overlap.
# The manifest says which files belong together.

lines = (folder / "pairs" / "manifest.jsonl").read_text().splitlines()
records = [json.loads(line) for line in lines[1:]]  # the first is a header
figure, axes = plt.subplots(1, 3, figsize=(12, 3.2), layout="constrained")
for axis, part in zip(axes, ("rainy", "clean", "valid"), strict=True):
    picture = rainopt.read_image(folder / "pairs" / records[0][part])
    axis.imshow(picture, cmap="gray", vmin=0)
    axis.set_title(f"{part}: {records[0][part]}", fontsize=8)
    axis.axis("off")
place.cleanup()

# %%
# ``raindata review pairs`` then shows the scenes in a browser, those first of which the measures are least sure; a
# person accepts or rejects by keys. ``raindata verify``, ``raindata export`` and ``rainnet train`` take it from there.
