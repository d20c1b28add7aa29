"""A frame's pixels are found in another one, though rain falls, things move and light changes; or it is refused."""

import functools

import cv2
import numpy as np
import pytest
from skimage import data

from rainopt.video.registration import register
from rainopt.video.registration.register import MOTIONS, STATIC, Alignment, AlignmentError, Stabiliser, is_static
from tests.support.drawings import dropped

SHAPE = (240, 320)
CORNERS = np.asarray([[0, 0, 1], [319, 0, 1], [0, 239, 1], [319, 239, 1.0]])


@functools.cache
def picture(name="coffee"):
    return np.ascontiguousarray(getattr(data, name)()[40:360, 40:460])


def frame_of(matrix, name="coffee"):
    """Return the picture as a camera sees it whose pixel W(x) shows what the reference shows at x."""
    back = np.linalg.inv(matrix)
    back = np.asarray([[1, 0, 50], [0, 1, 40], [0, 0, 1.0]]) @ back
    flags = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
    return cv2.warpPerspective(picture(name), back, SHAPE[::-1], flags=flags, borderMode=cv2.BORDER_REFLECT)


def euclidean(x=0.0, y=0.0, degrees=0.0):
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    middle = np.asarray([[1, 0, 159.5], [0, 1, 119.5], [0, 0, 1.0]])
    return middle @ np.asarray([[cos, -sin, x], [sin, cos, y], [0, 0, 1.0]]) @ np.linalg.inv(middle)


def apply(matrix):
    out = CORNERS @ np.vstack([matrix, [0, 0, 1]])[:3].T if len(matrix) == 2 else CORNERS @ matrix.T
    return out[:, :2] / out[:, 2:]


def error(alignment, truth):
    return np.linalg.norm(apply(alignment.matrix) - apply(truth), axis=1).max()


def heavily(frame, rng):
    return dropped(frame, rng, 250, width=2, height=90)


@pytest.fixture(scope="module")
def stabiliser():
    return Stabiliser(frame_of(np.eye(3)))


@pytest.mark.parametrize("move", [(0.3, -0.4, 0), (3.5, 2.25, 0), (-8, 5, 1), (10, 10, -3), (0, 0, 3)])
def test_known_movements_are_found(stabiliser, move):
    truth = euclidean(*move)
    found = stabiliser.align(frame_of(truth))
    assert found.matrix.shape == (2, 3)
    assert found.matrix.dtype == np.float64
    assert error(found, truth) < 0.15
    assert found.correlation > 0.98
    assert found.shift == pytest.approx(np.linalg.norm(apply(truth) - CORNERS[:, :2], axis=1).max(), abs=0.15)


@pytest.mark.parametrize("motion", MOTIONS)
def test_every_motion_finds_its_own(motion):
    truth = euclidean(4, -3)
    if motion != "translation":
        truth = truth @ euclidean(degrees=1)
    if motion in ("affine", "homography"):
        truth = truth @ np.asarray([[1.01, 0.004, 0], [-0.003, 0.99, 0], [0, 0, 1.0]])
    if motion == "homography":
        truth = truth @ np.asarray([[1, 0, 0], [0, 1, 0], [2e-5, -1e-5, 1.0]])
    found = Stabiliser(frame_of(np.eye(3)), motion=motion).align(frame_of(truth))
    assert found.matrix.shape == ((3, 3) if motion == "homography" else (2, 3))
    assert error(found, truth) < 0.1


def test_rain_does_not_drive_it(rng):
    truth = euclidean(5, -4, 1)
    reference = Stabiliser(heavily(frame_of(np.eye(3)), rng))
    assert error(reference.align(heavily(frame_of(truth), rng)), truth) < 0.2


def test_who_walks_by_brightness_and_contrast_do_not_drive_it(stabiliser):
    truth = euclidean(3, 2, 0.5)
    frame = frame_of(truth)
    assert error(stabiliser.align((frame * 0.6 + 40).astype(np.uint8)), truth) < 0.06
    frame[60:, 100:180] = picture("astronaut")[:180, :80]
    assert error(stabiliser.align(frame), truth) < 0.1


