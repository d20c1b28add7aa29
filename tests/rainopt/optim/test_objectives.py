import dataclasses

import numpy as np
import pytest

from rainopt import UDGWeights, udg_energy
from rainopt.arrays import to_numpy
from rainopt.optim.objectives import energy_terms

WEIGHTS = UDGWeights(0.3, 0.7, 1.1, 0.13)
PAPER = UDGWeights.paper(0.3, 0.7, 1.1)


def layers(rng, shape=(5, 6), dtype=np.float64):
    return [rng.random(shape).astype(dtype) for _ in range(3)]


def energy_by_loops(O, B, R, w):
    total = 0.0
    rows, columns = O.shape
    for i in range(rows):
        for j in range(columns):
            total += 0.5 * (B[i, j] + R[i, j] - O[i, j]) ** 2 + w.sparsity * abs(R[i, j])
            if i + 1 < rows:
                total += w.tau * abs(B[i + 1, j] - B[i, j]) + w.lambda_x * abs(R[i + 1, j] - R[i, j])
            if j + 1 < columns:
                derained = (O[i, j + 1] - R[i, j + 1]) - (O[i, j] - R[i, j])
                total += w.tau * abs(B[i, j + 1] - B[i, j]) + w.lambda_y * abs(derained)
    return total


def test_a_case_worked_by_hand(xp):
    O, B, R = (xp.asarray(a, dtype=xp.float64) for a in ([[4, 2], [1, 3]], [[1, 1], [2, 0]], [[3, 0], [0, 1]]))
    # ½‖B + R - O‖² = 3, ‖∇x B‖₁ = ‖∇y B‖₁ = 2, ‖∇x R‖₁ = 4, ‖∇y(O - R)‖₁ = 2, ‖R‖₁ = 4; one decimal place for each.
    assert float(udg_energy(O, B, R, UDGWeights(1, 10, 100, 1000))) == 3 + 4 + 40 + 200 + 4000


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (6, 1), (5, 7)])
@pytest.mark.parametrize("weights", [WEIGHTS, PAPER, UDGWeights()], ids=["all", "paper", "default"])
def test_the_definition_written_as_loops(rng, shape, weights):
    # Layers outside the box as well: bounds are a constraint and no price.
    O, B, R = layers(rng, shape)
    for rain in (R - 0.5, R + 5):
        np.testing.assert_allclose(
            udg_energy(O, B, rain, weights), energy_by_loops(O, B, rain, weights), rtol=1e-12, atol=1e-12
        )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_number_an_image_of_its_own_dtype(xp, rng, dtype):
    arrays = layers(rng, (2, 3, 5, 6), dtype)
    energy = udg_energy(*(xp.asarray(a) for a in arrays), WEIGHTS)
    assert tuple(energy.shape) == (2, 3)
    assert energy.dtype == getattr(xp, dtype)
    expected = [[energy_by_loops(*(a[i, j].astype(float) for a in arrays), WEIGHTS) for j in range(3)] for i in (0, 1)]
    np.testing.assert_allclose(to_numpy(energy), expected, rtol=1e-6 if dtype == "float32" else 1e-12)


def test_single_precision_is_summed_in_double(rng):
    O = rng.random((500, 500)).astype(np.float32)
    single = energy_terms(O, 0 * O, 0 * O, UDGWeights(0, 0, 0, 0))
    assert single.dtype == np.float64
    np.testing.assert_allclose(single, 0.5 * np.sum(O.astype(np.float64) ** 2), rtol=1e-7)


def test_only_the_printed_energy_has_null_directions(rng):
    O, B, R = layers(rng)
    for c in (-2.0, 0.3, 5.0):
        np.testing.assert_allclose(udg_energy(O, B + c, R - c, PAPER), udg_energy(O, B, R, PAPER), rtol=1e-12)
    # So is a pattern constant along the columns, but for what it costs across them.
    only_along, pattern = UDGWeights(0, 1.0, 0, 0), rng.random(6)[None, :]
    np.testing.assert_allclose(udg_energy(O, B - pattern, R + pattern, only_along), udg_energy(O, B, R, only_along))
    weights = UDGWeights()
    moved = udg_energy(O, B - 0.3, R + 0.3, weights)
    np.testing.assert_allclose(moved - udg_energy(O, B, R, weights), weights.sparsity * 0.3 * O.size, rtol=1e-9)


