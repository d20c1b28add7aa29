"""Whether a flow and the flow back lead home: one pass over each pixel."""

from __future__ import annotations

import numpy as np

from rainopt.kernels.compiler import compiled


def leads_home(flow: np.ndarray, home: np.ndarray, most: float, most_share: float) -> np.ndarray:
    """Return where a flow leads inside the picture, and the flow back from there to less than ``most`` pixels and
    ``most_share`` of the way beside the start, (h, w) bool.

    Parameters
    ----------
    flow, home
        (h, w, 2) float32, C-contiguous: displacements to the right and down, there and back; the way back is
        interpolated linearly.
    """
    closed = np.empty(flow.shape[:2], np.bool_)
    write_leads_home(flow, home, np.float32(most), np.float32(most_share), closed)
    return closed


@compiled
def write_leads_home(flow, home, most, most_share, closed):
    """Write `leads_home`."""
    height, width = closed.shape
    one = np.float32(1)
    for i in range(height):
        for j in range(width):
            right, down = flow[i, j, 0], flow[i, j, 1]
            x, y = np.float32(j) + right, np.float32(i) + down
            if not (x >= 0 and x <= width - 1 and y >= 0 and y <= height - 1):
                closed[i, j] = False
                continue
            left, top = int(x), int(y)
            # At the last row and column the next one has no weight.
            after, below = min(left + 1, width - 1), min(top + 1, height - 1)
            across, along = x - np.float32(left), y - np.float32(top)
            a, b = (one - across) * (one - along), across * (one - along)
            c, d = (one - across) * along, across * along
            u = right + a * home[top, left, 0] + b * home[top, after, 0]
            u += c * home[below, left, 0] + d * home[below, after, 0]
            v = down + a * home[top, left, 1] + b * home[top, after, 1]
            v += c * home[below, left, 1] + d * home[below, after, 1]
            closed[i, j] = np.sqrt(u * u + v * v) < most + most_share * np.sqrt(right * right + down * down)
