"""Pictures that hold both sides of a pair, side by side: which half is rainy, and reading a half.

A half is named as its file with "#left" or "#right" behind it, so that it can stand wherever the path of a picture
does. No file has such a name, so whoever opens it as one is told that it does not exist, and gets no whole picture.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Literal, TypeVar, get_args

import numpy as np

from data_tools.layouts.files import LayoutError, Tree, split_of
from data_tools.layouts.match import Found
from rainopt.image import luminance, split_channels
from rainopt.io import image_size, read_image, read_image_file, write_image

Half = Literal["left", "right"]
HALVES: tuple[Half, ...] = get_args(Half)
AnyPath = TypeVar("AnyPath", PurePosixPath, Path)

# So many pictures, spread over the dataset, are looked at; of these, or of those that tell, this share must agree.
LOOKED_AT, AGREE = 9, 0.8
# Correlation of the details of two halves from which they show one scene. That of pairs is 0.27 in the heaviest rain,
# and more in lighter; that of the halves of 193 photographs is 0.04 at most.
ALIKE = 0.15
MIDDLE = 512  # pixels on a side that are looked at
DETAIL = 8  # pixels; what is coarser, such as sky over ground, is alike in the halves of any photograph
# Rain adds light: what is visibly brighter in the rainy half outweighs what is visibly darker so many times.
VISIBLE, BRIGHTER = 5 / 255, 2.0


def half_of(path: AnyPath, half: Half) -> AnyPath:
    """Return the path that stands for one half of a picture."""
    return path.with_name(f"{path.name}#{half}")


def file_of(path: str | os.PathLike[str]) -> tuple[Path, Half | None]:
    """Return the file that a path stands for, and which half of it, or None for all of it."""
    path = Path(path)
    for half in HALVES:
        if path.name.endswith(f"#{half}") and not path.exists():
            return path.with_name(path.name.removesuffix(f"#{half}")), half
    return path, None


def read_picture(path: str | os.PathLike[str]) -> np.ndarray:
    """Read the pixels of a picture of a dataset, which may be a half of a file, as `rainopt.io.read_image` does.

    Raises
    ------
    ImageFileError
        If the file cannot be read.
    LayoutError
        If it has an odd number of columns, or one.
    """
    file, half = file_of(path)
    return _cut(file, read_image(file), half)


def picture_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Return height and width of a picture of a dataset, which may be a half of a file, from the file's header."""
    file, half = file_of(path)
    height, width = image_size(file)
    return height, width if half is None else _half_width(file, width)


def half_as_png(path: str | os.PathLike[str]) -> bytes:
    """Return a half of a file as a PNG file, with the profile and the other metadata of the whole.

    Raises
    ------
    ImageFileError, LayoutError
        As for `read_picture`.
    """
    file, half = file_of(path)
    whole = read_image_file(file)
    pixels = _cut(file, whole.pixels, half)
    with TemporaryDirectory() as folder:
        bits = 16 if pixels.dtype.kind == "f" else None
        return write_image(Path(folder, "half.png"), pixels, metadata=whole.metadata, bits=bits).read_bytes()


def _cut(file: Path, pixels: np.ndarray, half: Half | None) -> np.ndarray:
    if half is None:
        return pixels
    middle = _half_width(file, pixels.shape[1])
    return np.ascontiguousarray(pixels[:, :middle] if half == "left" else pixels[:, middle:])


def _half_width(file: Path, width: int) -> int:
    if width % 2 or width < 2:
        raise LayoutError(
            f"'{file}' has {width} columns, which cannot be a rainy half and a clean one of the same size"
        )
    return width // 2


def read_halves(tree: Tree, rainy: Half) -> Found:
    """Take every image as a pair of halves, of which one is the rainy one."""
    clean = HALVES[1 - HALVES.index(rainy)]
    return Found(
        [
            (half_of(path, rainy), half_of(path, clean), split_of(tree.root, folder))
            for folder, paths in tree.images.items()
            for path in paths
        ]
    )


def rainy_half(tree: Tree) -> tuple[Half, str] | None:
    """Tell which halves of the images are rainy, and why; None where their halves do not show one scene.

    Raises
    ------
    LayoutError
        If the halves show one scene and it cannot be told which is rainy.
    """
    images = [path for paths in tree.images.values() for path in paths]
    chosen = [images[k] for k in sorted({round(k) for k in np.linspace(0, len(images) - 1, LOOKED_AT)})]
    votes: list[Half | None] = []
    others = 0
    for path in chosen:
        try:
            halves = _grey_halves(read_image(tree.root / path))
        except (ValueError, OSError):
            continue  # whoever reads all of them names it
        if halves is not None and _alike(*halves):
            votes.append(_brighter(*halves))
        else:
            others += 1
            if others > (1 - AGREE) * len(chosen):
                return None
    if not votes:
        return None
    told = len(votes) - votes.count(None)
    for half in HALVES:
        if 2 * told >= len(votes) and votes.count(half) >= AGREE * told > 0:
            return half, (
                f"the {half} half of each image is taken as the rainy one: it has the brighter streaks in "
                f"{votes.count(half)} of {len(votes)} looked at; a layout 'rainy-left' or 'rainy-right' overrules this"
            )
    raise LayoutError(
        f"'{tree.root}' holds images with two halves that show one scene, and which half is rainy cannot be told "
        "(left in {left}, right in {right} of {all} looked at); name the layout 'rainy-left' or 'rainy-right', or "
        "'unpaired'".format(left=votes.count("left"), right=votes.count("right"), all=len(votes))
    )


def _grey_halves(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the middle of both halves, or None where there are none."""
    height, middle = pixels.shape[0], pixels.shape[1] // 2
    if pixels.shape[1] % 2 or min(height, middle) < 2 * DETAIL:
        return None
    rows, columns = (slice(max((n - MIDDLE) // 2, 0), (n + MIDDLE) // 2) for n in (height, middle))
    left, right = (luminance(split_channels(half[rows, columns]).colour) for half in np.split(pixels, 2, axis=1))
    return left, right


def _alike(left: np.ndarray, right: np.ndarray) -> bool:
    """Tell whether the details of two pictures correlate."""
    from scipy.ndimage import uniform_filter

    def details(grey: np.ndarray) -> np.ndarray:
        fine = grey - uniform_filter(grey, DETAIL)
        # Lines that go on from one half into the other, such as a horizon, say nothing.
        return fine - fine.mean(axis=1, keepdims=True)

    a, b = details(left), details(right)
    power = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return power > 0 and float((a * b).sum()) > ALIKE * power


def _brighter(left: np.ndarray, right: np.ndarray) -> Half | None:
    """Tell which of two pictures of one scene has light added to it, if one clearly has."""
    more = left - right
    more -= np.median(more)
    amounts = [float((np.maximum(side * more - VISIBLE, 0) ** 2).sum()) for side in (1, -1)]
    if max(amounts) <= BRIGHTER * min(amounts):
        return None
    return HALVES[int(amounts[1] > amounts[0])]
