import numpy as np
import pytest

from benchmarks.layer_angle import layer_angle
from benchmarks.peers.angle import Rained, outcome, rained, structure_angle
from benchmarks.peers.plain_tilt import plain_tilt, split, window
from rainopt.optim.robust_pca import robust_pca


def stripes(angle, size=90):
    rows, columns = np.mgrid[:size, :size] - (size - 1) / 2
    turn = np.radians(angle)
    across = columns * np.cos(turn) - rows * np.sin(turn)
    return 0.5 + 0.3 * np.sin(across / 2) + 0.2 * np.sin(across / 3.3)


@pytest.mark.parametrize("angle", [-33.0, 12.0])
def test_stripes_are_found_by_both(angle):
    assert structure_angle(stripes(angle)) == pytest.approx(angle, abs=1)
    assert plain_tilt(stripes(angle)) == pytest.approx(angle, abs=0.2)


def test_the_inner_problem_has_the_minimum_of_robust_pca(rng):
    D = np.outer(rng.normal(size=20), rng.normal(size=20))
    D[rng.random(D.shape) < 0.1] += 3
    step, objective = split(D, None)
    assert step == 0
    assert objective == pytest.approx(robust_pca(D).objective, rel=1e-3)


def test_the_step_undoes_what_moved_a_low_rank_matrix(rng):
    low = np.outer(rng.normal(size=20), rng.normal(size=20))
    J = rng.normal(size=low.shape)
    assert split(low - 0.01 * J, J)[0] == pytest.approx(0.01, rel=0.05)


def test_a_window_has_norm_1_and_is_upright_at_its_angle():
    D = window(stripes(20.0), 20.0, 40, 1)
    assert np.linalg.norm(D) == pytest.approx(1)
    assert np.ptp(D, axis=0).max() < 0.02 * np.ptp(D)


def test_errors_are_those_between_lines():
    nothing = np.zeros((4, 4))
    cases = [Rained(nothing, nothing, angle) for angle in (-89.0, 10.0, 20.0)]
    clock, result = outcome(lambda case: 89.0 if case.angle < 0 else case.angle + 4, cases)
    assert len(clock.seconds) == 3
    assert result == pytest.approx({"median_error_deg": 4, "worst_error_deg": 4, "within_3_deg": 1 / 3})


def test_the_layer_is_the_rain():
    case = rained((160, 200), 25.0, 0)
    assert case.layer.min() >= 0
    assert layer_angle(case.layer) == pytest.approx(25, abs=2)
