"""Bring the streaks of a batch upright and back, each picture by its own angle, and differentiable in the angle.

The map is that of `rainopt.geometry.warp.Upright`, a shear by six-tap Lanczos interpolation along the rows, for tensors
of angles: a picture of the batch gets what `Upright` would give it, in a frame wide enough for all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from rainopt.geometry.warp import BORDER, shift_rows


@dataclass(frozen=True)
class BatchUpright:
    """The shears that make the streaks of N pictures (N, C, height, width) vertical.

    Parameters
    ----------
    angle
        (N,) degrees in (-90, 90]; gradients are followed.
    height, width
        Of the pictures. Angles beyond ±45° exchange rows and columns, so a batch that mixes the two kinds must be
        square.

    Notes
    -----
    Source: Yu et al. 2021, Eq. (1) and Section 3.3, "a physical meaning rotation angle". Departure: a shear, see
    `rainopt.geometry.warp`.
    """

    angle: Tensor
    height: int
    width: int

    def __post_init__(self) -> None:
        if self.angle.ndim != 1:
            raise ValueError(f"`angle` must be (N,) degrees, got shape {tuple(self.angle.shape)}")
        degrees = self.angle.detach()
        if not bool(((degrees > -90) & (degrees <= 90)).all()):
            raise ValueError(f"`angle` must be in (-90, 90] degrees, got {degrees.tolist()}")
        turned = self.turned
        if self.height != self.width and bool(turned.any()) and not bool(turned.all()):
            raise ValueError(
                f"pictures of {self.height} x {self.width} cannot share a batch with rain both steeper and flatter "
                "than 45 degrees; take them one by one, or crop them square"
            )

    @property
    def turned(self) -> Tensor:
        """(N,) whether rows and columns are exchanged first."""
        return self.angle.detach().abs() > 45

    @property
    def _source(self) -> tuple[int, int]:
        return (self.width, self.height) if bool(self.turned.any()) else (self.height, self.width)

    @property
    def shift(self) -> Tensor:
        """(N, rows) pixels by which each row moves to the left."""
        rows = self._source[0]
        radians = torch.deg2rad(self.angle)
        # The slope of the branch that is not taken is kept finite, or its gradient would be NaN.
        steep = torch.where(self.turned, torch.zeros_like(radians), radians)
        flat = torch.where(self.turned, radians, torch.full_like(radians, math.pi / 2))
        slope = torch.where(self.turned, torch.cos(flat) / torch.sin(flat), torch.tan(steep))
        slope = torch.where(self.angle.detach() == 90, torch.zeros_like(slope), slope)
        row = torch.arange(rows, device=self.angle.device, dtype=self.angle.dtype)
        return slope[:, None] * (row - (rows - 1) / 2)

    @property
    def margins(self) -> tuple[int, int]:
        """Columns added to the left and to the right."""
        shift = self.shift.detach()
        border = BORDER if bool((shift != 0).any()) else 0
        return math.ceil(float(shift.max())) + border, border - math.floor(float(shift.min()))

    def forward(self, image: Tensor) -> Tensor:
        """Make streaks vertical; outside lies the nearest pixel of the row. (N, C, height, width) to (N, C, rows,
        columns).
        """
        left, right = self.margins
        offsets = (self.shift - left)[:, None]
        return shift_rows(self._turn(image), offsets, self._source[1] + left + right)

    def back(self, upright: Tensor) -> Tensor:
        """Bring a layer back to where the picture was; (N, C, height, width)."""
        offsets = (self.margins[0] - self.shift)[:, None]
        return self._turn(shift_rows(upright, offsets, self._source[1], fill="zero"))

    def _turn(self, image: Tensor) -> Tensor:
        turned = self.turned
        if not bool(turned.any()):
            return image
        flipped = image.transpose(-1, -2)
        return flipped if bool(turned.all()) else torch.where(turned[:, None, None, None], flipped, image)
