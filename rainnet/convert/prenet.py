"""PReNet parameters of the authors' program, and of VRGNet's, which name every weight: strictly, name by name."""

from __future__ import annotations

from torch import Tensor

from rainnet.convert.base import Foreign, UnlikeError, by_name
from rainnet.convert.ports import giving, giving_variance, taking
from rainnet.convert.strict import Named, convolutions, numbers, sides
from rainnet.models.prenet import GATES

STAGES, BLOCKS, FEATURES = 6, 5, 32  # that the authors' programs have
GATE = {"input": "conv_i.0", "forget": "conv_f.0", "candidate": "conv_g.0", "output": "conv_o.0"}
WITHIN = "derainet."  # what VRGNet's program calls its PReNet
WHAT = "a PReNet of the authors"


@by_name
def map_prenet(state: dict[str, Tensor]) -> Foreign:
    """Map the parameters of the authors' PReNet, PRN, PReNet_r or PRN_r, or of VRGNet's background network, to ours.

    Parameters
    ----------
    state
        Names are ``conv0.0.weight`` and so on. PRN lacks the gates; ``_r`` versions have one residual block, which they
        apply five times; VRGNet's has all names under ``derainet.``, and a last convolution of its own in the last
        stage, ``convfinal.0``, for mean and log-variance. If that of all stages gives both, so does ours.

    Raises
    ------
    UnlikeError
        If parameters are missing or left over, or of another shape; they are named. For the versions of the authors'
        program that are not built here: with a GRU, and without the rainy picture in each stage.

    Notes
    -----
    What weights do not tell is as in the authors' programs: six stages, five times the one block of an ``_r`` version,
    and that stages give what is added to the rainy picture. An ablation of the authors with the names and shapes of
    PReNet, ``PReNet_LSTM``, gives the background itself: ``residual=False``.

    Source: Ren et al. 2019, Wang et al. 2021, and the names in the parameters of the authors' programs.
    """
    within = WITHIN if f"{WITHIN}conv0.0.weight" in state else ""
    if f"{within}conv_z.0.weight" in state:
        raise UnlikeError(
            f"holds the version of PReNet with a GRU ('{within}conv_z.0.weight'), which is not built here",
            "convert one with an LSTM, or a PRN",
        )
    both, features = sides(state, f"{within}conv0.0", (2 * 3, FEATURES))
    _, given = sides(state, f"{within}conv.0", (features, both // 2))
    if both % 2:
        raise UnlikeError(
            f"has '{within}conv0.0.weight' that takes {both} channels, not those of the rainy picture and of the "
            "background so far; a version without the rainy picture in each stage is not built here",
            "convert a PReNet or a PRN",
        )
    channels = both // 2
    lstm = any(f"{within}{gate}.weight" in state for gate in GATE.values())
    final = f"{within}convfinal.0.weight" in state
    every = given == both and not final
    blocks = numbers(state, rf"{within}res_conv(\d+)\.") or BLOCKS
    layers = {"head": [Named("conv0.0", both, features)]}
    if lstm:
        layers["memory.gates"] = [Named(GATE[gate], 2 * features, features) for gate in GATES]
    for k in range(blocks):
        layers[f"blocks.{k}.first"] = [Named(f"res_conv{k + 1}.0", features, features)]
        layers[f"blocks.{k}.second"] = [Named(f"res_conv{k + 1}.2", features, features)]
    layers["last"] = [Named("conv.0", features, both if every else channels)]
    if final:
        layers["final"] = [Named("convfinal.0", features, both)]
    layers = {ours: [each._replace(name=within + each.name) for each in found] for ours, found in layers.items()}
    config = {
        "channels": channels,
        "features": features,
        "stages": STAGES,
        "blocks": BLOCKS if blocks == 1 else blocks,
        "shared_blocks": blocks == 1,
        "recurrent": "lstm" if lstm else "none",
        "residual": True,
        "variance": "last" if final else "every" if every else "none",
    }
    ports = [
        *taking("head", groups=2),
        *(giving_variance if every else giving)("last"),
        *(giving_variance("final") if final else ()),
    ]
    return Foreign(config, convolutions(state, layers, WHAT), [], ports=ports)
