"""Check one pair of images for all that can be wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_tools.layouts.halves import file_of, read_picture
from data_tools.layouts.read import Pair
from data_tools.manifest.paths import checksum
from data_tools.manifest.pictures import Picture
from data_tools.rain.spec import RainSpec
from data_tools.rain.synth import compose
from data_tools.verify.fingerprints import FLAT, fingerprint
from rainopt.image import luminance, quantise, split_channels
from rainopt.io import read_image

# Rain adds light, so little is darker in the rainy picture of a pair that lies right. A pair counts as misaligned if a
# shift makes that darkness less by this many decibels.
SHIFT_GAIN = 1.0
# A rainy picture that is darker than its clean one by more than this on average is no rainy picture.
DARKER = 0.02
# Nor is one that is a little darker on average because of streaks: what is visibly darker than usual in it outweighs
# what is visibly brighter so many times.
SLIGHTLY_DARKER, VISIBLE, LOPSIDED = 0.005, 5 / 255, 10


Notice = Callable[[str, str], None]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: what kind, where, and a sentence."""

    kind: str
    where: str
    message: str


@dataclass(frozen=True)
class Checked:
    """What a look at one pair found; `fingerprint` is that of its scene, None where there is nothing to see."""

    pair: Pair
    findings: tuple[Finding, ...]
    fingerprint: int | None = None
    size: tuple[int, int] | None = None


def check_pair(pair: Pair, picture: Picture | None = None, folder: Path | None = None) -> Checked:
    """Read a pair and check sizes, range, alignment and order.

    Of a pair with a mask, only pixels that may be trusted are compared. With what a manifest in `folder` says about it,
    checksums and the truth of rendered rain are checked as well.
    """
    findings: list[Finding] = []

    def report(kind: str, message: str) -> None:
        findings.append(Finding(kind, pair.name, message))

    images: dict[str, np.ndarray] = {}
    for kind, path in (("rainy", pair.rainy), ("clean", pair.clean)):
        if path is None:
            continue
        try:
            images[kind] = read_picture(path)
        except (ValueError, OSError) as error:
            report("missing" if not file_of(path)[0].exists() else "corrupt", str(error))
    for kind, image in images.items():
        problem = _range_problem(image)
        if problem:
            report("range", f"the {kind} image {problem}")
    if picture is not None and folder is not None:
        _check_files(picture, folder, report)
        if len(images) == 2 and picture.rain and picture.spec:
            _check_truth(images, picture, folder, report)

    grey = {kind: _grey(image) for kind, image in images.items()}
    if len(grey) == 2:
        rainy, clean = grey["rainy"], grey["clean"]
        if images["rainy"].shape[:2] != images["clean"].shape[:2]:
            report("size", f"rainy is {_size(rainy)} and clean {_size(clean)} pixels")
        else:
            if pair.valid is not None:
                rainy = _trusted_part(rainy, clean, pair.valid, report)
            _check_alignment(rainy, clean, report)
            _check_order(rainy, clean, report)
    scene = grey.get("clean", grey.get("rainy"))
    size = None if scene is None else (int(scene.shape[0]), int(scene.shape[1]))
    return Checked(pair, tuple(findings), None if scene is None else fingerprint(scene), size)


def _grey(image: np.ndarray) -> np.ndarray:
    return luminance(split_channels(image).colour)


def _size(grey: np.ndarray) -> str:
    return f"{grey.shape[0]} x {grey.shape[1]}"


def _range_problem(image: np.ndarray) -> str | None:
    low, high = float(image.min()), float(image.max())
    if low == high:
        return f"is {low:g} everywhere"
    if image.dtype == np.uint8 and high <= 1:
        return "holds 0 and 1 only; values of [0, 1] were written as 8-bit levels"
    if image.dtype == np.uint16 and high <= 255:
        return f"goes up to {high:g} of 65535; 8-bit levels were written as 16-bit ones"
    return None


