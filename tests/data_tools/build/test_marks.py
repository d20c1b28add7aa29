"""Windows are marked by the sharpness of their background and by how far frames lie astray."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from data_tools.build.marks import ASTRAY, DRIFTS, SHORT, mark_of, mark_of_pair, sharpness
from tests.support.clips import rained, stored, view

SCENE = view("astronaut")
FRAMES = rained(SCENE, "light", 12)


def settled(picture, drift=0.0, seen=0.95):
    """What `settle` returns, as far as marks go by it."""
    image = picture.astype(np.float32) / 255
    return SimpleNamespace(
        estimate=SimpleNamespace(image=image, seen=np.full(picture.shape[:2], seen)),
        acceptance=SimpleNamespace(drift=drift),
        valid=np.ones(picture.shape[:2], bool),
    )


def test_a_background_as_sharp_as_its_frames_is_accepted_and_a_smeared_one_is_not():
    store = stored(FRAMES)
    sharp = settled(SCENE)
    assert sharpness(sharp.estimate.image, sharp.valid, store) == pytest.approx(1, abs=0.05)
    assert mark_of(sharp, store).status == "accepted"
    smeared = [mark_of(settled(cv2.GaussianBlur(SCENE, (0, 0), sigma)), store) for sigma in (0.45, 2.0)]
    assert [mark.status for mark in smeared] == ["review", "refused"]
    assert smeared[0].sharpness > smeared[1].sharpness
    assert "% of the frames' sharpness" in smeared[0].doubts[0]


@pytest.mark.parametrize(
    ("drift", "status"), [(DRIFTS, "accepted"), (DRIFTS + 0.01, "review"), (ASTRAY + 0.01, "refused")]
)
def test_frames_that_lie_astray_are_told(drift, status):
    mark = mark_of(settled(SCENE, drift), stored(FRAMES))
    assert mark.status == status
    assert (status == "accepted") == (not mark.doubts)


def test_a_pair_of_which_little_is_expected_is_looked_at():
    mark = mark_of(settled(SCENE), stored(FRAMES))
    assert mark_of_pair(mark, 40 - SHORT, 40) == mark
    doubtful = mark_of_pair(mark, 31.0, 40)
    assert doubtful.status == "review"
    assert doubtful.doubts == ("only 31.0 dB are expected of it",)


def test_rain_in_which_a_blink_cannot_be_told_is_looked_at():
    mark = mark_of(settled(SCENE, seen=0.3), stored(FRAMES))
    assert mark.status == "review"
    assert "so dense that what is lit for less than 9 frames" in mark.doubts[0]
