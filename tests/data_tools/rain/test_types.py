"""What may be handed to functions that render rain: arrays of any library alike; all else is refused in a sentence."""

import re

import numpy as np
import pytest
import torch

from data_tools import (
    RainSpec,
    Streaks,
    add_rain,
    compose,
    draw_streaks,
    ground_depth,
    rain_video,
    render_streaks,
)
from data_tools.rain.drops import MOST_STREAKS

SPEC = RainSpec(length=10, density=20000)
CLEAN = np.random.default_rng(3).random((4, 12, 3), dtype=np.float32)
GRAD = torch.from_numpy(CLEAN).requires_grad_()
MASKED = np.ma.masked_greater(np.arange(12, dtype=np.uint8).reshape(3, 4), 5)


def rng():
    return np.random.default_rng(0)


def frames_of(frames, count=2):
    return [frame.rainy for frame in rain_video(frames, SPEC, rng(), count=count)]


@pytest.mark.parametrize("shape", [(4, 12, 3), (4, 12), (5, 4, 12), (2, 4, 12, 3)])
@pytest.mark.parametrize("kind", [torch.from_numpy, np.ndarray.tolist, memoryview, lambda a: a.astype(">f4"), list])
def test_the_same_numbers_are_the_same_video_whatever_holds_them(shape, kind):
    numbers = np.random.default_rng(5).random(shape, dtype=np.float32)
    if kind is list and shape == (4, 12, 3):
        shape, numbers = (4, 12), numbers[..., 0]  # a list of pictures is a video, be they as narrow as this one's rows
    for ours, theirs in zip(frames_of(numbers), frames_of(kind(numbers)), strict=True):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (
            lambda: add_rain(GRAD, SPEC, rng()),
            TypeError,
            "`image` must be an array that numpy can read, got torch.Tensor",
        ),
        (lambda: compose(GRAD, CLEAN[..., 0]), TypeError, "`clean` must be an array that numpy can read"),
        (lambda: compose(CLEAN, GRAD[..., 0]), TypeError, "`rain` must be an array that numpy can read"),
        (lambda: add_rain(CLEAN, SPEC, rng(), depth=GRAD[..., 0]), TypeError, "`depth` must be an array that"),
        (lambda: add_rain(MASKED, SPEC, rng()), TypeError, "`image` must be an array without a mask; fill"),
        (lambda: next(rain_video(MASKED, SPEC, rng())), TypeError, "`frames` must be an array without a mask"),
        (lambda: add_rain([[0.5], [0.5, 0.5]], SPEC, rng()), TypeError, "`image` must be an array that numpy can read"),
        (lambda: add_rain(None, SPEC, rng()), ValueError, "`image` must be (H, W) or (H, W, C)"),
        (lambda: add_rain(CLEAN, {}, rng()), TypeError, "`spec` must be a RainSpec, got dict"),
        (lambda: draw_streaks((4, 4), {}, rng()), TypeError, "`spec` must be a RainSpec, got dict"),
        (lambda: draw_streaks((4, 4), SPEC, 0), TypeError, "`rng` must be a numpy.random.Generator, got int"),
        (lambda: draw_streaks(4, SPEC, rng()), TypeError, "`shape` must be the rows and columns"),
        (lambda: ground_depth((4, 0)), ValueError, "`shape` must be the rows and columns"),
        (lambda: ground_depth((4, 2.5)), TypeError, "`shape` must be the rows and columns"),
        (lambda: render_streaks([], (4, 4)), TypeError, "`streaks` must be Streaks, got list"),
        (lambda: compose(CLEAN, CLEAN[..., 0], ["screen"]), ValueError, "`composition` must be 'additive' or 'screen'"),
        (lambda: RainSpec.sample(["light"], rng()), ValueError, "`preset` must be one of light"),
        (lambda: RainSpec(length=10**400), ValueError, "`length` must be a number in (0, inf), got 1000"),
        (lambda: RainSpec().scaled(1e200), ValueError, "`factor` must leave rain that numbers can say, got 1e+200"),
        (lambda: RainSpec().scaled(1e-200), ValueError, "`factor` must leave rain that numbers can say"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(call, error, said):
    with pytest.raises(error, match=re.escape(said)):
        call()


@pytest.mark.parametrize("fields", [{"length": 1e6}, {"width": 1e6}, {"density": 1e12}, {"length": 1e300}])
def test_more_streaks_than_memory_holds_are_refused(fields):
    with pytest.raises(
        ValueError, match=f"streaks in and around a picture of 4 x 12 pixels, more than {MOST_STREAKS:,};"
    ):
        add_rain(CLEAN, RainSpec(**fields), rng())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"column": [1.0, 2.0]}, "`column` must have one number for each of `row`, (1,), got (2,)"),
        ({"length": [[1.0]]}, "`length` must have one number for each"),
        ({"angle": [np.nan]}, "`angle` must be finite numbers"),
        ({"sigma": [0.0]}, "`sigma` must be finite numbers from 1e-06"),
        ({"peak": [1.5]}, "`peak` must be finite numbers from 0 to 1"),
        ({"length": [1e300]}, "`length` must be finite numbers"),
        ({"peak": ["x"]}, "`peak` must be numbers"),
    ],
)
def test_streaks_are_checked_before_a_loop_reads_them(fields, said):
    names = ("row", "column", "angle", "length", "sigma", "fade", "peak")
    with pytest.raises((TypeError, ValueError), match=re.escape(said)):
        Streaks(**{name: np.ones(1) for name in names} | {name: np.array(v) for name, v in fields.items()})


def test_the_depth_of_rendered_streaks_must_have_their_shape():
    streaks = draw_streaks((4, 12), SPEC, rng())
    with pytest.raises(ValueError, match="`depth` must have the rows and columns of the picture, "):
        render_streaks(streaks, (4, 12), depth=np.zeros((2, 2), np.float32))