def _check_files(picture: Picture, folder: Path, report: Notice) -> None:
    for path in picture.paths:
        place = folder / path
        if not place.is_file():
            # The images of the pair have been reported by their reader.
            if path not in (picture.rainy, picture.clean):
                report("missing", f"'{place}' is not there")
        elif path in picture.checksums and checksum(place) != picture.checksums[path]:
            report("checksum", f"'{place}' is not the file that was recorded")


def _check_truth(images: dict[str, np.ndarray], picture: Picture, folder: Path, report: Notice) -> None:
    """Repeat ``rainy = compose(clean, rain)`` from the files."""
    place = folder / str(picture.rain)
    if not place.is_file():
        return
    try:
        rain = read_image(place)
    except (ValueError, OSError) as error:
        report("corrupt", str(error))
        return
    try:
        spec = RainSpec.from_dict(picture.spec)
        expected = quantise(compose(images["clean"], rain, spec.composition), images["rainy"].dtype)
    except (ValueError, TypeError, KeyError) as error:
        report("truth", f"the rain layer cannot be put over the clean image ({error})")
        return
    if expected.shape != images["rainy"].shape or not np.array_equal(expected, images["rainy"]):
        report("truth", "the rainy image is not its clean image with its rain layer")


def _trusted_part(rainy: np.ndarray, clean: np.ndarray, mask: Path, report: Notice) -> np.ndarray:
    """Return the rainy luminance with the clean one where the clean one is not to be trusted: things moved there."""
    try:
        valid = read_image(mask)
    except (ValueError, OSError) as error:
        report("corrupt", str(error))
        return rainy
    if valid.shape != rainy.shape:
        report("size", f"the valid mask is {valid.shape} and the images are {_size(rainy)} pixels")
        return rainy
    return np.where(valid > 0, rainy, clean)


def _check_alignment(rainy: np.ndarray, clean: np.ndarray, report: Notice) -> None:
    from skimage.registration import phase_cross_correlation

    if min(clean.shape) < 16 or clean.std() < FLAT or rainy.std() < FLAT:
        return
    # The peak of a correlation finds far shifts; rain hides near ones from it, so they are tried.
    shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    down, right = np.rint(phase_cross_correlation(clean, rainy)[0]).astype(int).tolist()
    if max(abs(down), abs(right)) < min(clean.shape) // 4:
        shifts.append((down, right))
    ratio, shift = min((_darker_when_moved(rainy, clean, shift), shift) for shift in shifts)
    if ratio < 10 ** (-SHIFT_GAIN / 10):
        report("misaligned", f"rainy must be moved by {shift[0]:+d} rows and {shift[1]:+d} columns to lie on clean")


def _darker_when_moved(rainy: np.ndarray, clean: np.ndarray, shift: tuple[int, int]) -> float:
    """Return how much of a picture is darker in the rainy one once it is moved, as part of what is where it lies."""
    there = tuple(slice(max(0, s), n + min(0, s)) for s, n in zip(shift, clean.shape, strict=True))
    here = tuple(slice(max(0, -s), n + min(0, -s)) for s, n in zip(shift, clean.shape, strict=True))
    still = _square_sum(clean[there] - rainy[there])
    return _square_sum(clean[there] - rainy[here]) / still if still > 0 else 1.0


def _square_sum(difference: np.ndarray) -> float:
    positive = np.maximum(difference, 0).ravel()
    return float(positive @ positive)


def _check_order(rainy: np.ndarray, clean: np.ndarray, report: Notice) -> None:
    darker = clean - rainy
    mean, usual = float(darker.mean()), float(np.median(darker))
    lopsided = _square_sum(darker - usual - VISIBLE) > LOPSIDED * _square_sum(usual - darker - VISIBLE)
    if mean > DARKER or (mean > SLIGHTLY_DARKER and lopsided):
        report("swapped", f"rainy is darker than clean by {mean:.3f} on average; swapped?")