def test_the_energy_is_convex_and_not_negative(rng):
    O, B, R = layers(rng)
    B2, R2 = rng.standard_normal((2, 5, 6))
    for t in (0.1, 0.5, 0.8):
        between = udg_energy(O, t * B + (1 - t) * B2, t * R + (1 - t) * R2, WEIGHTS)
        ends = t * udg_energy(O, B, R, WEIGHTS) + (1 - t) * udg_energy(O, B2, R2, WEIGHTS)
        assert 0 <= between <= ends + 1e-12


def test_the_gradient_is_that_of_finite_differences(torch, rng):
    arrays = [torch.as_tensor(a).requires_grad_() for a in layers(rng, (2, 4, 5))]
    # Random layers keep every absolute value further from its kink than the step of the differences.
    assert torch.autograd.gradcheck(lambda *a: udg_energy(*a, WEIGHTS), arrays, eps=1e-7, atol=1e-6)


@pytest.mark.parametrize("name", ["tau", "lambda_x", "lambda_y", "sparsity"])
@pytest.mark.parametrize("value", [-1e-9, float("nan"), float("inf"), "1", None])
def test_weights_must_be_finite_and_not_negative(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be a finite number of at least 0"):
        dataclasses.replace(WEIGHTS, **{name: value})


def test_weights_are_frozen_and_numbers_of_any_kind():
    with pytest.raises(dataclasses.FrozenInstanceError):
        WEIGHTS.tau = 1.0
    assert UDGWeights.paper(1, 2, 3) == UDGWeights(1, 2, 3, sparsity=0, bounded=False)
    for kind in (np.float32, np.float64, np.int64, int):
        assert type(UDGWeights(tau=kind(1)).tau) is float


def test_shapes_are_checked(xp, rng):
    O, B, R = (xp.asarray(a) for a in layers(rng))
    with pytest.raises(ValueError, match=r"`B` must have the shape of `O`, \(5, 6\), got \(4, 6\)"):
        udg_energy(O, B[1:, :], R, WEIGHTS)
    with pytest.raises(ValueError, match=r"`R` must have the shape of `O`, \(5, 6\), got \(5, 5\)"):
        udg_energy(O, B, R[:, 1:], WEIGHTS)
    with pytest.raises(ValueError, match=r"`O` must be \(\.\.\., H, W\), got shape \(6,\)"):
        udg_energy(O[0, :], B[0, :], R[0, :], WEIGHTS)
    with pytest.raises(ValueError, match=r"`O` must not be empty, got shape \(0, 6\)"):
        udg_energy(O[:0, :], B[:0, :], R[:0, :], WEIGHTS)


@pytest.mark.parametrize("name", ["O", "B", "R"])
def test_values_and_dtypes_are_checked(xp, rng, name):
    arguments = dict(zip("OBR", layers(rng), strict=True))
    for value in (np.nan, np.inf, -np.inf):
        holed = {key: a.copy() for key, a in arguments.items()}
        holed[name][2, 3] = value
        with pytest.raises(ValueError, match=f"`{name}` must be finite"):
            udg_energy(**{key: xp.asarray(a) for key, a in holed.items()}, weights=WEIGHTS)
    arguments[name] = np.ones((5, 6), np.int32)
    with pytest.raises(TypeError, match=f"`{name}` must be float32 or float64, got .*int32"):
        udg_energy(**{key: xp.asarray(a) for key, a in arguments.items()}, weights=WEIGHTS)


def test_libraries_do_not_mix(other_xp, rng):
    O, B, R = layers(rng)
    with pytest.raises(TypeError, match="arrays of one library"):
        udg_energy(O, other_xp.asarray(B), R, WEIGHTS)
