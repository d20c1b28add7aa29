"""Ridges by the kernels of a device are those of the host; here the host's own kernels stand for a device's."""

import array_api_strict as strict
import numpy as np
import pytest

from benchmarks.common import rainy_photograph
from rainopt import estimate_angle, host_steps
from rainopt.direction import ridges_there
from rainopt.direction.ridges import find_ridges
from rainopt.image import luminance, split_channels
from rainopt.kernels import ridge_cpu

AWAY = strict.Device("device1")
PHOTO = rainy_photograph(330, 350, angle=14.0)
PLANES = np.ascontiguousarray(split_channels(PHOTO).colour)


def assert_same_ridges(found, wanted):
    for ours, theirs in zip(found, wanted, strict=True):
        assert len(ours.angle) == len(theirs.angle) > 5
        for name, one, other in zip(ours._fields, ours, theirs, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-3 if name in ("angle", "bend") else 1e-5, err_msg=name)


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_ridges_from_crest_pixels_are_those_from_whole_pictures(sigma):
    grey = luminance(PLANES)
    found = ridges_there.find_ridges(PLANES, grey, sigma, ridge_cpu.curvature, ridge_cpu.crests)
    assert_same_ridges(found, find_ridges(PLANES, grey, sigma))


def test_a_line_between_the_samples_and_pictures_without_any():
    plane = np.zeros((1, 40, 40), np.float32)
    for lines in (0, 1):
        plane[0, :, 1] = 0.5 * lines
        found = ridges_there.find_ridges(plane, plane[0], 1.0, ridge_cpu.curvature, ridge_cpu.crests)
        assert [len(ridges.angle) for ridges in found] == [len(r.angle) for r in find_ridges(plane, plane[0], 1.0)]
    tiny = ridges_there.find_ridges(plane[:, :2], plane[0, :2], 1.0, ridge_cpu.curvature, ridge_cpu.crests)
    assert [len(ridges.angle) for ridges in tiny] == [0, 0]


def test_a_picture_of_a_device_stays_there_but_for_its_crests(monkeypatch):
    kernels = {"ridge_curvature": ridge_cpu.curvature, "ridge_crests": ridge_cpu.crests}

    def kernel(operation, array):
        def call(*arguments):
            kernels[operation](*(getattr(argument, "_array", argument) for argument in arguments))

        assert array.device == AWAY
        return call

    monkeypatch.setattr(ridges_there, "kernel", kernel)
    monkeypatch.setattr(host_steps, "to_numpy", lambda array: np.array(getattr(array, "_array", array)))
    with host_steps.fetched() as record:
        there = estimate_angle(strict.asarray(PHOTO, device=AWAY))
    here = estimate_angle(PHOTO)
    assert (there.angle, there.confidence) == pytest.approx((here.angle, here.confidence), abs=1e-4)
    assert {step for step, _ in record} == {"exposure", "ridge strengths", "crests"}