def test_a_mask_leaves_out(stabiliser):
    truth = euclidean(2, 1)
    frame = frame_of(truth)
    # Two thirds show something else, which by itself would agree with nothing.
    frame[:, :200] = picture("astronaut")[:240, :200]
    mask = np.zeros(SHAPE, bool)
    mask[:, 205:] = True
    assert error(stabiliser.align(frame, mask), truth) < 0.15


def test_a_start_is_followed(stabiliser):
    truth = euclidean(6, -5, 1)
    start = stabiliser.align(frame_of(euclidean(5, -4, 0.8)))
    assert error(stabiliser.align(frame_of(truth), start=start), truth) < 0.05


def test_warped_frames_lie_on_the_reference(stabiliser):
    frame = frame_of(euclidean(4.3, -3.6, 1))
    found = stabiliser.align(frame)
    warped, inside = stabiliser.warp(frame, found)
    assert (warped.dtype, warped.shape) == (np.uint8, frame.shape)
    assert 0.9 < inside.mean() < 1
    difference = warped.astype(float) - frame_of(np.eye(3))
    assert np.sqrt(np.mean(difference[8:-8, 8:-8][inside[8:-8, 8:-8]] ** 2)) < 3
    # The same of other dtypes.
    deep = frame.astype(np.uint16) * 257
    np.testing.assert_allclose(stabiliser.align(deep).matrix, found.matrix, atol=5e-3)
    wide, _ = stabiliser.warp(deep, found)
    assert wide.dtype == np.uint16
    np.testing.assert_allclose(wide / 257, warped, atol=1.5)
    floating, _ = stabiliser.warp((frame / 255).astype(np.float32), found)
    assert floating.dtype == np.float32
    assert 0 <= floating.min() <= floating.max() <= 1


def test_the_same_frame_comes_back_itself(stabiliser):
    frame = frame_of(np.eye(3))
    warped, inside = stabiliser.warp(frame, stabiliser.align(frame))
    assert warped is frame
    assert inside.dtype == np.bool_
    assert inside.all()


def test_inside_says_what_the_frame_has(stabiliser):
    alignment = Alignment(np.asarray([[1, 0, 5.0], [0, 1, -2.0]]), 1.0, np.hypot(5, 2))
    warped, inside = stabiliser.warp(frame_of(np.eye(3)), alignment)
    expected = np.zeros(SHAPE, bool)
    expected[2:, :315] = True
    np.testing.assert_array_equal(inside, expected)
    np.testing.assert_array_equal(warped[2:, :315], frame_of(np.eye(3))[:-2, 5:])


def test_a_still_camera_is_static():
    def moved(x):
        return Alignment(np.asarray([[1, 0, x], [0, 1, 0.0]]), 1.0, abs(x))

    assert is_static([moved(x) for x in (0.0, 0.1, -0.1)], SHAPE)
    assert is_static([moved(x) for x in (3.0, 3.1, 2.9)], SHAPE)
    assert is_static([moved(0.0)] * 30 + [moved(2.0)], SHAPE)
    assert not is_static([moved(x) for x in np.linspace(-2, 2, 20) * STATIC], SHAPE)
    assert not is_static([moved(0.0), moved(1.0)], SHAPE)
    with pytest.raises(ValueError, match="`alignments` must hold"):
        is_static([], SHAPE)


def test_what_cannot_be_aligned_is_said(stabiliser):
    with pytest.raises(AlignmentError, match="`reference` is of one brightness"):
        Stabiliser(np.zeros((*SHAPE, 3), np.uint8))
    for value in (0, 128):
        with pytest.raises(AlignmentError, match="`frame` is of one brightness"):
            stabiliser.align(np.full((*SHAPE, 3), value, np.uint8))
    with pytest.raises(AlignmentError, match="`frame` is of one brightness"):
        stabiliser.align(frame_of(np.eye(3)), np.zeros(SHAPE, bool))
    with pytest.raises(AlignmentError, match="`frame`"):
        stabiliser.align(frame_of(np.eye(3), "astronaut"))
    assert issubclass(AlignmentError, ValueError)


