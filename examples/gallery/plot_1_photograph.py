"""
Rain off one photograph
=======================

One rainy photograph, no training data, no weights: the rain is found, taken off, and shown. At the end stands what
``strength`` and ``angle`` are for.
"""

# %%
# A photograph with rain
# ----------------------
#
# Any array will do: (H, W) or (H, W, C); uint8, uint16 or float in [0, 1]. From a file it comes by
# ``rainopt.read_image("photo.jpg")``. Here rain is rendered over a free photograph, a rocket on its pad at dusk, so
# that the result can be held against the truth.

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

import rainopt
from data_tools import RainSpec, add_rain

clean = data.rocket()
storm = RainSpec(angle=14, density=2500, intensity=0.6, length=45, width=2.0, veil=0.03)
rainy, truth, _ = add_rain(clean, storm, np.random.default_rng(3))

# %%
# Take it off
# -----------
#
# One call. It finds the direction of the rain, makes the streaks upright, splits the luminance into background and
# rain by minimising one convex energy, and takes the rain layer off every channel.

d = rainopt.derain(rainy)

figure, axes = plt.subplots(1, 3, figsize=(12, 3.2), layout="constrained")
panels = {"before": rainy, "after": d.background, "rain layer": d.rain}
for axis, (title, picture) in zip(axes, panels.items(), strict=True):
    axis.imshow(picture, cmap="gray", vmax=0.4)
    axis.set_title(title)
    axis.axis("off")

# %%
# The rain layer is what was taken off: what is not in it was not touched. Look at it before you trust a result. Here
# it shows the streaks and, faintly, the lattice towers: upright and thin as they are, they lose a little contrast.

before, after = rainopt.psnr(rainy, clean), rainopt.psnr(d.background, clean)
print(f"PSNR before {before:.1f} dB, after {after:.1f} dB")
print(d.solution.status.value)

# %%
# In which direction does it rain?
# --------------------------------
#
# Thin bright ridges vote. The estimate comes with a confidence, the probability that there is rain and that it falls
# so; below 0.3 a picture is left as it is. 0° is vertical, positive moves right going down.

a = rainopt.estimate_angle(rainy)
print(f"{a.angle:+.1f}° with confidence {a.confidence:.2f}; drawn at {storm.angle:+.1f}°")

figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
axis.imshow(rainy)
height, width = rainy.shape[:2]
along = height * np.tan(np.radians(a.angle))
for start in np.linspace(-0.2 * width, width, 7):
    axis.plot([start, start + along], [0, height], color="gold", linewidth=1.5)
axis.set(xlim=(0, width), ylim=(height, 0))
axis.axis("off")

# %%
# ``rainopt angle photo.jpg --overlay look/`` draws the same without a line of Python. Where the estimate is wrong, as
# in front of a fence, say the angle yourself: ``rainopt.derain(image, angle=14)``.

# %%
# How much is taken
# -----------------
#
# ``strength`` is 1 as the picture suggests. More takes fainter streaks, and with them more of what is thin and bright
# in the scene; less leaves both. The crop is the top of the rocket.

figure, axes = plt.subplots(1, 4, figsize=(12, 4.2), layout="constrained")
top = np.s_[120:330, 240:400]
axes[0].imshow(rainy[top])
axes[0].set_title("rainy")
for axis, strength in zip(axes[1:], (0.3, 1, 3), strict=True):
    background = rainopt.derain(rainy, strength=strength).background
    axis.imshow(background[top])
    axis.set_title(f"strength {strength}: {rainopt.psnr(background, clean):.1f} dB")
for axis in axes:
    axis.axis("off")

# %%
# A picture in which no rain is seen comes back as it went in, to the last level:

dry = rainopt.derain(clean)
same = np.array_equal(np.round(255 * dry.background), clean)
print(f"confidence {dry.confidence:.2f}, as it was: {same}")

# %%
# The same from the command line: ``rainopt derain photo.jpg -o out/ --compare --save-rain``. Where more is wanted than
# sliders of a command can say, ``rainopt studio photo.jpg -o out/`` shows the picture in a browser, with lines to
# turn, a slider for the strength, and a brush that protects.
