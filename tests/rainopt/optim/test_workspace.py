from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rainopt import solve_udg
from rainopt.optim.workspace import Workspace
from tests.support.udg import HEAVY, random_prior


def addresses(workspace, *asked):
    with workspace.lent() as empty:
        arrays = [empty(shape, np.dtype(dtype)) for shape, dtype in asked]
        assert [(a.shape, a.dtype) for a in arrays] == [(shape, np.dtype(dtype)) for shape, dtype in asked]
        assert all(a.flags.c_contiguous and a.flags.aligned and a.flags.writeable for a in arrays)
        assert not any(np.shares_memory(a, b) for a in arrays for b in arrays if a is not b)
        return {a.ctypes.data for a in arrays}


def test_memory_is_used_again_and_never_twice_at_once():
    workspace = Workspace()
    asked = [((30, 7, 11), "f4"), ((30, 7, 11), "f4"), ((5, 2), "f8")]
    first = addresses(workspace, *asked)
    assert len(first) == 3
    assert addresses(workspace, *asked) == first
    # Shapes that are a little smaller fit in, and others are made.
    assert addresses(workspace, ((29, 7, 10), "f4")) < first
    with workspace.lent() as empty:
        outer = [empty(shape, np.dtype(dtype)) for shape, dtype in asked]
        assert {a.ctypes.data for a in outer} == first
        assert not addresses(workspace, *asked) & first


def test_no_more_is_kept_than_was_in_use_at_one_time():
    workspace = Workspace()
    for rows in (10, 100, 30, 1000, 70, 1):
        addresses(workspace, ((rows, 10), "f4"), ((rows,), "f8"))
        assert workspace.kept <= 48 * 1000
    # What was used last is kept.
    assert workspace.kept >= 48
    assert Workspace().kept == 0


def test_memory_of_what_failed_is_not_lent_again():
    workspace = Workspace()
    addresses(workspace, ((10,), "f4"))
    assert workspace.kept == 40

    def fail():
        with workspace.lent() as empty:
            empty((10,), np.dtype("f4"))
            raise MemoryError

    with pytest.raises(MemoryError):
        fail()
    assert workspace.kept == 0


@pytest.mark.parametrize("kind", ["no prior", "all"])
def test_solves_do_not_see_what_was_there_before(rng, kind, thread_count):
    thread_count(2)
    workspace = Workspace()
    for shape in ((70, 40), (200, 31), (200, 31), (2, 1, 128)):
        O = rng.random(shape)
        told = {"weights": HEAVY, "prior": random_prior(rng, O, kind), "max_iter": 20, "tol": 0}
        fresh, again = solve_udg(O, **told), solve_udg(O, workspace=workspace, **told)
        kept = again.rain.copy()
        # Fill all that is kept, and a little more.
        with workspace.lent() as empty:
            for _ in range(20):
                empty((O.size,), np.dtype(float))[:] = np.nan
        for field in ("background", "rain", "energy", "gap"):
            np.testing.assert_array_equal(getattr(again, field), getattr(fresh, field))
        np.testing.assert_array_equal(again.rain, kept)


def test_threads_may_share_one(rng, thread_count):
    thread_count(1)
    images, workspace = rng.random((12, 60, 50)), Workspace()
    with ThreadPoolExecutor(4) as pool:
        shared = list(pool.map(lambda O: solve_udg(O, max_iter=10, tol=0, workspace=workspace).rain, images))
    for rain, O in zip(shared, images, strict=True):
        np.testing.assert_array_equal(rain, solve_udg(O, max_iter=10, tol=0).rain)


def test_other_methods_need_none(rng):
    O, workspace = rng.random((9, 8)), Workspace()
    for method in ("reference", "admm"):
        solve_udg(O, method=method, max_iter=3, workspace=workspace)
    assert workspace.kept == 0
