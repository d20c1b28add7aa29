"""The discriminator of the adversarial loss: is a patch of a picture clean?"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class Discriminator(nn.Module):
    """Strided convolutions that end in one number for each patch of the picture; no normalisation.

    Each number sees a part of the picture, so it judges texture and not the scene, and small batches of pictures
    hold many examples.

    Parameters
    ----------
    channels
        Of the pictures.
    features
        Of the first stage, doubled by each of the next up to eight times.
    stages
        Convolutions of stride 2.

    Notes
    -----
    Source: Yu et al. 2021, Eq. (13), name an adversarial loss (Goodfellow et al. 2014) and no architecture; this is a
    small PatchGAN (Isola et al. 2017) with spectral normalisation (Miyato et al. 2018).
    """

    def __init__(self, channels: int = 3, features: int = 32, stages: int = 3) -> None:
        super().__init__()
        widths = [features * min(2**k, 8) for k in range(stages)]
        normed = nn.utils.parametrizations.spectral_norm
        self.convolutions = nn.ModuleList(
            normed(nn.Conv2d(a, b, 4, stride=2, padding=1)) for a, b in zip([channels, *widths], widths, strict=False)
        )
        self.last = normed(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, image: Tensor) -> Tensor:
        """Return how real each patch of (N, C, H, W) looks; (N, 1, H / 2^stages, W / 2^stages), any real number."""
        x = image
        for convolution in self.convolutions:
            x = F.leaky_relu(convolution(x), 0.2)
        return self.last(x)
