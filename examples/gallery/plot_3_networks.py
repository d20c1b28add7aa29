"""
Train and judge networks
========================

First a network that comes with the package is judged against the solver and the truth. Then a tiny one is trained for
a few seconds, with the very energy that the solver minimises as a part of its loss.
"""

# %%
# Judge a network
# ---------------
#
# ``rainnet.load`` takes a name or a file; the file alone rebuilds the network. `refine` has 0.5 million parameters and
# begins where the solver ends.

import matplotlib.pyplot as plt
import numpy as np
import torch
from skimage import data

import rainnet
import rainopt
from data_tools import RainSpec, add_rain

torch.set_num_threads(1)
clean = data.chelsea()
storm = RainSpec(angle=14, density=2500, intensity=0.6, length=45)
rainy = add_rain(clean, storm, np.random.default_rng(3)).rainy

net = rainnet.load("refine")
results = {
    "rainy": rainy,
    "rainopt.derain": rainopt.derain(rainy).background,
    "refine": rainnet.derain(net, rainy, device="cpu").background,
}

figure, axes = plt.subplots(1, 3, figsize=(12, 3.2), layout="constrained")
for axis, (name, picture) in zip(axes, results.items(), strict=True):
    psnr = rainopt.psnr(picture, clean, protocol="y_matlab")
    ssim = rainopt.ssim(picture, clean, protocol="y_matlab")
    axis.set_title(f"{name}: {psnr:.2f} dB, SSIM {ssim:.3f}")
    axis.imshow(picture)
    axis.axis("off")

# %%
# Scores mean nothing without their protocol: on the same pair, PSNR of RGB, of MATLAB's luma and of full-range luma
# differ by more than a decibel.

for protocol in ("rgb", "y_matlab", "y_full"):
    score = rainopt.psnr(results["refine"], clean, protocol=protocol)
    print(f"{protocol:>8}: {score:.2f} dB")

# %%
# For a whole dataset ``rainnet evaluate input rainopt refine --data pairs/ --protocol y_matlab --sheet worst.png``
# makes the table, and a sheet of the worst.

# %%
# The objective is a loss
# -----------------------
#
# ``rainopt.udg_energy`` is written once, on whatever library its arrays are of. Under torch it can be differentiated,
# so that what the solver minimises trains networks as well: it knows no truth, and asks for a smooth background and
# for rain that is sparse and even along the streaks.
#
# A tiny UDGNet, whose two streams are the two unknowns of that energy, is trained on crops of one photograph with
# upright rain. Rendered rain has a truth, too, whose distance is the first part of the loss.

torch.manual_seed(0)
rng = np.random.default_rng(0)
upright = RainSpec(angle=0, density=4000, intensity=0.8, length=40, width=2.0)
scene = np.float32(data.coffee().mean(axis=2) / 255)
in_rain = add_rain(scene, upright, rng).rainy


def crops(picture: np.ndarray, corners: np.ndarray) -> torch.Tensor:
    """Return crops of a picture, (N, 1, 64, 64)."""
    cut = [picture[None, r : r + 64, c : c + 64] for r, c in corners]
    return torch.from_numpy(np.stack(cut))


small = {"channels": 1, "features": 16, "blocks": 3, "rain_blocks": 2, "angle_features": 2}
tiny = rainnet.create("udgnet", preset="small", **small)
weights = rainopt.UDGWeights()
optimiser = torch.optim.Adam(tiny.parameters(), lr=2e-3)
losses = []
for _ in range(80):
    corners = np.stack([rng.integers(0, side - 64, 6) for side in scene.shape], axis=1)
    O, clear = crops(in_rain, corners), crops(scene, corners)
    found = tiny(O, torch.zeros(len(O)))
    background, rain = found.background, found.rain
    distance = torch.mean((background - clear) ** 2) + torch.mean((rain - (O - clear)) ** 2)
    energy = rainopt.udg_energy(O, background, rain, weights).mean() / 64**2
    loss = distance + 0.1 * energy
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    losses.append(loss.item())

figure, axis = plt.subplots(figsize=(6, 2.6), layout="constrained")
axis.semilogy(losses)
axis.set(xlabel="step", ylabel="loss")

# %%
# On a photograph that it has never seen:

unseen = np.float32(clean.mean(axis=2) / 255)
in_rain = add_rain(unseen, upright, rng).rainy
by_network = rainnet.derain(tiny, in_rain, angle=0.0, device="cpu").background
by_solver = rainopt.derain(in_rain, angle=0.0).background
print(f"{sum(p.numel() for p in tiny.parameters())} parameters, 80 steps")
for name, picture in (("rainy", in_rain), ("tiny network", by_network), ("solver", by_solver)):
    print(f"{name:>12}: {rainopt.psnr(picture, unseen):.1f} dB")

# %%
# A file of it, from which the network is rebuilt: ``rainnet.save(tiny, "tiny.safetensors")``, then ``rainnet derain
# photo.jpg -o out/ -m tiny.safetensors``.
#
# In earnest
# ----------
#
# ``rainnet train udgnet-small --data photographs/ -o runs/small`` trains by a recipe, a TOML file: rain rendered over
# clean photographs, mixed precision, averaged weights, validation, and a run that can be stopped at any time and ends
# with the same weights. ``rainnet list`` tells of all networks and recipes, and :doc:`/guide/networks` how they are
# used.
