"""A layer that an ℓ1 norm has shrunk, raised to what the picture lets it be."""

from __future__ import annotations

from rainopt.arrays import Array, kernel, namespace
from rainopt.geometry.boxes import shifted
from rainopt.parallel.rows import by_rows

# Pixels to either side of a streak that what lies behind it is held against. The nearer ones lie beside thin streaks
# and within wide ones, where the farther ones still tell.
SIDES = (4, 6)


def raised(O: Array, layer: Array, gain: Array | float) -> Array:
    """Return a layer times its gain, as far as it leaves no dark trace behind.

    Part of an ℓ1 norm's price is that all it keeps is smaller than it was. To multiply the layer undoes that in the
    mean, and where a streak was found at its height already, or has a bright pixel of noise, it leaves the pixel darker
    than both its sides: dots along the streak, which are seen wherever the ground is dark. So the layer is raised to
    the background that lies beside the streak, and no further,

    ``R' = max(R, min(g R, O - max_d min(B(j - d), B(j + d))))``  with  ``B = O - R``,

    and the gain may be as large as the faintest streaks need it. What the solver itself has found is not touched.

    Parameters
    ----------
    O
        (..., H, W), upright, at least 0.
    layer
        (..., H, W) in [0, O].
    gain
        At least 1, one number or (..., H, W).

    Returns
    -------
    Array
        (..., H, W), between ``layer`` and ``O``.
    """
    xp = namespace(O)
    if isinstance(gain, float | int):
        if gain == 1:
            return layer
        most = by_rows(lambda shrunk, image: xp.minimum(gain * shrunk, image), layer, O)
    else:
        most = by_rows(lambda shrunk, image, factor: xp.minimum(factor * shrunk, image), layer, O, gain)
    fast = kernel("raise_layer", O, layer, most)
    if fast is not None and O.ndim == 2:
        return fast(O, layer, most, SIDES)
    behind, beside = O - layer, None
    for reach in SIDES:
        darker = xp.minimum(shifted(behind, reach), shifted(behind, -reach))
        beside = darker if beside is None else xp.maximum(beside, darker)
    return xp.maximum(layer, xp.minimum(most, O - beside))
