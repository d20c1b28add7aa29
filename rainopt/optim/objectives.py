"""The UDG energy: the one definition that the solvers, their certificate and the training loss share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from rainopt.arrays import Array, namespace, native
from rainopt.checks import require_batch, require_non_negative, require_same_shape
from rainopt.host_steps import truth
from rainopt.optim.operators import diff_across, diff_along

MOST_WEIGHT = 1e6  # far beyond where a layer is constant, and far from where float32 ends


@dataclass(frozen=True)
class UDGWeights:
    """Weights of the UDG energy on luminance in [0, 1]; the defaults suit photographs with light to medium rain.

    Parameters
    ----------
    tau
        τ ≥ 0, total variation of the background. Larger: smoother `B`, more texture offered to the rain layer.
    lambda_x
        λx ≥ 0, variation of the rain *along* the streak. Larger: only long even streaks count as rain.
    lambda_y
        λy ≥ 0, variation of ``O - R`` *across* the streak. Larger: more is removed.
    sparsity
        λs ≥ 0, ``‖R‖₁``: the least brightness that is worth calling rain. Larger: less is removed.
    bounded
        Keep ``0 ≤ R ≤ O``: rain adds light, and never more than is there.

    Raises
    ------
    ValueError
        If a weight is negative, not finite, or above `MOST_WEIGHT`.

    Notes
    -----
    Departures from Yu et al. 2021, Eq. (3), which is `UDGWeights.paper`:

    1. The printed energy has a null direction: a constant can move between B and R at no cost, and any pattern
       constant along the columns nearly so. ``sparsity`` and ``bounded`` remove it.
    """

    tau: float = 0.005
    lambda_x: float = 0.05
    lambda_y: float = 0.02
    sparsity: float = 0.005
    bounded: bool = True

    def __post_init__(self) -> None:
        numbers = {name: getattr(self, name) for name in ("tau", "lambda_x", "lambda_y", "sparsity")}
        require_non_negative(MOST_WEIGHT, **numbers)
        if not isinstance(self.bounded, bool):
            raise ValueError(f"`bounded` must be True or False, got {self.bounded!r}")
        for name, value in numbers.items():
            # Plain floats: a numpy scalar would decide the dtype of what it is multiplied with.
            object.__setattr__(self, name, float(value))

    @classmethod
    def paper(cls, tau: float, lambda_x: float, lambda_y: float) -> UDGWeights:
        """Return the energy exactly as printed in Yu et al. 2021, Eq. (3): no sparsity, no bounds.

        Parameters
        ----------
        tau, lambda_x, lambda_y
            As those of the class.
        """
        return cls(tau, lambda_x, lambda_y, sparsity=0.0, bounded=False)


class RainPrior(NamedTuple):
    """What is known of the rain at each pixel, beyond the weights; fields of shape (..., H, W), or None.

    Attributes
    ----------
    sparsity
        Factors ≥ 0 on ``weights.sparsity``: large where rain is unlikely.
    ceiling
        The largest R ≥ 0 allowed, with ``weights.bounded`` only; never above O.
    excess
        E ≥ 0, the rain that other moments tell: by how much O is brighter than what they show behind it. Never above
        O with ``weights.bounded``. It comes with ``trust``.
    trust
        κ ≥ 0, the price of leaving E by 1, in the unit of λs: 0 where nothing is known of other moments, and far above
        the other weights where E is to be followed whatever the image looks like.
    """

    sparsity: Array | None = None
    ceiling: Array | None = None
    excess: Array | None = None
    trust: Array | None = None


NO_PRIOR = RainPrior()


def sparsity_of(weights: UDGWeights, prior: RainPrior) -> Array | float:
    """Return λs of each pixel."""
    return weights.sparsity if prior.sparsity is None else weights.sparsity * prior.sparsity


def ceiling_of(O: Array, weights: UDGWeights, prior: RainPrior) -> Array | None:
    """Return the upper bound of R, None where there is none."""
    if not weights.bounded:
        return None
    return O if prior.ceiling is None else prior.ceiling


def time_price(R: Array, prior: RainPrior) -> Array | float:
    """Return ``κ|R - E|`` of each pixel, 0 where nothing is known of other moments."""
    return 0.0 if prior.excess is None else prior.trust * namespace(prior.excess).abs(R - prior.excess)


def udg_energy(O: Array, B: Array, R: Array, weights: UDGWeights, prior: RainPrior = NO_PRIOR) -> Array:
    """Return the UDG energy of background ``B`` and rain ``R`` for the rainy image ``O``, one number an image.

    ``½‖B + R - O‖² + τ(‖∇x B‖₁ + ‖∇y B‖₁) + λx‖∇x R‖₁ + λy‖∇y(O - R)‖₁ + λs‖R‖₁ + Σ κ|R - E|``

    The last term is time. A photograph has none. In a video the frames around this one, brought to its place, tell what
    was there without the rain: ``E = (O - B_t)₊`` for a robust value ``B_t`` over them. ``κ`` says pixel by pixel how
    far they can be trusted, and is 0 where they could not be brought to this place; there the image alone decides.

    Parameters
    ----------
    O, B, R
        (..., H, W) floating point, streaks upright: ∇x is the difference over rows (along the streak), ∇y over
        columns, both zero where they would leave the image (see `rainopt.optim.operators`).
    weights
        The five weights. ``weights.bounded`` is a constraint, not a price: it adds nothing here, so that the energy
        stays finite and differentiable for layers outside the box; solvers keep their layers inside.
    prior
        `RainPrior`; its ``sparsity`` multiplies λs pixel by pixel, and ``excess`` and ``trust`` are E and κ.

    Returns
    -------
    array
        Shape ``O.shape[:-2]``, the dtype of ``O``; under torch differentiable in O, B and R.

    Raises
    ------
    ValueError, TypeError
        For different shapes, wrong rank, non-finite or non-floating input.

    Notes
    -----
    Source: Yu et al. 2021, Eq. (3), and `UDGWeights` for the sparsity term. The ℓ1 norm of the time term pulls
    no harder the further E is off, so that a pixel can leave it where alignment failed unseen.

    Examples
    --------
    A bright upright line is cheaper as rain, which pays for its brightness, than as background, which pays for both of
    its sides:

    >>> import numpy as np
    >>> import rainopt
    >>> O, nothing, wall = np.zeros((3, 64, 64))
    >>> O[:, 30] = 0.4
    >>> weights = rainopt.UDGWeights()
    >>> [round(float(rainopt.udg_energy(O, B, R, weights)), 3) for B, R in ((wall, O), (O, nothing))]
    [0.128, 1.28]
    """
    for name, layer in (("O", O), ("B", B), ("R", R)):
        require_batch(layer, name)
    O, B, R = native(O), native(B), native(R)
    require_weights(weights)
    require_same_shape(O, "O", B=B, R=R)
    require_prior(O, weights, prior)
    return namespace(O).astype(energy_terms(O, B, R, weights, prior), O.dtype)


def require_weights(weights: object) -> None:
    """Require `UDGWeights`."""
    if not isinstance(weights, UDGWeights):
        raise TypeError(f"`weights` must be UDGWeights, got {type(weights).__name__}")


def require_prior(O: Array, weights: UDGWeights, prior: RainPrior) -> None:
    """Require that a prior fits an image.

    Raises
    ------
    ValueError, TypeError
        For fields of another shape or dtype, negative or not finite, an excess without a trust or a trust without an
        excess, a ceiling or an excess above the image that bounds it, or a ceiling without a bound.
    """
    if not isinstance(prior, RainPrior):
        raise TypeError(f"`prior` must be a RainPrior, got {type(prior).__name__}")
    xp = namespace(O)
    for name, field in zip(RainPrior._fields, prior, strict=True):
        if field is None:
            continue
        require_batch(field, f"prior.{name}")
        require_same_shape(O, "O", **{f"prior.{name}": field})
        if field.dtype != O.dtype:
            raise TypeError(f"`prior.{name}` must be of the image's dtype {O.dtype}, got {field.dtype}; both are float")
        if truth(xp.any(field < 0), "check"):
            raise ValueError(f"`prior.{name}` must not be negative")
    if prior.ceiling is not None and not weights.bounded:
        raise ValueError("`prior.ceiling` has no meaning with bounded=False; leave it out")
    for given, missing in (("excess", "trust"), ("trust", "excess")):
        if getattr(prior, given) is not None and getattr(prior, missing) is None:
            raise ValueError(f"`prior.{given}` was given without `prior.{missing}`; give both or neither")
    if weights.bounded:
        for name in ("ceiling", "excess"):
            field = getattr(prior, name)
            if field is not None and truth(xp.any(field > O), "check"):
                raise ValueError(f"`prior.{name}` must not be above the image")


def energy_terms(O: Array, B: Array, R: Array, weights: UDGWeights, prior: RainPrior = NO_PRIOR) -> Array:
    """Return the energy without checks, summed in double precision; shape ``O.shape[:-2]``, float64."""
    xp = namespace(O, B, R)

    def total(field: Array) -> Array:
        return xp.sum(field, axis=(-2, -1), dtype=xp.float64)

    def norm1(field: Array) -> Array:
        return total(xp.abs(field))

    residual = B + R - O
    energy = (
        0.5 * total(residual * residual)
        + weights.tau * (norm1(diff_along(B)) + norm1(diff_across(B)))
        + weights.lambda_x * norm1(diff_along(R))
        + weights.lambda_y * norm1(diff_across(O - R))
        + norm1(sparsity_of(weights, prior) * R)
    )
    return energy if prior.excess is None else energy + total(time_price(R, prior))
