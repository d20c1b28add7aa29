"""Take a rain layer found on luminance off a colour image."""

from __future__ import annotations

from rainopt.arrays import Array, kernel, namespace

# Softens the ratio below where a pixel is nearly white, so that a bright sky is still a place where rain can be
# removed.
SOFTNESS = 0.1


def remove_layer(colour: Array, grey: Array, rain: Array) -> tuple[Array, Array]:
    """Return colour planes without the rain, and the layer that could be taken.

    A streak is light of the whole sky seen through a drop, so it is white, and it covers what is behind it: in
    every channel ``O_c = B_c + S (1 - B_c)`` with one and the same S (the screen composition). Luminance is a mean
    of channels, so the layer found on it, ``R = Y - Y_B``, fixes S, and eliminating S gives the share of each
    channel:

    ``B_c = O_c - R k_c``  with  ``k_c = (1 - O_c + ε) / (1 - Y + ε)``.

    A channel that is already at 1 took nothing from the streak and loses little, so colours keep their hue; plain
    subtraction (ε → ∞) turns a blue sky dark. The weighted mean of k_c is 1, so the luminance of the result is
    ``Y - R`` for every ε. No channel may fall below 0: R is first limited to ``min_c O_c / k_c``, which says that
    white light cannot have been brighter than the darkest channel.

    Parameters
    ----------
    colour
        (C, H, W) in [0, 1].
    grey
        (H, W), luminance of ``colour``.
    rain
        (H, W), layer on luminance, at least 0.

    Returns
    -------
    tuple
        Derained planes (C, H, W), at least 0, exactly ``colour`` where the layer is 0; and the layer that was taken
        off, (H, W).
    """
    xp = namespace(colour)
    fast = kernel("remove_layer", colour, grey, rain)
    if fast is not None and all(field.dtype == xp.float32 for field in (colour, grey, rain)):
        return fast(colour, grey, rain, SOFTNESS)
    share = (1 + SOFTNESS - colour) / (1 + SOFTNESS - grey)
    # Channel by channel: a reduction over the first axis is many times slower.
    for channel in range(colour.shape[0]):
        rain = xp.minimum(rain, colour[channel, ...] / share[channel, ...])
    clean = colour - rain * share
    # Rounding may leave -1e-9 where the limit is reached.
    return xp.where(clean > 0, clean, xp.zeros_like(clean)), rain
