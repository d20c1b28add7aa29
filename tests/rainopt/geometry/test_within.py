"""A part of an image is brought upright as the whole is."""

import numpy as np
import pytest

from rainopt.geometry.warp import Upright
from rainopt.geometry.within import Within, upright_of


@pytest.mark.parametrize("angle", [0.0, 3.0, -12.0, 44.0, 61.0, -88.0, 90.0])
@pytest.mark.parametrize(("top", "left"), [(0, 0), (16, 8), (13, 27)])
def test_the_frame_of_a_part_is_a_piece_of_that_of_the_whole(rng, angle, top, left):
    image = rng.random((70, 90), dtype=np.float32)
    within, multiple = Within(top, left, *image.shape), 4
    rows, columns = within.spare(angle, 40, 50, multiple)
    assert 0 <= rows < multiple
    assert 0 <= columns < multiple
    part = np.pad(image[top : top + 40, left : left + 50], ((rows, 0), (columns, 0)), mode="edge")
    within = within._replace(top=top - rows, left=left - columns)
    whole, own = Upright(angle, *image.shape), upright_of(angle, *part.shape, within)
    along, across = (within.left, within.top) if own.transposed else (within.top, within.left)
    first = across + whole.margin - own.margin
    assert along % multiple == first % multiple == 0
    # What is brought upright, and back: of the inner pixels, whose neighbours are in the part.
    inner = slice(rows + 8, -8), slice(columns + 8, -8)
    around = slice(top + 8, top + 32), slice(left + 8, left + 42)
    np.testing.assert_allclose(
        own.back(own.forward(part))[inner], whole.back(whole.forward(image))[around], rtol=0, atol=2e-5
    )


def test_what_lies_in_nothing_is_itself():
    assert upright_of(12.0, 30, 40) == Upright(12.0, 30, 40)
