"""Stabilisation: where a reference frame's pixels lie in another frame, though rain falls and things move in both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rainopt.checks import require_finite
from rainopt.stabilise_levels import Level, levels_of, refine
from rainopt.stabilise_start import coarse_start

# Pixels that an alignment may move a corner and still count as none: interpolation would take more sharpness than the
# movement does.
IDENTITY = 0.05
# Root mean square of the corners' displacements, in pixels, of a camera that stands still. Estimates of one on a tripod
# scatter by half of it; a real clip that sags by a third of a pixel in 12 seconds stays just below.
STATIC = 0.2
# Frames are aligned on copies of at most so many pixels along the longer side.
WORKING_SIDE = 640
# Below this correlation of the copies, over the pixels that agree best, two frames show different things.
MIN_CORRELATION = 0.6
# Share of the reference that the frame must cover.
MIN_OVERLAP = 0.25
# Standard deviation of luminance, of full scale, below which there is nothing to align.
MIN_CONTRAST = 2e-3
MOTIONS = ("translation", "euclidean", "affine", "homography")


class AlignmentError(ValueError):
    """A frame cannot be aligned with the reference; the message says why."""


@dataclass(frozen=True)
class Alignment:
    """Where the pixels of the reference lie in a frame.

    Attributes
    ----------
    matrix
        (2, 3), or (3, 3) for a homography, float64; maps (x, y) of the reference to (x, y) of the frame, in pixels,
        (0, 0) being the centre of the first.
    correlation
        Correlation coefficient of the aligned luminances over the pixels that agree, at most 1.
    shift
        The largest displacement of a corner in pixels.
    """

    matrix: np.ndarray
    correlation: float
    shift: float


class Stabiliser:
    """Aligns frames with a reference and brings them to its coordinates.

    It maximises the enhanced correlation coefficient of luminances, ``ρ(W) = corr(w; f ∘ W, r)``, over the maps W of
    the motion model, coarse to fine. The weights w ∈ [0, 1] are Tukey's biweight of the residuals that a common gain
    and offset leave, so rain and whatever else moves in one of the two frames does not take part.

    Parameters
    ----------
    reference
        (H, W, 3) or (H, W), uint8, uint16, or floating point in [0, 1].
    motion
        ``"translation"``, ``"euclidean"`` (and a rotation), ``"affine"`` or ``"homography"``.

    Raises
    ------
    ValueError
        For another shape or motion, NaN or infinities.
    TypeError
        For another dtype.
    AlignmentError
        If the reference is of one brightness everywhere.

    Notes
    -----
    Sources: Evangelidis and Psarakis 2008, Eq. (4); Baker and Matthews 2004, Sec. 3.2 for the inverse composition.
    Departures: the maximum is found as the least squares fit of gain, offset and motion together, which has the same
    solution, so that the weights can change from step to step. ``cv2.findTransformECC`` with masks of the pixels of
    small residual ended 0.2 to 2 pixels off (median) on pictures without rain, where without a mask it ended 0.01 off.
    """

    def __init__(self, reference: np.ndarray, *, motion: str = "euclidean") -> None:
        if motion not in MOTIONS:
            raise ValueError(f"`motion` must be one of {', '.join(MOTIONS)}, got {motion!r}")
        grey = _luminance(reference, "reference")
        _require_contrast(grey, "reference")
        self.motion = motion
        self.shape: tuple[int, int] = grey.shape
        self._levels: list[Level] = levels_of(grey, WORKING_SIDE, motion)

    def align(self, frame: np.ndarray, mask: np.ndarray | None = None, start: Alignment | None = None) -> Alignment:
        """Find where the pixels of the reference lie in a frame.

        Parameters
        ----------
        frame
            Of the shape of the reference; uint8, uint16, or floating point in [0, 1].
        mask
            Bool (H, W), True where pixels of the frame may be used; all of them if left out.
        start
            What to begin at, such as the alignment of the frame before; saves the search over shifts and rotations.
            Where it leads nowhere, the search is made.

        Raises
        ------
        AlignmentError
            If the frame is flat, hardly overlaps the reference, or shows something else.
        ValueError
            For another shape, NaN or infinities.
        TypeError
            For another dtype.
        """
        grey = _luminance(frame, "frame")
        if grey.shape != self.shape:
            raise ValueError(f"`frame` must be {self.shape} as the reference, got shape {grey.shape}")
        if mask is not None and (mask.shape != self.shape or mask.dtype != np.bool_):
            raise ValueError(f"`mask` must be bool of shape {self.shape}, got {mask.dtype} of shape {mask.shape}")
        _require_contrast(grey if mask is None else grey[mask], "frame")
        copies = [level.copy_of(grey, mask) for level in self._levels]
        if start is not None:
            matrix = np.eye(3)
            matrix[: len(start.matrix)] = start.matrix
            try:
                return self._refine(copies, matrix, self._levels[-2:])
            except AlignmentError:
                pass
        return self._refine(copies, coarse_start(self._levels[0], copies[0]), self._levels)

    def _refine(self, copies: Sequence[np.ndarray], matrix: np.ndarray, levels: Sequence[Level]) -> Alignment:
        correlation = 0.0
        for level, copy in zip(levels, copies[len(copies) - len(levels) :], strict=True):
            fit = refine(level, copy, matrix)
            if fit is None or fit.overlap < MIN_OVERLAP:
                raise AlignmentError(
                    f"`frame` covers less than {MIN_OVERLAP:.0%} of the reference, or nothing in both agrees"
                )
            matrix, correlation = fit.matrix, float(fit.correlation)
        if not correlation >= MIN_CORRELATION:
            raise AlignmentError(
                f"`frame` shows something else than the reference: correlation {correlation:.2f}, "
                f"at least {MIN_CORRELATION} needed"
            )
        shift = float(np.max(_corner_shifts(matrix, self.shape)))
        kept = matrix if self.motion == "homography" else matrix[:2]
        return Alignment(kept, correlation, shift)

    def warp(self, frame: np.ndarray, alignment: Alignment) -> tuple[np.ndarray, np.ndarray]:
        """Bring a frame to the coordinates of the reference.

        Returns
        -------
        frame
            Like ``frame``, interpolated with Lanczos-4 and clipped to the range of its dtype; the very object where
            the alignment moves no corner by more than `IDENTITY`. Pixels that the frame does not have repeat its edge.
        inside
            Bool (H, W), True where the frame has the pixel.
        """
        if frame.shape[:2] != self.shape:
            raise ValueError(f"`frame` must be {self.shape} as the reference, got shape {frame.shape}")
        if alignment.shift <= IDENTITY:
            return frame, np.ones(self.shape, bool)
        import cv2

        height, width = self.shape
        matrix = np.eye(3)
        matrix[: len(alignment.matrix)] = alignment.matrix
        flags = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
        out = cv2.warpPerspective(frame, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        if np.issubdtype(frame.dtype, np.floating):
            out = np.clip(out, 0, 1)
        x, y = _mapped(matrix, *np.meshgrid(np.arange(width), np.arange(height)))
        return out.reshape(frame.shape), (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)

    def is_static(self, alignments: Iterable[Alignment]) -> bool:
        """Whether the camera stood still in these frames; see the function of this name."""
        return is_static(alignments, self.shape)


def is_static(alignments: Iterable[Alignment], shape: tuple[int, int]) -> bool:
    """Whether the camera stood still: nine frames of ten lie within `STATIC` pixels of the median position.

    A frame's distance is the root mean square over the corners of frames of ``shape`` (H, W). The frames of such a
    camera need no resampling at all, wherever the reference lies among them.

    Raises
    ------
    ValueError
        If there is no alignment.
    """
    places = []
    for alignment in alignments:
        matrix = np.eye(3)
        matrix[: len(alignment.matrix)] = alignment.matrix
        places.append(_mapped(matrix, *_corners(shape)))
    if not places:
        raise ValueError("`alignments` must hold at least one")
    away = np.asarray(places) - np.median(places, axis=0)
    distances = np.sqrt(np.mean(np.sum(np.square(away), axis=1), axis=1))
    return float(np.quantile(distances, 0.9)) < STATIC


def _mapped(matrix: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u, v, w = (row[0] * x + row[1] * y + row[2] for row in matrix)
    return u / w, v / w


def _corners(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    right, bottom = shape[1] - 1.0, shape[0] - 1.0
    return np.asarray([0, right, 0, right]), np.asarray([0, 0, bottom, bottom])


def _corner_shifts(matrix: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    x, y = _corners(shape)
    u, v = _mapped(matrix, x, y)
    return np.hypot(u - x, v - y)


def _luminance(frame: np.ndarray, name: str) -> np.ndarray:
    """Return BT.601 luma of a frame; (H, W) float32 in [0, 1]."""
    import cv2

    if frame.ndim not in (2, 3) or (frame.ndim == 3 and frame.shape[2] != 3):
        raise ValueError(f"`{name}` must be (H, W, 3) or (H, W), got shape {frame.shape}")
    if min(frame.shape[:2]) < 16:
        raise ValueError(f"`{name}` must be at least 16 pixels high and wide, got shape {frame.shape}")
    if frame.dtype in (np.float32, np.float64):
        require_finite(frame, name)
        scale = 1.0
        frame = frame.astype(np.float32, copy=False)
    elif frame.dtype in (np.uint8, np.uint16):
        scale = 1.0 / np.iinfo(frame.dtype).max
    else:
        raise TypeError(f"`{name}` must be uint8, uint16, float32 or float64, got {frame.dtype}")
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) if frame.ndim == 3 else frame
    return grey.astype(np.float32) * np.float32(scale)


def _require_contrast(grey: np.ndarray, name: str) -> None:
    if not (grey.size and float(grey.std()) >= MIN_CONTRAST):
        raise AlignmentError(f"`{name}` is of one brightness everywhere: there is nothing to align")
