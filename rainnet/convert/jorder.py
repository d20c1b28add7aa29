"""JORDER-E parameters of the authors' program, which name every weight: strictly, name by name."""

from __future__ import annotations

from torch import Tensor

from rainnet.convert.base import Foreign, by_name
from rainnet.convert.ports import giving, taking
from rainnet.convert.strict import Named, convolutions, numbers, sides
from rainnet.models.jorder import ENCODED, ESTIMATED, KINDS, MOST, PATHS

PASSES, BLOCKS, FEATURES = 2, 9, 64  # that the authors' program has, for messages where there are none
WHAT = "a JORDER-E of the authors"


@by_name
def map_jorder(state: dict[str, Tensor]) -> Foreign:
    """Map the parameters of the authors' JORDER-E, the full one or the small, to ours.

    Parameters
    ----------
    state
        Names are ``jorder1.encoder.weight`` and so on; how many passes, blocks and features there are is counted.

    Raises
    ------
    UnlikeError
        If parameters are missing or left over, or of another shape; they are named.

    Notes
    -----
    Theirs work on pictures in [0, 255]. What they call levels, our streaks, is a picture as well, and changes its unit
    with them. Their mask was taught to be true where there is no rain, see `rainnet.models.jorder.JORDER`, so
    ``attention`` is off.

    Source: Yang et al. 2019, and the names in the parameters of the authors' program.
    """
    both, features = sides(state, "jorder1.encoder", (2 * 3, FEATURES))
    channels = both // 2
    # No more than any network of this kind has: names that are left over are told all the same.
    passes = min(numbers(state, r"jorder(\d+)\.") or PASSES, MOST["passes"])
    blocks = min(numbers(state, r"jorder\d+\.updater\.res(\d+)\.") or BLOCKS, MOST["blocks"])
    layers: dict[str, list[Named]] = {}
    for k in range(passes):
        for ours, theirs in _layers(channels, features, blocks).items():
            layers[f"passes.{k}.{ours}"] = [theirs._replace(name=f"jorder{k + 1}.{theirs.name}")]
    config = {
        "channels": channels,
        "features": features,
        "blocks": blocks,
        "passes": passes,
        "attention": False,
    }
    ports = []
    for k in range(passes):
        ports += taking(f"passes.{k}.encoder", groups=2)
        ports += giving(f"passes.{k}.streaks.second") + giving(f"passes.{k}.decoder.second")
        ports += taking(f"passes.{k}.streaks_scale.first") + taking(f"passes.{k}.streaks_shift.first")
    return Foreign(config, convolutions(state, layers, WHAT), [], ports=ports, range=255.0)


def _layers(channels: int, features: int, blocks: int) -> dict[str, Named]:
    """Return the convolutions of a pass: by our names, theirs."""
    layers = {"encoder": Named("encoder", 2 * channels, features)}
    for block in range(blocks):
        for path in range(len(PATHS)):
            for number, half in enumerate(("first", "second"), 2 * path + 1):
                theirs = f"updater.res{block + 1}.conv{number}"
                layers[f"blocks.{block}.paths.{path}.{half}"] = Named(theirs, features, features)
    pairs = {
        "mask": ("mask_estimator{}", features, ESTIMATED, KINDS),
        "streaks": ("level_estimator{}", features, ESTIMATED, channels),
        "mask_scale": ("mask_F_w_encoder{}", KINDS, ENCODED, features),
        "mask_shift": ("mask_F_b_encoder{}", KINDS, ENCODED, features),
        "streaks_scale": ("level_F_w_encoder{}", channels, ENCODED, features),
        "streaks_shift": ("level_F_b_encoder{}", channels, ENCODED, features),
    }
    for ours, (theirs, inputs, between, outputs) in pairs.items():
        layers[f"{ours}.first"] = Named(theirs.format(1), inputs, between)
        layers[f"{ours}.second"] = Named(theirs.format(2), between, outputs)
    layers["decoder.first"] = Named("decoder.0", features, features)
    layers["decoder.second"] = Named("decoder.1", features, channels)
    return layers
