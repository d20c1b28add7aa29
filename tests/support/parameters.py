"""Parameters of other programs, before and after they have our names."""

import pytest


def require_same_numbers(ours, theirs):
    """Require that every number of one state dict is in the other, as far as counts and sums tell."""
    assert sum(value.numel() for value in ours.values()) == sum(value.numel() for value in theirs.values())
    sums = [sum(float(value.double().sum()) for value in state.values()) for state in (ours, theirs)]
    assert sums[0] == pytest.approx(sums[1])