def test_other_input_is_refused(stabiliser):
    frame = frame_of(np.eye(3))
    holed = (frame / 255).astype(np.float32)
    holed[3, 4] = np.nan
    for call, said in (
        (lambda: Stabiliser(frame, motion="rigid"), "`motion` must be one of"),
        (lambda: stabiliser.align(frame[:-1]), r"`frame` must be .* as the reference"),
        (lambda: stabiliser.warp(frame[:-1], stabiliser.align(frame)), r"`frame` must be .* as the reference"),
        (lambda: stabiliser.align(frame, np.ones(SHAPE, np.uint8)), "`mask` must be bool"),
        (lambda: Stabiliser(np.zeros((40, 40, 4), np.uint8)), r"`reference` must be \(H, W, 3\)"),
        (lambda: Stabiliser(np.zeros((8, 40, 3), np.uint8)), "`reference` must be at least 16"),
        (lambda: stabiliser.align(holed), "`frame` must be finite"),
    ):
        with pytest.raises(ValueError, match=said):
            call()
    with pytest.raises(TypeError, match="`frame` must be uint8"):
        stabiliser.align(frame.astype(np.int32))


def thing():
    """Return something of more contrast than any scene, a quarter of the width: blocks of 4 pixels."""
    blocks = np.random.default_rng(5).integers(0, 2, (45, 20, 1)) * 255
    return np.kron(blocks, np.ones((4, 4, 3))).astype(np.uint8)


def faint(matrix):
    return (frame_of(matrix) * 0.2 + 90).astype(np.uint8)


def walked(frame, column):
    frame = frame.copy()
    frame[50:230, column : column + 80] = thing()
    return frame


@pytest.mark.parametrize("way", [12, 24, 36])
def test_a_thing_of_more_contrast_than_the_scene_is_not_followed(way):
    truth = euclidean(3, 2, 0.5)
    stabiliser = Stabiliser(walked(faint(np.eye(3)), 100))
    frame = walked(faint(truth), 100 + way)
    misled = Alignment(np.asarray([[1, 0, way], [0, 1, 0.0]]), 1.0, way)
    assert error(stabiliser.align(frame), truth) < 0.15
    assert error(stabiliser.align(frame, start=misled), truth) < 0.15


def test_a_thing_is_no_scene(rng):
    frames = [cv2.GaussianBlur(rng.normal(110, 60, SHAPE), (0, 0), 1.2).clip(0, 255).astype(np.uint8) for _ in range(2)]
    stabiliser = Stabiliser(walked(np.dstack([frames[0]] * 3), 100))
    with pytest.raises(AlignmentError, match="parts of"):
        stabiliser.align(walked(np.dstack([frames[1]] * 3), 110))


def test_two_ways_are_one_too_many(stabiliser):
    frame = frame_of(euclidean(7, 0))
    frame[:, :160] = frame_of(euclidean(-7, 0))[:, :160]
    with pytest.raises(AlignmentError, match="in two ways"):
        stabiliser.align(frame)


def test_what_would_be_inaccurate_is_refused(rng, monkeypatch):
    def noisy(matrix):
        noise = cv2.GaussianBlur(rng.normal(0, 15, SHAPE), (0, 0), 1)[..., None]
        return np.clip(faint(matrix) + noise, 0, 255).astype(np.uint8)

    truth = euclidean(3, 2)
    stabiliser, frame = Stabiliser(noisy(np.eye(3))), noisy(truth)
    assert error(stabiliser.align(frame), truth) < 0.3
    monkeypatch.setattr(register, "MAX_SCATTER", 0.02)
    with pytest.raises(AlignmentError, match="accurately"):
        stabiliser.align(frame)
