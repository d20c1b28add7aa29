"""Where an image lies in a larger one, so that the shear brings both upright alike."""

from __future__ import annotations

from typing import NamedTuple

from rainopt.geometry.warp import Upright


class Within(NamedTuple):
    """The place of an image in a larger one.

    Attributes
    ----------
    top, left
        Row and column of the image's first pixel.
    height, width
        Of the larger image, in pixels.
    """

    top: int
    left: int
    height: int
    width: int

    def upright(self, angle: float, height: int, width: int) -> Upright:
        """Return the shear of an image of ``height`` × ``width`` whose rows move by the same fractions of a pixel as
        those of the larger one.
        """
        if Upright(angle, self.height, self.width).transposed:
            return Upright(angle, height, width, (self.width - 1) / 2 - self.left)
        return Upright(angle, height, width, (self.height - 1) / 2 - self.top)

    def spare(self, angle: float, height: int, width: int, multiple: int) -> tuple[int, int]:
        """Return how many rows and columns an image of ``height`` × ``width`` needs more, above and to the left, that
        its upright frame begins a multiple of pixels from that of the larger one.

        Networks that halve their maps see what lies at odd places otherwise than what lies at even ones.
        """
        whole = Upright(angle, self.height, self.width)
        along, across = (self.left, self.top) if whole.transposed else (self.top, self.left)
        rows = along % multiple
        down, right = (0, rows) if whole.transposed else (rows, 0)
        moved = self._replace(top=self.top - down, left=self.left - right)
        part = moved.upright(angle, height + down, width + right)
        columns = (across + whole.margin - part.margin) % multiple
        return (columns, rows) if whole.transposed else (rows, columns)


def upright_of(angle: float, height: int, width: int, within: Within | None = None) -> Upright:
    """Return the shear of an image, as of a part of a larger one where it is ``within`` that."""
    return Upright(angle, height, width) if within is None else within.upright(angle, height, width)
