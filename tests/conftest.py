import importlib

import numpy as np
import pytest
from hypothesis import settings

from rainopt.parallel import threads

# Shared cores make single examples slow without saying anything about the code.
settings.register_profile("rainopt", deadline=None, max_examples=50)
settings.load_profile("rainopt")

LIBRARIES = ("numpy", "torch", "array_api_strict")


def _library(name):
    # Not skipped where it is missing: `make setup` installs it, and a test that does not run proves nothing.
    return importlib.import_module(name if name == "array_api_strict" else f"array_api_compat.{name}")


@pytest.fixture(params=LIBRARIES)
def xp(request):
    """Every array library in turn; the same test must pass on each."""
    return _library(request.param)


@pytest.fixture(params=LIBRARIES[1:])
def other_xp(request):
    """Every array library but numpy."""
    return _library(request.param)


@pytest.fixture
def torch():
    return importlib.import_module("torch")


@pytest.fixture
def strict():
    return importlib.import_module("array_api_strict")


@pytest.fixture
def rng():
    return np.random.default_rng(20)


@pytest.fixture(scope="session")
def udg_optimum():
    """Return the least UDG energy of one small image, found by a general convex solver."""
    cvxpy = importlib.import_module("cvxpy")

    def optimum(O, weights, radius=None):
        B, R = cvxpy.Variable(O.shape), cvxpy.Variable(O.shape)

        def variation(a, axis):
            if a.shape[axis] == 1:
                return 0.0
            return cvxpy.sum(cvxpy.abs(a[1:, :] - a[:-1, :] if axis == 0 else a[:, 1:] - a[:, :-1]))

        energy = (
            0.5 * cvxpy.sum_squares(B + R - O)
            + weights.tau * (variation(B, 0) + variation(B, 1))
            + weights.lambda_x * variation(R, 0)
            + weights.lambda_y * variation(O - R, 1)
            + weights.sparsity * cvxpy.sum(cvxpy.abs(R))
        )
        constraints = [R >= 0, R <= O] if weights.bounded else []
        if radius is not None:
            constraints.append(cvxpy.abs(R) <= radius)
        problem = cvxpy.Problem(cvxpy.Minimize(energy), constraints)
        problem.solve(solver="CLARABEL")
        assert problem.status == "optimal"
        return float(problem.value)

    return optimum


@pytest.fixture
def thread_count():
    """Set the number of threads for one test."""
    yield threads.set_num_threads
    threads.set_num_threads(None)


@pytest.fixture
def as_written(monkeypatch):
    """Run every operation as it is written on the array namespace, without a kernel."""
    monkeypatch.setattr("rainopt.arrays.KERNELS", {})
