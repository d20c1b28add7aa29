"""Whether a generator's rain is like the rain that it learned from, as large as is wanted, and as it is asked for.

statistics  Of --count patches each of rain of the recipe rainfield (preset light over DIR/clean, brought upright), of
            other such rain, and of the generator's: density, width, length and intensity, as
            `rainnet.generate.measure` has them. Wasserstein distances of generated from training rain, and of test
            from training rain, which is what chance makes.
angle       The same of whole layers, whose directions are drawn from the renderer's.
asked       What is measured on layers that were asked for an angle, length, density and intensity.
seams       Correlation of a layer of 1920 × 1080 pixels with itself, shifted across by a cell and by the patch of the
            training, beside the mean of the neighbouring shifts; how much rows and columns that are a cell's height
            apart differ in mean from others, at most, beside the same for a period without meaning; and seconds of
            such a layer on two threads.

python -m benchmarks.networks.rain_statistics --data DIR --model runs/rain --json results.json
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from scipy.stats import wasserstein_distance

from benchmarks.common import finish, print_table
from benchmarks.networks.timing import THREADS, seconds
from benchmarks.options import Data, Json, Repeat, benchmark
from data_tools.rain.spec import RainSpec
from data_tools.rain.synth import add_rain
from rainnet import load
from rainnet.data.batches import dataset_for
from rainnet.generate.controls import RainControls
from rainnet.generate.layer import rain_layer
from rainnet.generate.measure import RainMeasure, measure
from rainnet.models.rainfield import RainField
from rainnet.recipes.recipe import read_recipe
from rainnet.train.build import needs_of

RECIPE, PRESET = "rainfield", "light"
SEEDS = (1000, 1001)  # other rain than what was trained on
WHOLE = (240, 320)  # of layers whose angle is measured
LARGE = (1080, 1920)
MEASURED = ("density", "width", "length", "intensity")
ASKED = (
    RainControls(angle=-25.0),
    RainControls(angle=40.0, density=0.1),
    RainControls(angle=10.0, density=0.3),
    RainControls(angle=0.0, length=15.0),
    RainControls(angle=15.0, length=40.0, density=0.15, intensity=0.3),
)
Model = Annotated[Path, typer.Option("--model", help="The generator, a rainfield.")]
Count = Annotated[int, typer.Option("--count", min=10, help="Patches, and a tenth as many layers.")]


@benchmark(__doc__)
def main(data: Data, model: Model, count: Count = 400, repeat: Repeat = 3, target: Json = None) -> None:
    """Measure all of it."""
    torch.set_num_threads(THREADS)
    network = load(model)
    if not isinstance(network, RainField):
        raise typer.BadParameter(f"'{model}' is a {network.name}, not a rainfield")
    side = network.config.side
    train, test = (of_renderer(data / "clean", side, count, seed) for seed in SEEDS)
    made = of_generator(network, count)
    found = {name: distances(train, test, made, name) for name in MEASURED}
    layers = max(count // 10, 10)
    one, other = (rendered_layers(layers, seed) for seed in (0, 1))
    angles = [measure(rain_layer(network, *WHOLE, RainControls(angle=m.angle), k)) for k, m in enumerate(other)]
    found["angle"] = distances(one, other, angles, "angle")
    asked = [outcome(network, controls, k) for k, controls in enumerate(ASKED)]
    large = seams(network) | seconds("layer", repeat, lambda: rain_layer(network, *LARGE))
    report(found, asked, large)
    finish({"benchmark": "net_rain", "preset": PRESET, "statistics": found, "asked": asked, "large": large}, target)


def of_renderer(clean: Path, side: int, count: int, seed: int) -> list[RainMeasure]:
    """Return measures of rain as the generator is trained on, upright patches of it."""
    recipe = read_recipe(RECIPE, [f"data.size={side}"], data={"train": [clean]})
    crops = dataset_for(recipe.data, seed, needs_of(recipe))
    pairs = (crops[k] for k in range(count))
    return [measure(_grey(pair["rainy"] - pair["clean"]), 0.0) for pair in pairs]


def of_generator(network: RainField, count: int) -> list[RainMeasure]:
    """Return measures of patches of a generator."""
    torch.manual_seed(0)
    with torch.inference_mode():
        rain = network.rain(network.draw_codes(count))
    return [measure(_grey(one.clamp(max=1)), 0.0) for one in rain]


def rendered_layers(count: int, seed: int) -> list[RainMeasure]:
    """Return measures of whole layers of the renderer."""
    rng, black = np.random.default_rng(seed), np.zeros(WHOLE, np.float32)
    return [measure(np.asarray(add_rain(black, RainSpec.sample(PRESET, rng), rng).rain)) for _ in range(count)]


def distances(
    train: list[RainMeasure], test: list[RainMeasure], made: list[RainMeasure], name: str
) -> dict[str, float]:
    """Return Wasserstein distances from training rain, and the means of all three."""
    values = [np.array([getattr(one, name) for one in each]) for each in (train, test, made)]
    chance, own = (float(wasserstein_distance(values[0], other)) for other in values[1:])
    means = dict(zip(("train", "test", "made"), (float(each.mean()) for each in values), strict=True))
    return {"chance": chance, "made_from_train": own, "ratio": own / max(chance, 1e-12), **means}


def outcome(network: RainField, controls: RainControls, seed: int) -> dict[str, Any]:
    """Return what was asked for and what is measured; why not, where it cannot be had."""
    asked = {name: value for name, value in vars(controls).items() if value is not None}
    try:
        layer = rain_layer(network, 480, 640, controls, seed)
    except ValueError as error:
        return {"asked": asked, "error": str(error)}
    return {"asked": asked, "found": measure(layer)._asdict()}


def seams(network: RainField) -> dict[str, float]:
    """Return correlations of an upright layer with itself at the shifts of a cell and of a patch, and beside these."""
    layer = rain_layer(network, *LARGE, RainControls(angle=0.0), seed=5).astype(np.float64)
    centred = layer - layer.mean()
    found = {}
    for shift in (network.cell, network.config.side):
        for axis in (0, 1):
            at, *beside = (_correlation(centred, shift + d, axis) for d in (0, -1, 1))
            found[f"{['rows', 'columns'][axis]} {shift}"] = at
            found[f"{['rows', 'columns'][axis]} {shift} beside"] = float(np.mean(beside))
    for axis, name in enumerate(("rows", "columns")):
        for period in (network.cell, network.cell + 1):
            found[f"{name} of period {period}"] = _unlike(layer.mean(1 - axis), period)
    return found


def _unlike(means: np.ndarray, period: int) -> float:
    """Return by what share the mean of each ``period``-th number is from that of all, at most."""
    phases = means[: len(means) // period * period].reshape(-1, period).mean(0)
    return float(np.abs(phases / phases.mean() - 1).max())


def _correlation(centred: np.ndarray, shift: int, axis: int) -> float:
    moved = np.moveaxis(centred, axis, 0)
    return float((moved[shift:] * moved[:-shift]).mean() / (centred**2).mean())


def _grey(rain: torch.Tensor) -> np.ndarray:
    return rain.float().mean(0).clamp(0, 1).numpy()


def report(found: dict[str, dict[str, float]], asked: list[dict[str, Any]], large: dict[str, float]) -> None:
    """Print the tables."""
    columns = ("train", "test", "made", "chance", "made_from_train", "ratio")
    rows = [(name, *(f"{part[column]:.3f}" for column in columns)) for name, part in found.items()]
    header = ("measure", "training rain", "test rain", "made rain", "distance by chance", "of made rain", "ratio")
    print_table("Means, and Wasserstein distances from training rain", header, rows)
    told = [
        (
            ", ".join(f"{name} {value:g}" for name, value in one["asked"].items()),
            one.get("error") or ", ".join(f"{name} {one['found'][name]:.2f}" for name in one["asked"]),
        )
        for one in asked
    ]
    print_table("Asked and measured", ("asked", "measured"), told)
    print_table("A layer of 1920 × 1080", ("what", ""), [(name, f"{value:.3f}") for name, value in large.items()])


if __name__ == "__main__":
    main()
