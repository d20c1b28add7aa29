"""A small UDGNet, how it is trained, and examples without end."""

import numpy as np
import torch
from torch.utils.data import default_collate

import rainnet
from rainnet.recipes.recipe import Recipe

TINY = {"features": 4, "blocks": 1, "angle_features": 4, "angle_stages": 2}


def random_udgnet(seed=1, **config):
    """A small network whose every weight counts: it would begin with zeros."""
    torch.manual_seed(seed)
    net = rainnet.create("udgnet", **({"stride": 2} | TINY | config)).eval()
    for stream in (net.image_stream, net.rain_stream):
        torch.nn.init.normal_(stream.last.weight, std=0.05)
        torch.nn.init.normal_(stream.last.bias, std=0.02)
    return net


def udgnet_recipe(loss=None, optimiser=None, **run):
    """A recipe of six steps of it."""
    losses = {"adversarial": 0.0, "angle": 0.0, "energy": 0.1, "truth": 1.0} | (loss or {})
    settings = {"steps": 6, "batch": 2, "log_every": 1, "picture_every": 0, "save_every": 3, "ema": 0.5} | run
    return Recipe.model_validate(
        {
            "network": {"name": "udgnet", "config": TINY | {"rain_from_input": False}},
            "loss": losses,
            "optimiser": {"lr": 1e-2, "schedule": "cosine"} | (optimiser or {}),
            "run": settings,
        }
    )


def example(k, size=24):
    """Vertical streaks over a smooth picture; example k is a function of k."""
    rng = np.random.default_rng(k)
    clean = torch.from_numpy(rng.random((3, 1, 1)) * 0.5 + np.linspace(0, 0.2, size)).expand(3, size, size)
    rain = torch.from_numpy(rng.random(size) < 0.2).double() * 0.25
    rainy = (clean + rain).float()
    return {
        "rainy": rainy,
        "clean": clean.float(),
        "plain": rainy,
        "angle": torch.tensor(0.0),
        "unpaired": clean.float().flip(-1),
    }


def batches_of(size):
    """A source of batches of so many examples for each process."""

    def batches(start, steps, rank, world):
        for step in range(start, steps):
            first = (step * world + rank) * size
            yield default_collate([example(first + k) for k in range(size)])

    return batches


def rained(rng, height=96, width=120, angle=0.0):
    """A smooth scene with some streaks, uint8."""
    row, column = np.mgrid[:height, :width]
    scene = 0.4 + 0.2 * np.sin(row / 17)[..., None] * np.cos(column / 23)[..., None] * np.array([1, 0.8, 0.6])
    for _ in range(60):
        top, at, long = rng.integers(height), rng.integers(width), rng.integers(12, 30)
        rows = np.arange(top, min(top + long, height))
        columns = np.rint(at + np.tan(np.deg2rad(angle)) * (rows - top)).astype(int)
        inside = (columns >= 0) & (columns < width)
        scene[rows[inside], columns[inside]] += 0.25
    return np.rint(scene.clip(0, 1) * 255).astype(np.uint8)
