"""Specs of rain: as JSON, at other sizes, and refused by name."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_tools import RainDirection, RainLayer, RainSpec, add_rain

# Specs as data


def specs():
    unit = st.floats(0, 1)
    size = st.floats(1e-3, 1e6)
    layer = st.builds(
        RainLayer, share=size, length=size, width=size, intensity=unit, blur=st.floats(0, 50), distance=size
    )
    return st.builds(
        RainSpec,
        angle=st.floats(-89.9, 90),
        angle_spread=st.floats(0, 45),
        length=size,
        width=size,
        density=st.floats(0, 1e6) | st.integers(0, 10**6),
        intensity=unit,
        variation=unit,
        taper=st.floats(0.01, 1),
        texture=unit,
        composition=st.sampled_from(("additive", "screen")),
        layers=st.integers(1, 8) | st.lists(layer, min_size=1, max_size=3).map(tuple),
        veil=unit | st.floats(0, 1, width=32).map(np.float32),
        directions=st.lists(st.builds(RainDirection, turn=st.floats(-90, 90), share=size), min_size=1, max_size=3).map(
            tuple
        ),
    )


@given(specs())
def test_a_spec_survives_json_exactly(spec):
    assert RainSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


def test_fields_left_out_of_a_dict_are_defaults():
    assert RainSpec.from_dict({}) == RainSpec()
    assert RainSpec.from_dict({"angle": 3, "layers": [{"blur": 1}]}) == RainSpec(angle=3, layers=(RainLayer(blur=1.0),))


def test_a_scaled_spec_is_the_same_rain_in_a_larger_picture():
    spec = RainSpec(angle=20, width=3.0, length=60, density=20000)
    small = add_rain(np.zeros((240, 320)), spec, np.random.default_rng(4)).rain
    large = add_rain(np.zeros((480, 640)), spec.scaled(2), np.random.default_rng(4)).rain
    assert large.mean() == pytest.approx(small.mean(), rel=0.1)
    assert large.std() == pytest.approx(small.std(), rel=0.1)


@pytest.mark.parametrize(
    ("kind", "error", "values"),
    [
        (RainSpec, ValueError, {"angle": (-90.0, 91.0, float("nan")), "angle_spread": (-1.0,), "length": (0.0,)}),
        (RainSpec, ValueError, {"width": (-2.0,), "density": (-1.0, float("inf")), "intensity": (1.5,)}),
        (RainSpec, ValueError, {"variation": (1.01,), "taper": (0.0,), "composition": ("multiply",), "layers": (0,)}),
        (RainSpec, ValueError, {"veil": (-0.1,), "texture": (1.1,)}),
        (RainSpec, TypeError, {"angle": ("12",), "density": (True,), "layers": ((), 2.0), "veil": (None,)}),
        (RainSpec, TypeError, {"directions": ((), (3.0,), [RainDirection()])}),
        (RainLayer, ValueError, {"share": (0.0,), "length": (0.0,), "intensity": (2.0,), "blur": (-1.0,)}),
        (RainLayer, ValueError, {"distance": (0.0,)}),
        (RainDirection, ValueError, {"turn": (91.0,), "share": (0.0,)}),
    ],
)
def test_bad_fields_are_named(kind, error, values):
    for field, bad in values.items():
        for value in bad:
            with pytest.raises(error, match=f"`{field}` must be .*got"):
                kind(**{field: value})


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([], TypeError, "must be given as a dict, got list"),
        ({"colour": 1}, ValueError, "no other fields than .*'colour'"),
        ({"layers": [{"far": 1}]}, ValueError, "a RainLayer must have no other fields"),
        ({"directions": [1]}, TypeError, "a RainDirection must be given as a dict"),
        ({"angle": 100}, ValueError, "`angle` must be"),
    ],
)
def test_bad_dicts_are_named(values, error, message):
    with pytest.raises(error, match=message):
        RainSpec.from_dict(values)
