"""Stabilisation: where a reference frame's pixels lie in another frame, though rain falls and things move in both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rainopt.checks import require_finite
from rainopt.video.registration.pyramid import Fit, Level, levels_of, refine
from rainopt.video.registration.votes import TOLERANCE, Votes, reach_of, shifted, starts, votes_of

# Pixels that an alignment may move a corner and still count as none: interpolation would take more sharpness than the
# movement does.
IDENTITY = 0.05
# Root mean square of the corners' displacements, in pixels, of a camera that stands still. Estimates of one on a tripod
# scatter by half of it; a real clip that sags by a third of a pixel in 12 seconds stays just below.
STATIC = 0.2
# Frames are aligned on copies whose longer side has at most this many pixels.
WORKING_SIDE = 640
# Below this correlation of the copies, over the pixels that agree best, two frames show different things.
MIN_CORRELATION = 0.6
# Share of the reference that the frame must cover.
MIN_OVERLAP = 0.25
# Standard deviation of luminance, of full scale, below which there is nothing to align.
MIN_CONTRAST = 2e-3
# Share of the reference's cells that must find themselves where the alignment puts them, and how many times as many as
# for the next best shift. Found on 176 rendered clips, half of them with a thing of a quarter of the width walking
# through, with which up to 0.45 of a grid of 6 x 8 cells agreed: at 0.3 one alignment in ten of those was wrong.
MIN_AGREEMENT, LEAD = 0.4, 1.5
# With more than this share, nothing else needs to be tried.
MAJORITY = 0.5
# Alignments whose corners lie further apart, in pixels, are different ones.
DIFFERENT = 3.0
# The largest scatter of a corner over the cells, in pixels. Of some 1250 alignments of those clips that passed, 4 were
# off by 1 to 2.2 pixels; at 0.3 it was 6.
MAX_SCATTER = 0.2
# On the finest copy a cell may find itself `FINE` pixels off, while it looks `FINE_REACH` pixels far.
FINE, FINE_REACH = 1, 4
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

    What moves through both frames would draw that fit to itself where it has more contrast than the scene. So the
    cells of a grid over the picture vote first, by normalised correlation, each with the same weight; only those that
    agree with the most frequent shift are fitted, and the outcome is put to all of them again. Where fewer agree than
    `MIN_AGREEMENT` asks for, or another shift has nearly as many, or the outcome depends on which of them are fitted,
    the frame is refused: a wrong alignment is worse than none.

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
    Without a mask it ended 0.19 off in light rain (this: 0.02) and 3.7 off where something walked by (this: 0.01).
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
            Frame of the shape of the reference; uint8, uint16, or floating point in [0, 1].
        mask
            Bool (H, W), True where pixels of the frame may be used; all of them if left out.
        start
            Alignment to begin with, such as that of the frame before; it saves the search over shifts and rotations. If
            it leads nowhere, the search is made.

        Raises
        ------
        AlignmentError
            If the frame is flat, hardly overlaps the reference, shows something else, or cannot be aligned for certain.
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
            try:
                return self._refine(copies, _square(start.matrix))[0]
            except AlignmentError:
                pass
        found: list[tuple[Alignment, float]] = []
        refusals: list[AlignmentError] = []
        for matrix in starts(self._levels[0], copies[0]):
            try:
                found.append(self._refine(copies, matrix))
            except AlignmentError as error:
                refusals.append(error)
            if found and found[-1][1] > MAJORITY:
                return found[-1][0]
        if not found:
            raise refusals[0]
        best, most = max(found, key=lambda pair: pair[1])
        for other, share in found:
            apart = np.linalg.inv(_square(other.matrix)) @ _square(best.matrix)
            if most < LEAD * share and np.max(_corner_shifts(apart, self.shape)) > DIFFERENT:
                raise AlignmentError("`frame` can be aligned with the reference in two ways that agree about as well")
        return best

    def _refine(self, copies: Sequence[np.ndarray], matrix: np.ndarray) -> tuple[Alignment, float]:
        """Return the alignment near a start and the share of cells that agree with it."""
        middle = min(1, len(self._levels) - 1)
        level, copy = self._levels[middle], copies[middle]
        votes = votes_of(level, copy, matrix, reach_of(level), TOLERANCE)
        _agreement(votes)
        matrix = shifted(level, matrix, votes.shift)
        for level, copy in zip(self._levels[middle:], copies[middle:], strict=True):
            fit = _fitted(level, copy, matrix, votes.agree)
            matrix = fit.matrix
        if not fit.correlation >= MIN_CORRELATION:
            raise AlignmentError(
                f"`frame` shows something else than the reference: correlation {fit.correlation:.2f}, "
                f"at least {MIN_CORRELATION} needed"
            )
        if not fit.scatter <= MAX_SCATTER:
            raise AlignmentError(
                f"`frame` cannot be aligned accurately: parts of it differ by {fit.scatter:.2g} pixels, "
                f"at most {MAX_SCATTER} allowed"
            )
        votes = votes_of(level, copy, matrix, FINE_REACH, FINE)
        share = _agreement(votes)
        if max(map(abs, votes.shift)) > FINE:
            raise AlignmentError("`frame` cannot be aligned: the parts that agree do not where they are fitted")
        kept = matrix if self.motion == "homography" else matrix[:2]
        return Alignment(kept, fit.correlation, float(np.max(_corner_shifts(matrix, self.shape)))), share

    def warp(self, frame: np.ndarray, alignment: Alignment) -> tuple[np.ndarray, np.ndarray]:
        """Bring a frame to the coordinates of the reference.

        Returns
        -------
        frame
            Like ``frame``, interpolated bicubically and clipped to the range of its dtype; the very object where
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
        matrix = _square(alignment.matrix)
        # Lanczos-4 took 47 ms instead of 9 at 1280 x 720, and left 1.0 grey levels of error instead of 1.3.
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        out = cv2.warpPerspective(frame, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        if np.issubdtype(frame.dtype, np.floating):
            out = np.clip(out, 0, 1)
        x, y = _mapped(matrix, np.arange(width)[None, :], np.arange(height)[:, None])
        return out.reshape(frame.shape), (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)

    def is_static(self, alignments: Iterable[Alignment]) -> bool:
        """Tell whether the camera stood still in these frames; see the function of this name."""
        return is_static(alignments, self.shape)


def is_static(alignments: Iterable[Alignment], shape: tuple[int, int]) -> bool:
    """Tell whether the camera stood still: nine frames of ten lie within `STATIC` pixels of the median position.

    A frame's distance is the root mean square over the corners of frames of ``shape`` (H, W). The frames of such a
    camera need no resampling at all, wherever the reference lies among them.

    Raises
    ------
    ValueError
        If there is no alignment.
    """
    places = [_mapped(_square(alignment.matrix), *_corners(shape)) for alignment in alignments]
    if not places:
        raise ValueError("`alignments` must hold at least one")
    away = np.asarray(places) - np.median(places, axis=0)
    distances = np.sqrt(np.mean(np.sum(np.square(away), axis=1), axis=1))
    return float(np.quantile(distances, 0.9)) < STATIC


def _fitted(level: Level, copy: np.ndarray, matrix: np.ndarray, cells: np.ndarray) -> Fit:
    """Return the fit of a map on one level; raise where too little of the pictures takes part in it."""
    fit = refine(level, copy, matrix, cells)
    if fit is None or fit.overlap < MIN_OVERLAP:
        raise AlignmentError(f"`frame` covers less than {MIN_OVERLAP:.0%} of the reference, or nothing in both agrees")
    return fit


def _agreement(votes: Votes) -> float:
    """Return the share of cells that agree, of those that could be asked; raise where too few do."""
    agree, asked = int(np.count_nonzero(votes.agree)), int(np.count_nonzero(votes.asked))
    if agree < max(1, MIN_AGREEMENT * asked):
        raise AlignmentError(
            f"`frame` shows something else than the reference, or too much of it moves or is covered: {agree} parts of "
            f"{asked} agree, at least {MIN_AGREEMENT:.0%} needed"
        )
    if agree < LEAD * votes.second:
        raise AlignmentError(
            f"`frame` can be aligned with the reference in two ways: {agree} parts agree with one, {votes.second} with "
            "the other"
        )
    return agree / asked


def _square(matrix: np.ndarray) -> np.ndarray:
    """Return a (2, 3) or (3, 3) map as (3, 3)."""
    out = np.eye(3)
    out[: len(matrix)] = matrix
    return out


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
