"""NIQE's model of good photographs: fitted to pictures that are free to use, and checked on what spoils a picture.

DIR holds pictures DIR/clean/NAME and a table DIR/SOURCES.tsv with the columns file, repository, path and licence. Only
pictures whose licence is CC0 or the public domain are used. --out writes the model of all of them with the list of
their sources; this is how rainopt/metrics/niqe_model.json was made.

Every picture is scored by a model that has not seen it: the sources are split into halves, each fitted and then scored
by the model of the other. Crops of one photograph are always in the same half. Pictures are scored as they are, blurred
(Gaussian, pixels), with white noise (grey levels of 255), as JPEG (quality), and with rain of the preset `heavy`; all
at 8 bits, as in files. "worse" is the share of pictures that score higher than their clean self. A second table shows
how the score of clean pictures depends on the number of patches.

  python -m benchmarks.metrics.niqe_fit --data DIR
  python -m benchmarks.metrics.niqe_fit --data DIR --out rainopt/metrics/niqe_model.json
"""

from __future__ import annotations

import csv
import io
import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import typer
from PIL import Image
from scipy import ndimage

from benchmarks.common import finish, print_table
from benchmarks.options import Data, Json, Out, benchmark
from data_tools import RainSpec, add_rain
from rainopt import read_image
from rainopt.metrics.niqe import SHARP, NiqeModel, fit_features, niqe, sharp_features
from rainopt.metrics.scene_statistics import FEATURES, PATCH

