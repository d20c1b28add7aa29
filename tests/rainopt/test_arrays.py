import subprocess
import sys

import numpy as np
import pytest

from rainopt import arrays
from tests.support.processes import environment


def test_namespace_is_shared_by_arrays_of_one_library(xp):
    a, b = xp.zeros((2, 3)), xp.ones((2, 3))
    assert arrays.namespace(a, b).add(a, b).shape == a.shape


def test_namespace_refuses_mixtures_and_lists(other_xp):
    with pytest.raises(TypeError, match=r"`image` must be arrays of one library .* got ndarray, \w+"):
        arrays.namespace(np.zeros(2), other_xp.zeros(2), names="image")
    with pytest.raises(TypeError, match="got list"):
        arrays.namespace([1.0, 2.0])


def test_is_floating(xp):
    for kind, expected in (("float32", True), ("float64", True), ("uint8", False), ("int64", False), ("bool", False)):
        assert arrays.is_floating(xp.zeros((2, 2), dtype=getattr(xp, kind))) is expected
    assert not arrays.is_floating(xp.zeros((2, 2), dtype=xp.complex64))


def test_host_views_share_memory_and_refuse_gradients_and_foreign_arrays(torch, strict):
    a, t = np.zeros((2, 3)), torch.zeros(2, 3)
    assert arrays.host_view(a) is a
    arrays.host_view(t)[0, 1] = 7
    assert t[0, 1] == 7
    leaf = torch.zeros(2, 3, requires_grad=True)
    assert arrays.host_view(leaf.detach()) is not None
    for foreign in (leaf, leaf * 2, torch.zeros(2, 3, device="meta"), strict.zeros((2, 3))):
        assert arrays.host_view(foreign) is None


def test_like_and_to_numpy_undo_each_other(xp):
    values = np.arange(6.0).reshape(2, 3)
    there = arrays.like(values, xp.zeros((1, 1)))
    assert isinstance(there, type(xp.zeros((1, 1))))
    np.testing.assert_array_equal(arrays.to_numpy(there), values)


def test_to_numpy_detaches(torch):
    out = arrays.to_numpy(torch.ones(2, 2, requires_grad=True) * 3)
    np.testing.assert_array_equal(out, np.full((2, 2), 3, np.float32))


def test_numpy_users_need_no_other_library():
    code = (
        "import sys, numpy, rainopt; rainopt.derain(numpy.full((16, 16), 0.5), max_iter=2, tol=0); "
        "print([m for m in ('torch', 'cupy', 'array_api_strict', 'cvxpy', 'skimage') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
