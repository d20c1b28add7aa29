"""What is asked of translated rain, on tensors made by hand; and the history that critics are shown."""

import math

import pytest
import torch

from rainnet.losses.translation import critic_loss, cycle_loss, deceiving_loss, truth_loss
from rainnet.models.pool import Pool


def scores(*shares):
    """The scores of patches that a critic takes for real with these probabilities, a picture each."""
    return torch.tensor(shares, dtype=torch.float64).logit().view(-1, 1, 1, 1)


def test_a_critic_of_rainy_pictures_minimises_equation_4_turned_round():
    real, fake = (0.9, 0.6), (0.2, 0.5)
    expected = -sum(map(math.log, real)) / 2 - sum(math.log(1 - share) for share in fake) / 2
    assert float(critic_loss([scores(*real)], [scores(*fake)])) == pytest.approx(expected)


def test_a_critic_of_backgrounds_minimises_equation_3_turned_round():
    fakes, real, alpha = (0.1, 0.2, 0.3, 0.4), 0.7, 4.0
    expected = -alpha * math.log(real) - sum(math.log(1 - share) for share in fakes)
    found = critic_loss([scores(real)], [scores(share) for share in fakes], alpha)
    assert float(found) == pytest.approx(expected)
    # Four clean pictures share what one has: the sum over four and four of the authors' program.
    reals = (0.7, 0.8, 0.9, 0.6)
    expected = -sum(map(math.log, reals)) - sum(math.log(1 - share) for share in fakes)
    found = critic_loss([scores(share) for share in reals], [scores(share) for share in fakes], alpha)
    assert float(found) == pytest.approx(expected)


def test_a_critic_that_cannot_tell_says_one_half_and_alpha_weighs_both_sides_alike():
    score = torch.zeros(1, requires_grad=True)
    critic_loss([score], [score] * 4, 4.0).backward()
    assert float(score.grad) == 0
    score.grad = None
    critic_loss([score], [score] * 4).backward()
    assert float(score.grad) > 0  # less real, where made pictures are four times as many


def test_networks_lower_their_loss_where_the_critic_is_deceived_however_sure_it_was():
    assert float(deceiving_loss([scores(0.5, 0.25), scores(0.8)])) == pytest.approx(
        -(math.log(0.5) + math.log(0.25)) / 2 - math.log(0.8)
    )
    sure = torch.tensor([-20.0], requires_grad=True)
    deceiving_loss([sure]).backward()
    assert float(sure.grad) == pytest.approx(-1, rel=1e-6)


def test_cycles_and_truth_are_means_of_distances_and_of_squares():
    before, after = torch.tensor([[0.0, 1.0, 0.5, 0.0]]), torch.tensor([[0.5, 1.0, 0.0, 1.0]])
    assert float(cycle_loss(before, after)) == pytest.approx((0.5 + 0 + 0.5 + 1) / 4)
    assert float(cycle_loss(before, before)) == 0
    # Both terms of Eq. (7).
    assert float(truth_loss([before, after], after)) == pytest.approx((0.25 + 0 + 0.25 + 1) / 4)
    assert float(truth_loss([before, before], after)) == pytest.approx(2 * (0.25 + 0 + 0.25 + 1) / 4)


def numbered(*numbers):
    """Pictures of one number each."""
    return torch.tensor(numbers, dtype=torch.float32).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)


def shown(pool, *numbers):
    return [int(number) for number in pool.exchanged(numbered(*numbers))[:, 0, 0, 0]]


def test_a_history_shows_what_is_new_until_it_is_full_and_then_half_of_the_time_what_is_old():
    torch.manual_seed(0)
    pool = Pool(4)
    assert shown(pool, 0, 1, 2) == [0, 1, 2]
    assert shown(pool, 3) == [3]
    old = new = 0
    held = {0, 1, 2, 3}
    for number in range(4, 1004):
        (one,) = shown(pool, number)
        if one == number:
            new += 1
        else:
            assert one in held
            held = held - {one} | {number}
            old += 1
        assert {int(picture[0, 0, 0]) for picture in pool.pictures} == held
    assert 440 < old < 560
    assert old + new == 1000
    assert shown(Pool(0), 5, 6) == [5, 6]
    assert shown(Pool(1), 5, 6)[0] == 5


def test_a_history_is_part_of_the_state_and_goes_on_from_it():
    def rest(pool, number):
        torch.manual_seed(number)
        return shown(pool, number, number + 1)

    whole, part, resumed = Pool(4), Pool(4), Pool(4)
    seen = [rest(whole, number) for number in range(0, 20, 2)]
    assert [rest(part, number) for number in range(0, 10, 2)] == seen[:5]
    resumed.load_state_dict(part.state_dict())
    assert [rest(resumed, number) for number in range(10, 20, 2)] == seen[5:]
    assert torch.equal(resumed.pictures, whole.pictures)


def test_a_history_holds_no_graph_and_begins_anew_with_another_size():
    pool, new = Pool(4), numbered(1, 2).clone().requires_grad_()
    assert not pool.exchanged(new).requires_grad
    assert pool.exchanged(torch.ones(1, 3, 4, 4)).shape == (1, 3, 4, 4)
    assert pool.pictures.shape == (1, 3, 4, 4)
