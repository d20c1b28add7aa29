"""How much memory a picture takes beside the network's own."""

import numpy as np
import pytest

from rainnet.infer.derain import derain
from rainnet.infer.memory import _Meter
from tests.support.toy import Toy, ToyConfig
from tests.support.udgnet import random_udgnet


@pytest.mark.parametrize("angle", [0.0, None])
@pytest.mark.slow
def test_a_picture_in_tiles_takes_a_few_times_its_planes(rng, angle):
    net = Toy(ToyConfig()) if angle is None else random_udgnet()
    image = rng.integers(0, 255, (400, 360, 3), dtype=np.uint8)
    planes = image.size * 4
    derain(net, image, angle=angle, tile=32, bounded=False)
    with _Meter() as meter:
        derain(net, image, angle=angle, tile=32, bounded=False)
    # The picture and both layers in the orientation of the network, or the picture, what is taken, and what is left.
    assert meter.most < 4.5 * planes
