"""Arrays of a device stay there: a library whose arrays raise at any way to the host but the listed one."""

import sys

import array_api_strict as strict
import numpy as np
import pytest

from benchmarks.common import rainy_photograph
from rainopt import derain, estimate_angle, host_steps, percentile_background, solve_udg

AWAY = strict.Device("device1")
WAYS = ("__float__", "__bool__", "__int__", "__index__", "__complex__", "__iter__", "__array__", "__buffer__")
OWN = "array_api_strict"


def taken_by_the_list():
    """Tell whether the listed way is being taken, of which `to_numpy` is a part."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_globals["__name__"] in ("rainopt.arrays", "numpy", __name__):
        frame = frame.f_back
    return frame is not None and frame.f_globals["__name__"] == "rainopt.host_steps"


@pytest.fixture
def device(monkeypatch):
    """A device whose arrays raise where they would be copied to the host by any other way than the listed one."""
    kind = type(strict.zeros(1))

    def guarded(way, original):
        def call(self, *arguments, **options):
            # The library computes with numpy itself.
            if self.device != AWAY or sys._getframe(1).f_globals["__name__"].startswith(OWN):
                return original(self, *arguments, **options)
            assert taken_by_the_list(), f"{way} copies to the host, and rainopt.host_steps does not list it"
            return original(strict.asarray(self._array), *arguments, **options)

        return call

    for way in WAYS:
        if hasattr(kind, way):
            monkeypatch.setattr(kind, way, guarded(way, getattr(kind, way)))
    return lambda array: strict.asarray(array, device=AWAY)


PHOTO = rainy_photograph(72, 80, angle=8.0)
FRAMES = np.random.default_rng(0).integers(0, 255, (5, 8, 9, 3), dtype=np.uint8)
CALLS = {
    "solve_udg": (lambda O: solve_udg(O, max_iter=50).rain, PHOTO[..., 0].astype(np.float32) / 255),
    "derain": (lambda image: derain(image).background, PHOTO),
    "derain, floats": (lambda image: derain(image, angle=8.0).background, PHOTO.astype(np.float32) / 255),
    "derain, tiles and veil": (lambda image: derain(image, angle=8.0, tile=50, veil=True).background, PHOTO),
    "derain, marks": (
        lambda image: derain(image, angle=8.0, marks=image[..., 0] - image[..., 2]).background,
        PHOTO.astype(np.float32) / 255,
    ),
    "percentile_background": (lambda frames: percentile_background(frames).image, FRAMES),
}


@pytest.mark.parametrize("name", CALLS)
def test_arrays_of_a_device_stay_there_but_for_the_listed_steps(device, name):
    call, array = CALLS[name]
    with host_steps.fetched() as record:
        there = call(device(array))
    assert there.device == AWAY
    np.testing.assert_allclose(there._array, call(array), atol=2e-5)
    assert record
    assert all(size <= 16 or step == "block means" for step, size in record)


def test_the_angle_is_found_from_the_listed_planes_alone(device):
    with host_steps.fetched() as record:
        there = estimate_angle(device(PHOTO))
    assert there.angle == pytest.approx(estimate_angle(PHOTO).angle, abs=1e-3)
    assert [step for step, _ in record] == ["exposure", "block means"]


def test_the_double_raises(device):
    with pytest.raises(AssertionError, match="__float__ copies to the host"):
        float(device(np.ones(())))


def test_a_step_that_is_not_listed_is_refused():
    with pytest.raises(KeyError, match="'curiosity' is no step"):
        host_steps.fetch(np.ones(3), "curiosity")
