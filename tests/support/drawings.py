"""Lines of a known place and direction, drawn for tests."""

import numpy as np
from scipy import special

ANGLES = (-89, -71.3, -60, -45, -33, -10, -1, 0, 0.4, 7, 20, 30, 45, 58.2, 77, 89.5, 90)


def grid(shape, row, column, angle):
    """Distance from a point along and across a direction, at every pixel."""
    down, right = np.indices(shape) - np.array([row, column])[:, None, None]
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return down * cos + right * sin, right * cos - down * sin


def ridge(shape, row, column, angle, width=1.0, height=1.0):
    """Draw a straight ridge across the whole image: a Gaussian of the distance from it."""
    return height * np.exp(-0.5 * (grid(shape, row, column, angle)[1] / width) ** 2)


def bar(shape, row, column, angle, length, width=0.8, height=0.4):
    """Draw a line of one length: a Gaussian across, a blurred box along."""
    along, across = grid(shape, row, column, angle)
    ends = [special.ndtr((length / 2 + sign * along) / width) for sign in (-1, 1)]
    return height * (ends[0] + ends[1] - 1) * np.exp(-0.5 * (across / width) ** 2)


def busy(rng, shape=(100, 100)):
    """Lines far enough apart not to touch, in every direction, on a faint texture; sides of 3n + 1 pixels.

    The threshold looks at every third pixel, which are the same ones in a mirrored image of that size.
    """
    image = 0.4 + 0.01 * rng.random(shape)
    for i, row in enumerate((18, 50, 82)):
        for j, column in enumerate((17, 49, 81)):
            down, right = rng.uniform(-2, 2, 2)
            image += bar(
                shape,
                row + down,
                column + right,
                rng.uniform(-90, 90),
                rng.uniform(16, 22),
                height=(-1) ** (i + j) * 0.3,
            )
    return image.astype(np.float32)


def dropped(frame, rng, drops=400, width=1, height=120):
    """Draw new vertical streaks of 20 pixels over a frame (H, W, 3) uint8."""
    layer = np.zeros(frame.shape[:2], np.uint16)
    rows, columns = (rng.integers(0, side, drops) for side in (frame.shape[0] - 20, frame.shape[1]))
    for row, column in zip(rows, columns, strict=True):
        layer[row : row + 20, column : column + width] += height
    return np.minimum(frame + layer[..., None], 255).astype(np.uint8)
