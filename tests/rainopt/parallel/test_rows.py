import numpy as np
import pytest

from rainopt.parallel import rows
from rainopt.parallel.rows import by_rows


@pytest.mark.parametrize("shape", [(7, 5), (300, 1000), (3, 300_000)])
def test_a_step_by_rows_is_the_step_at_once(rng, shape):
    a, b, column = rng.random(shape, dtype=np.float32), rng.random(shape), rng.random((shape[0], 1))

    def step(a, b, column):
        return np.minimum(a, b) * column

    found = by_rows(step, a, b, column)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, step(a, b, column))


def test_only_large_fields_of_numpy_are_parted(monkeypatch, torch):
    seen = []

    def same(part):
        seen.append(tuple(part.shape))
        return part

    small, large = np.zeros((4, 4)), np.zeros((600, 600))
    for field in (small, large, torch.from_numpy(large), large[None]):
        seen.clear()
        by_rows(same, field)
        assert (len(seen) > 1) == (field is large)
    monkeypatch.setattr(rows, "LEAST", 1)
    monkeypatch.setattr(rows, "BAND_PIXELS", 4)
    seen.clear()
    by_rows(same, small)
    assert seen == 4 * [(1, 4)]
