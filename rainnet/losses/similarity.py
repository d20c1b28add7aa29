"""One minus structural similarity, from torchmetrics."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rainnet.losses.masked import per_picture

WINDOW = 11  # pixels of the Gaussian window of σ 1.5


class SimilarityLoss(nn.Module):
    """``1 - SSIM``, mean over pictures: windows, constants and borders as `rainopt.ssim`, protocol "rgb".

    Notes
    -----
    Source: Wang et al. 2004; as a loss, Wang et al. 2019, Eq. (6).
    """

    def forward(self, a: Tensor, b: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return the loss of pictures (N, C, H, W) in [0, 1], sides of at least 11 pixels.

        With ``valid``, (N, 1, H, W) of 0 and 1, only windows count whose middle is 1, and pixels that are 0 are taken
        from ``b`` in both, as `rainopt.ssim` does; pictures without such a window do not count.
        """
        # It takes a second to import, which only training costs.
        from torchmetrics.functional.image import structural_similarity_index_measure

        if valid is not None:
            a = a.where(valid > 0, b)
        # Differences of squares: in 16 bits nothing would be left of them.
        with torch.autocast(a.device.type, enabled=False):
            _, found = structural_similarity_index_measure(
                a.float(),
                b.float(),
                sigma=1.5,
                kernel_size=WINDOW,
                data_range=1.0,
                reduction="none",
                return_full_image=True,
            )
        edge = WINDOW // 2
        inner = None if valid is None else valid[..., edge:-edge, edge:-edge]
        return per_picture(1 - found[..., edge:-edge, edge:-edge], inner)
