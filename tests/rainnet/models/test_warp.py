import numpy as np
import pytest
import torch

from rainnet.models.warp import BatchUpright
from rainopt.geometry.warp import Upright

ANGLES = (0.0, 12.3, -30.0, 44.9, 45.0, 60.0, -75.0, 90.0)


@pytest.mark.parametrize("angle", ANGLES)
def test_one_picture_gets_what_rainopt_gives_it(rng, angle):
    image = rng.random((1, 3, 23, 31)).astype(np.float32)
    ours, theirs = BatchUpright(torch.tensor([angle], dtype=torch.float64), 23, 31), Upright(angle, 23, 31)
    there = ours.forward(torch.from_numpy(image))
    np.testing.assert_allclose(there, theirs.forward(image), atol=1e-6)
    np.testing.assert_allclose(ours.back(there), theirs.back(theirs.forward(image)), atol=1e-6)


def test_each_picture_of_a_batch_is_sheared_by_its_own_angle(rng):
    image = torch.from_numpy(rng.random((3, 1, 20, 20)))
    angles = torch.tensor([-20.0, 5.0, 60.0], dtype=torch.float64)
    batch = BatchUpright(angles, 20, 20)
    for k, angle in enumerate(angles):
        alone = BatchUpright(angle[None], 20, 20)
        narrow, wide = alone.forward(image[k : k + 1])[0], batch.forward(image)[k]
        skip = batch.margins[0] - alone.margins[0]
        torch.testing.assert_close(wide[..., skip : skip + narrow.shape[-1]], narrow)
        torch.testing.assert_close(batch.back(batch.forward(image))[k], alone.back(alone.forward(image[k : k + 1]))[0])


def test_the_gradient_of_the_angle_is_that_of_finite_differences(rng):
    image = torch.from_numpy(rng.random((2, 1, 9, 9)))
    weight = torch.from_numpy(rng.random((2, 1, 9, 40)))

    def total(angle):
        # The frame is as wide as the angle needs; what is compared must not change its width.
        there = BatchUpright(angle, 9, 9).forward(image)
        return (there * weight[..., : there.shape[-1]]).sum()

    assert torch.autograd.gradcheck(total, torch.tensor([10.3, -21.7], dtype=torch.float64, requires_grad=True))


def test_gradients_at_every_kind_of_angle_are_finite():
    angle = torch.tensor([0.0, 45.0, 90.0, -60.0], requires_grad=True)
    BatchUpright(angle, 8, 8).forward(torch.rand(4, 1, 8, 8)).square().sum().backward()
    assert bool(torch.isfinite(angle.grad).all())


def test_gradients_of_the_picture_are_the_adjoint(rng):
    upright = BatchUpright(torch.tensor([17.0, -8.0], dtype=torch.float64), 11, 11)
    image = torch.from_numpy(rng.random((2, 2, 11, 11))).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: upright.back(upright.forward(x)), image, fast_mode=True)


@pytest.mark.parametrize(
    ("angle", "message"),
    [
        ([0.0, 80.0], r"8 x 9 cannot share a batch.*crop them square"),
        ([-90.0], r"must be in \(-90, 90\]"),
        ([float("nan")], r"must be in \(-90, 90\]"),
        (3.0, r"`angle` must be \(N,\) degrees, got shape \(\)"),
    ],
)
def test_angles_that_a_batch_cannot_have_are_refused(angle, message):
    with pytest.raises(ValueError, match=message):
        BatchUpright(torch.tensor(angle), 8, 9)
