"""Ridges joined, measured and weighed by the kernels for CUDA, against those of the host."""

import numpy as np
import pytest

from benchmarks.common import rainy_photograph
from rainopt.arrays import to_numpy
from rainopt.direction import evidence, ridges, ridges_there
from rainopt.image import luminance, split_channels
from rainopt.kernels import ridge_cpu
from rainopt.kernels.ridge_table_cuda import Table
from rainopt.kernels.ridge_thresholds_cuda import thresholds


def kernels_of(cuda):
    """The kernels of a device, but for curvature and crests the host's: a hair decides which pixels are crests."""

    def by_the_host(function):
        def call(*arguments):
            mine = (int, np.generic, np.ndarray)
            here = [argument if isinstance(argument, mine) else to_numpy(argument) for argument in arguments]
            function(*here)
            for there, found in zip(arguments, here, strict=True):
                if there is not found:
                    there[...] = cuda(found)

        return call

    return ridges_there.Kernels(by_the_host(ridge_cpu.curvature), thresholds, by_the_host(ridge_cpu.crests), Table)


def streaks(rng, height, width, count):
    """Draw bright and dark lines of many directions, some of which cross or go on behind a gap; (3, H, W)."""
    rows, columns = np.mgrid[:height, :width]
    planes = np.full((3, height, width), 0.45) + 0.004 * rng.standard_normal((3, height, width))
    for k in range(count):
        angle, row, column = rng.uniform(-0.6, 0.9), rng.uniform(0, height), rng.uniform(0, width)
        along = (rows - row) * np.cos(angle) + (columns - column) * np.sin(angle)
        aside = (columns - column) * np.cos(angle) - (rows - row) * np.sin(angle)
        line = np.exp(-0.5 * (aside / 0.8) ** 2) * (np.abs(along) < rng.uniform(5, 12))
        planes += (0.3 if k % 3 else -0.3) * line * rng.uniform(0.7, 1, (3, 1, 1))
    return np.clip(planes, 0, 1).astype(np.float32)


def host_votes(colour, scales):
    """What `find_votes` is to find, by the host."""
    grey, kinds = luminance(colour), []
    for sigma in scales:
        for found in ridges.find_ridges(colour, grey, sigma):
            weight = sigma / max(scales) * evidence.weigh(found)
            kept = found.select(weight > 0)
            kinds.append((kept.angle, weight[weight > 0], kept.row, kept.column, kept.contrast))
    kind = np.repeat(np.arange(len(kinds)), [len(fields[0]) for fields in kinds])
    return ridges_there.Votes(kind, *map(np.concatenate, zip(*kinds, strict=True)))


def compare(cuda, colour, scales, at_least):
    there = cuda(colour)
    found = ridges_there.find_votes(there, luminance(there), scales, evidence.LIKENESS, kernels_of(cuda))
    wanted = host_votes(colour, scales)
    assert len(wanted.angle) >= at_least
    np.testing.assert_array_equal(found.kind, wanted.kind)
    for name, one, other in zip(wanted._fields[1:], found[1:], wanted[1:], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-8, err_msg=name)
    return found


def test_votes_of_lines(cuda, rng):
    compare(cuda, streaks(rng, 40, 44, 14), (1.0, 2.0), 5)


@pytest.mark.slow
def test_room_for_too_few_and_a_line_between_the_samples(cuda, monkeypatch):
    colour = np.full((1, 15, 12), 0.2, np.float32)
    colour[0, 2:13, 4] = 0.6
    monkeypatch.setattr(ridges_there, "ROWS_A_PIXEL", 0)
    monkeypatch.setattr(ridges_there, "SAMPLE", 12)
    monkeypatch.setattr(ridges, "SAMPLE", 12)
    compare(cuda, colour, (1.0, 1.5), 2)


def test_no_ridges_and_no_picture(cuda):
    for shape in ((3, 7, 9), (1, 2, 40)):
        compare(cuda, np.full(shape, 0.5, np.float32), (1.0, 2.0), 0)


@pytest.mark.gpu
def test_votes_of_a_photograph_on_a_card(cuda):
    colour = np.ascontiguousarray(split_channels(rainy_photograph(330, 350, angle=14.0)).colour)
    here, there = host_votes(colour, evidence.SCALES), cuda(colour)
    kernels = ridges_there.kernels_for(there)
    call = ridges_there.find_votes, there, luminance(there), evidence.SCALES, evidence.LIKENESS, kernels
    once, again = (call[0](*call[1:]) for _ in range(2))
    # The order in which threads come changes nothing.
    for one, other in zip(once, again, strict=True):
        np.testing.assert_array_equal(one, other)
    # A hair decides which pixels are crests.
    assert len(once.angle) == pytest.approx(len(here.angle), rel=0.02)
    assert once.weight.sum() == pytest.approx(here.weight.sum(), rel=0.01)
