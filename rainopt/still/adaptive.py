"""Solve with weights that fit the rain of the image: what `derain` does where it is given none.

Few streaks and many are two problems. Few stand out one by one: what is faint, short or lies in texture is left
alone, and what is surely a streak is taken off without the shrinkage that an ℓ1 norm brings. Where streaks overlap
everywhere nothing stands out, and all that varies across the streaks more than along them is taken off. Which of the
two it is, the first layer tells by how skewed it is: a sum of many streaks is nearly normally distributed, a few
streaks are a long tail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from rainopt.arrays import Array, kernel, namespace
from rainopt.geometry.boxes import box_mean, shifted
from rainopt.host_steps import number
from rainopt.optim.objectives import NO_PRIOR, RainPrior, UDGWeights
from rainopt.optim.udg import UDGSolution, minimise, sketch
from rainopt.optim.workspace import Workspace
from rainopt.parallel.rows import by_rows
from rainopt.still.gain import raised

PILOT = UDGWeights(tau=0.005, lambda_x=0.05, lambda_y=0.02, sparsity=0.004)
PILOT_ITER = 40
DETAIL = 15  # pixels, of the box whose mean is taken off before the skewness
# Skewness of the pilot's layer, up to which rain is dense, and from which it is sparse. Found on rendered rain and
# pairs: heavy sets lie between 0.7 and 1.9, light ones above 2.2.
DENSE, SPARSE = 1.6, 2.4
# Share of parallel lines, up to which no rain counts as dense, and from which it may. Heavy pairs lie between 0.5 and
# 0.95; photographs of leaves and flowers that looked smeared, below 0.55.
SCENE, RAIN = 0.5, 0.7
ALONG = 27  # pixels along the streak over which the layer is averaged for its reweighting
FAINT = 0.0035  # brightness of the averaged layer at which the sparsity has fallen to half
DOUBT = 3.0  # by how much texture raises the sparsity
SMOOTH_ALONG, TEXTURE_ALONG, TEXTURE_ACROSS = 13, 21, 11  # pixels
NEIGHBOURS = (2, 3, 5, 6)  # pixels to either side that a streak is brighter than; the last for wide ones
LEAST_STRENGTH = 1e-8  # takes off nothing, and leaves weights that are numbers
TRUSTED = 0.05  # trust in an excess from which its layer has no gain
# Factor on the sparsity at most where a person says that there is rain. Of pairs whose remaining rain is marked with a
# brush, light and medium, 0.1 adds 0.2 and 1.0 dB, and 0.05 adds 0.3 and 1.4 dB. The lower it is, the wider is what is
# taken: a band along the rain as wide as 2 λy / λs, which are 67 pixels of sparse rain here, and 3 without marks.
CERTAIN = 0.05
TEXTURE_SHARE, NOISE = 0.6, 0.003  # of the texture's deviation, and brightness, that a streak is held against


@dataclass(frozen=True)
class LayerWeights:
    """Weights for one kind of rain, and what its layer is multiplied with and bounded by.

    Attributes
    ----------
    sparsity, lambda_y
        As in `UDGWeights`.
    gain
        What the layer is multiplied with in the end, at least 1: an ℓ1 norm shrinks what it keeps. Less where it would
        leave a dark trace, see `rainopt.still.gain`.
    ceiling
        Largest R, in units of the height of the bright streaks.
    """

    sparsity: float
    lambda_y: float
    gain: float
    ceiling: float


FEW = LayerWeights(sparsity=0.006, lambda_y=0.010, gain=1.3, ceiling=1.7)
MANY = LayerWeights(sparsity=0.001, lambda_y=0.030, gain=1.0, ceiling=4.0)


class Removal(NamedTuple):
    """What the layer is to be found with.

    Attributes
    ----------
    height
        Brightness in [0, 1] of the bright streaks over their surroundings; 1 where nothing is known.
    strength
        Above 0: 1 as the image suggests; more removes more.
    dense
        How far the rain is dense, 0 to 1; None: found from the image.
    parallel
        Share of the thin bright lines of the image that lie as the rain falls, 0 to 1. Leaves and grass in the rain
        look dense too, and to take off all that varies across the streaks ruins them; rain that is dense leaves few
        other lines to be seen.
    pilot_iter
        Iterations of the pilot.
    """

    height: float = 1.0
    strength: float = 1.0
    dense: float | None = None
    parallel: float = 1.0
    pilot_iter: int = PILOT_ITER


def solve_adaptive(
    O: Array,
    removal: Removal,
    max_iter: int | None = None,
    tol: float | None = None,
    first: Array | None = None,
    known: RainPrior = NO_PRIOR,
    workspace: Workspace | None = None,
    marked: Array | None = None,
) -> tuple[UDGSolution, float]:
    """Split an upright image (H, W) with weights that fit its rain; returns the solution and how dense the rain is.

    A pilot with weights between `FEW` and `MANY` gives a first layer. Its skewness mixes the two; where rain is
    sparse, the sparsity of each pixel is then divided by the layer averaged along the streak (iteratively reweighted
    ℓ1: one step of majorising ``Σ log(1 + R/FAINT)``) and raised in texture. The second solve is certified as any
    other; the gain is applied to its layer. A layer ``first`` (H, W), at least 0, that is known from elsewhere takes
    the place of the pilot's. An excess of ``known`` and the trust in it take part in both solves, and what is trusted
    has no gain. Where rain is ``marked``, (H, W) in [0, 1], see `certain`, what holds for all pixels is lifted by that
    share; which kind of rain it is, the unmarked picture tells. Both solves work in the memory of a ``workspace``.

    Notes
    -----
    Source: Candès, Wakin, Boyd 2008, for the reweighting; Yu et al. 2021 for the energy.
    """
    xp = namespace(O)
    if first is None:
        bound = _ceiling(O, FEW.ceiling * removal.height)
        pilot = known._replace(ceiling=bound)
        first = sketch(O, PILOT, removal.pilot_iter, pilot, workspace)
    dense = removal.dense
    if dense is None:
        dense = density(first) * min(max((removal.parallel - SCENE) / (RAIN - SCENE), 0.0), 1.0)
    kind = mixed(dense, removal.strength)
    weights = replace(PILOT, sparsity=kind.sparsity, lambda_y=kind.lambda_y)
    ceiling = _ceiling(O, kind.ceiling * removal.height)
    sparsity = doubt(O, first, 1 - dense)
    if marked is not None:
        sparsity, ceiling = certain(sparsity, marked), ceiling + marked * (O - ceiling)
    prior = known._replace(sparsity=sparsity, ceiling=ceiling)
    start = by_rows(xp.minimum, first, ceiling)
    solution = minimise(O, weights, max_iter=max_iter, tol=tol, prior=prior, start=start, workspace=workspace)
    layer: Array = solution.rain
    gain: Array | float = kind.gain
    if known.trust is not None:
        gain = gain + (1 - gain) * xp.minimum(known.trust / TRUSTED, xp.ones_like(O))
    return replace(solution, rain=raised(O, layer, gain)), dense


def doubt(O: Array, layer: Array, power: float = 1.0) -> Array:
    """Return factors on the sparsity λs of sparse rain: small where a first layer runs along the streak, large in
    texture; all (..., H, W). Where rain is less sparse they are raised to a ``power`` below 1.
    """
    numbers = (TEXTURE_SHARE, NOISE, DOUBT, FAINT, power)
    single = O.dtype == layer.dtype == namespace(O).float32
    whole = kernel("doubt", O, layer)
    if whole is not None and single and O.ndim == 2:
        return whole(O, layer, (SMOOTH_ALONG, TEXTURE_ALONG, TEXTURE_ACROSS, ALONG), NEIGHBOURS, numbers)
    mean = box_mean(layer, ALONG, -2)
    fast = kernel("streak_doubt", O, mean)
    if fast is not None and single:
        return fast(*_along_and_texture(O), mean, NEIGHBOURS, numbers)
    return ((1 + DOUBT * (1 - streak_likelihood(O))) * FAINT / (_positive(mean) + FAINT)) ** power


def certain(sparsity: Array, marked: Array) -> Array:
    """Return factors on the sparsity λs, lowered to `CERTAIN` where rain is ``marked`` fully, and by as many powers
    where it is in part; those that are lower stay. All (..., H, W).
    """
    xp = namespace(sparsity)
    most = xp.full_like(sparsity, CERTAIN)
    return sparsity * xp.where(sparsity > most, most / sparsity, xp.ones_like(sparsity)) ** marked


def density(rain: Array) -> float:
    """Return how far the rain of a layer (H, W) is dense, 0 to 1, from the skewness of its detail."""
    xp = namespace(rain)
    detail = rain - box_mean(box_mean(rain, DETAIL, -1), DETAIL, -2)
    square, whole = (number(xp.mean(field * field), "skewness") for field in (detail, rain))
    # What rounding leaves of a constant has no shape.
    if not square > (16 * float(xp.finfo(rain.dtype).eps)) ** 2 * whole:
        return 0.0
    skewness = number(xp.mean(detail * detail * detail), "skewness") / square**1.5
    return min(max((SPARSE - skewness) / (SPARSE - DENSE), 0.0), 1.0)


def mixed(dense: float, strength: float) -> LayerWeights:
    """Return the weights between `FEW` and `MANY`; ``strength`` divides the sparsity and multiplies λy by its root."""
    strength = max(strength, LEAST_STRENGTH)

    def between(few: float, many: float) -> float:
        return few ** (1 - dense) * many**dense

    return LayerWeights(
        sparsity=between(FEW.sparsity, MANY.sparsity) / strength,
        lambda_y=between(FEW.lambda_y, MANY.lambda_y) * strength**0.5,
        gain=between(FEW.gain, MANY.gain),
        ceiling=between(FEW.ceiling, MANY.ceiling) * max(strength, 1.0),
    )


def streak_likelihood(O: Array) -> Array:
    """Return how much an upright image (H, W) looks like a streak at each pixel, 0 to 1.

    Averaged along the streak, a streak is brighter than its neighbours on both sides, by more than what the average
    has taken away there: the texture.
    """
    xp = namespace(O)
    along, texture = _along_and_texture(O)
    height = xp.zeros_like(O)
    for reach in NEIGHBOURS:
        height = xp.maximum(height, xp.minimum(along - shifted(along, reach), along - shifted(along, -reach)))
    ratio = height / (TEXTURE_SHARE * _positive(texture) ** 0.5 + NOISE)
    return ratio * ratio / (1 + ratio * ratio)


def _along_and_texture(O: Array) -> tuple[Array, Array]:
    """Return the mean along the streaks, and the mean square of what differs from it around each pixel."""
    along = box_mean(O, SMOOTH_ALONG, -2)
    rest = O - along
    return along, box_mean(box_mean(rest * rest, TEXTURE_ALONG, -2), TEXTURE_ACROSS, -1)


def _ceiling(O: Array, highest: float) -> Array:
    return by_rows(lambda o: namespace(o).minimum(o, namespace(o).full_like(o, highest)), O)


def _positive(field: Array) -> Array:
    # A running mean of what is nowhere negative may round below 0.
    xp = namespace(field)
    return xp.where(field > 0, field, xp.zeros_like(field))
