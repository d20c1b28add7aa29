"""What frames of one scene must agree on."""

from itertools import permutations

import pytest
import torch

from rainnet.losses.rounded import distance
from rainnet.losses.timelapse import background_consistency, cross_similarity, gamma, reconstruction


def test_losses_are_means_over_pairs_of_different_frames():
    O, B = torch.rand(2, 2, 3, 3, 4, 5)
    pairs = list(permutations(range(3), 2))
    consistent = sum(float((B[:, m] - B[:, n]).abs().mean()) for m, n in pairs) / len(pairs)
    similar = sum(float((O[:, m] - B[:, n]).abs().mean()) for m, n in pairs) / len(pairs)
    assert float(background_consistency(B)) == pytest.approx(consistent)
    assert float(cross_similarity(O, B)) == pytest.approx(similar)
    # In which order the frames come is nothing.
    torch.testing.assert_close(cross_similarity(O[:, [2, 0, 1]], B[:, [2, 0, 1]]), cross_similarity(O, B))


def test_backgrounds_that_agree_cost_nothing_whatever_they_are():
    one = torch.rand(2, 1, 3, 4, 4).expand(-1, 3, -1, -1, -1)
    assert float(background_consistency(one)) == 0
    assert float(background_consistency(torch.zeros(1, 2, 3, 4, 4))) == 0


def test_the_clean_background_is_nearest_to_the_other_frames_where_rain_is_seldom():
    torch.manual_seed(0)
    clean = 0.6 * torch.rand(1, 1, 3, 16, 16)
    rain = 0.3 * (torch.rand(1, 12, 1, 16, 16) < 0.2)
    frames = clean + rain
    cost = {share: float(cross_similarity(frames, (clean + share * rain).expand_as(frames))) for share in (0, 0.5, 1)}
    # A frame that kept its own rain would differ from the others at its streaks and at theirs.
    assert cost[0] < cost[0.5] < cost[1]
    assert cost[0] < float(cross_similarity(frames, (clean - 0.05).expand_as(frames)))


def test_what_clipping_takes_away_is_what_does_not_add_up():
    O, S = torch.tensor([0.2, 0.5]), torch.tensor([0.5, 0.1])
    assert float(reconstruction(O, (O - S).clamp(min=0), S)) == pytest.approx(0.15)
    assert float(reconstruction(O, O - S, S)) < 1e-7


def test_a_corner_rounds_the_distance_off():
    x = torch.tensor([-2.0, -0.01, 0.0, 0.01, 2.0], dtype=torch.float64, requires_grad=True)
    assert torch.equal(distance(x), x.abs())
    rounded = distance(x, 0.1)
    torch.testing.assert_close(rounded, (x**2 + 0.01).sqrt() - 0.1)
    torch.testing.assert_close(rounded[3], x[3] ** 2 / 0.2, rtol=0.01, atol=0)  # a parabola within
    assert float((distance(x, 1e-9) - x.abs()).abs().max().detach()) < 1e-8
    zero = torch.zeros(1, requires_grad=True)
    distance(zero, 1e-30).sum().backward()  # the square of such a corner is 0
    assert torch.isfinite(zero.grad).all()
    (slope,) = torch.autograd.grad(rounded[2], x)
    assert not slope.any()


def test_gamma_falls_to_its_last_value_and_stays():
    assert gamma(0) == pytest.approx(0.1)
    assert gamma(0.15) == pytest.approx((0.1 + 1e-4) / 2)
    assert gamma(0.3) == gamma(0.7) == gamma(1) == 1e-4
    assert gamma(0.5, 1.0, 0.5, 1.0) == pytest.approx(0.75)


@pytest.mark.parametrize("shape", [(2, 3, 4, 4), (2, 1, 3, 4, 4)])
def test_one_frame_is_no_pair(shape):
    with pytest.raises(ValueError, match=r"must be \(N, F, C, H, W\) with F of at least 2"):
        background_consistency(torch.zeros(shape))