FREE = ("cc0", "public domain")
CROPS = ((1, 2), (2, 2), (2, 3), (3, 4))  # patches down and across
ABOUT = (
    "The model of good photographs behind `rainopt.niqe`: mean and covariance of the features of patches, fitted by "
    "`python -m benchmarks.metrics.niqe_fit` to the pictures listed under 'sources', which are free to use. The method "
    "is that of Mittal, Soundararajan and Bovik 2013; the numbers are not theirs, and neither are the scores."
)
Spoil = Callable[[np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Source:
    """One row of the table: a picture and where it is from."""

    file: str
    repository: str
    path: str
    licence: str


def free_sources(data: Path) -> list[Source]:
    """Return the pictures of DIR/clean/ that are CC0 or in the public domain, by name."""
    with (data / "SOURCES.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    found = [Source(row["file"], row["repository"], row["path"], row["licence"]) for row in rows]
    return sorted(
        (s for s in found if s.file.startswith("clean/") and s.licence.lower().startswith(FREE)), key=lambda s: s.file
    )


def halves(sources: list[Source]) -> list[int]:
    """Return 0 or 1 for each picture: by turns over the photographs, all crops of one in one half."""
    photographs = sorted({(source.repository, source.path) for source in sources})
    return [photographs.index((source.repository, source.path)) % 2 for source in sources]


def eight_bit(image: np.ndarray) -> np.ndarray:
    """Round values in 0 to 255 as in a file."""
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def blurred(sigma: float) -> Spoil:
    """Return a Gaussian blur, pixels."""
    return lambda image, rng: eight_bit(ndimage.gaussian_filter(image.astype(np.float64), (sigma, sigma, 0)))


def noisy(sigma: float) -> Spoil:
    """Return white noise, grey levels of 255."""
    return lambda image, rng: eight_bit(image + sigma * rng.standard_normal(image.shape))


def compressed(quality: int) -> Spoil:
    """Return a compression by JPEG."""

    def spoil(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=quality)
        return np.asarray(Image.open(file))

    return spoil


def rainy(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Render heavy rain."""
    return eight_bit(255 * add_rain(image, RainSpec.sample("heavy", rng), rng).rainy)


SPOILED: dict[str, Spoil] = {
    "clean": lambda image, rng: image,
    **{f"blur {sigma:g}": blurred(sigma) for sigma in (0.5, 1, 2, 4)},
    **{f"noise {sigma:g}": noisy(sigma) for sigma in (2, 5, 10, 25)},
    **{f"JPEG {quality}": compressed(quality) for quality in (60, 30, 10)},
    "heavy rain": rainy,
}


def scores(images: list[np.ndarray], half: list[int], models: list[NiqeModel]) -> dict[str, list[float]]:
    """Return the scores of every picture, spoiled in every way, by the model of the other half."""
    return {
        name: [
            niqe(spoil(image, np.random.default_rng(k)), model=models[1 - own])
            for k, (image, own) in enumerate(zip(images, half, strict=True))
        ]
        for name, spoil in SPOILED.items()
    }


def crop_scores(images: list[np.ndarray], half: list[int], models: list[NiqeModel]) -> dict[str, list[float]]:
    """Return the scores of the middle of the clean pictures, by patches; what is too small or too flat is left out."""
    result: dict[str, list[float]] = {}
    for down, across in CROPS:
        found = result[f"{down} x {across}"] = []
        for image, own in zip(images, half, strict=True):
            top, left = (image.shape[0] - down * PATCH) // 2, (image.shape[1] - across * PATCH) // 2
            if min(top, left) < 0:
                continue
            crop = image[top : top + down * PATCH, left : left + across * PATCH]
            try:
                found.append(niqe(crop, model=models[1 - own]))
            except ValueError:
                continue
    return result


def summary(values: list[float], clean: list[float]) -> dict[str, float]:
    """Return mean, median, least and most, and the share that scores worse than clean."""
    return {
        "pictures": len(values),
        "mean": statistics.fmean(values),
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "worse": float(np.mean([a > b for a, b in zip(values, clean, strict=True)])),
    }


def model_text(model: NiqeModel, patches: int, sources: list[Source]) -> str:
    """Return the JSON of a model, one row of the covariance a line; numbers are exact."""
    fields: dict[str, Any] = {
        "about": ABOUT,
        "licence": "Apache-2.0, as the project; every source is CC0 or in the public domain",
        "patch": PATCH,
        "sharper_than": SHARP,
        "pictures": len(sources),
        "patches": patches,
        "features": list(FEATURES),
        "mean": model.mean.tolist(),
        "covariance": model.covariance.tolist(),
        "sources": [vars(source) for source in sources],
    }
    parts = []
    for key, value in fields.items():
        if isinstance(value, list):
            text = "[\n" + ",\n".join(f"    {json.dumps(entry)}" for entry in value) + "\n  ]"
        else:
            text = json.dumps(value)
        parts.append(f"  {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def print_results(rows: dict[str, dict[str, float]]) -> None:
    """Print one row for each way of spoiling."""
    table = [
        [
            name,
            f"{row['mean']:.2f}",
            f"{row['median']:.2f}",
            f"{row['min']:.2f} to {row['max']:.2f}",
            "" if name == "clean" else f"{100 * row['worse']:.0f} %",
        ]
        for name, row in rows.items()
    ]
    pictures = f"{rows['clean']['pictures']:.0f}"
    print_table(f"NIQE of {pictures} held-out pictures", ["picture", "mean", "median", "range", "worse"], table)


@benchmark(__doc__)
def main(data: Data, out: Out = None, target: Json = None) -> None:
    """Fit, check, print, and write what was asked for."""
    if not (data / "SOURCES.tsv").is_file():
        raise typer.BadParameter("--data must hold SOURCES.tsv; see --help")
    sources = free_sources(data)
    if not sources:
        raise typer.BadParameter("SOURCES.tsv names no picture in clean/ that is CC0 or in the public domain")

    images = [read_image(data / source.file) for source in sources]
    features = [sharp_features(image) for image in images]
    patches = sum(len(part) for part in features)
    half = halves(sources)
    parts = [[f for f, own in zip(features, half, strict=True) if own == k] for k in (0, 1)]
    try:
        models = [fit_features(part) for part in parts]
    except ValueError as error:
        raise typer.BadParameter(f"--data has too little in a half: {error}") from None
    model = fit_features(features)
    photographs = len({(source.repository, source.path) for source in sources})
    print(f"fitted to {patches} patches of {len(sources)} pictures, which are of {photographs} photographs")
    first, second = (sum(len(f) for f in part) for part in parts)
    print(f"halves: {first} and {second} patches, {models[0].distance(models[1]):.2f} apart")
    if out is not None:
        out.write_text(model_text(model, patches, sources), encoding="utf-8")

    found = scores(images, half, models)
    rows = {name: summary(values, found["clean"]) for name, values in found.items()}
    print_results(rows)
    crops = crop_scores(images, half, models)
    table = [[name, str(len(v)), f"{np.mean(v):.2f}", f"{np.std(v):.2f}"] for name, v in crops.items() if v]
    print_table("NIQE of the middle of clean pictures", ["patches", "n", "mean", "deviation"], table)
    if target is not None:
        finish({"benchmark": "niqe_fit", "pictures": len(sources), "patches": patches, "held_out": rows}, target)


if __name__ == "__main__":
    main()
