"""Scene in front of what lies behind rain is told by how long it is there, and rain is not."""

import itertools

import numpy as np
import pytest
from scipy import ndimage

from data_tools import rain_video
from rainopt.video.percentiles import NEAR
from rainopt.video.scene_part import (
    LEAST_SIZE,
    TimeSettings,
    bright,
    grown,
    large,
    opened,
    scene_part,
    size_of_chance,
    staying,
)
from rainopt.video.tracks import Track
from rainopt.video.warping import moved_mask
from tests.support.clips import streaks

H, W = 96, 128
SETTINGS = TimeSettings(0.1)
STILL = np.zeros((H, W), bool)


def nothing():
    return np.zeros((H, W), np.float32)


def square(value, x=50, side=12):
    picture = nothing()
    picture[40 : 40 + side, x : x + side] = value
    return picture


def where(x=50, side=12):
    return square(1, x, side) > 0


def tracks(reach=SETTINGS.fine_reach, step=0):
    """All that is there moves by so many pixels a frame."""
    closed = np.ones((H, W), bool)
    flows = {k: np.full((H, W, 2), (k * step, 0), np.float32) for k in range(-reach, reach + 1) if k}
    return {k: Track(flow, closed, np.eye(3)) for k, flow in flows.items()}


def seen_along(window, tracks):
    """Where what is bright in other frames lies."""
    return {k: moved_mask(bright(window[k]), track.flow) & track.closed for k, track in tracks.items() if k in window}


def parts(excesses, settings=SETTINGS, step=0, still=True):
    """What is scene in each frame of a clip."""
    found = []
    for k in range(len(excesses)):
        window = {j - k: one for j, one in enumerate(excesses) if abs(j - k) <= max(settings.fine_reach, 4)}
        there = {j - k: bright(one) for j, one in enumerate(excesses)}
        near = {j: track for j, track in tracks(settings.fine_reach, step).items() if j in window}
        found.append(
            scene_part(window, near, seen_along(window, near), settings, staying(there, settings) if still else None)
        )
    return found


def rain(count, preset="light", seed=3):
    rng = np.random.default_rng(seed)
    spec = streaks(preset, rng)
    return [one.rain for one in itertools.islice(rain_video(nothing(), spec, rng), count)]


def test_lengths_come_from_the_coverage():
    assert (SETTINGS.at_place, SETTINGS.dense) == (4, False)
    assert SETTINGS.long_at_place >= SETTINGS.at_place
    assert SETTINGS.long_on_track >= SETTINGS.on_track
    assert SETTINGS.fine_reach >= SETTINGS.long_on_track - 1
    thick = TimeSettings(0.9)
    assert (thick.at_place, thick.long_at_place, thick.on_track, thick.long_on_track) == (None,) * 4
    assert thick.dense
    assert thick.fine_reach >= 2


@pytest.mark.parametrize("still", [True, False])
def test_what_stays_long_enough_is_scene_from_its_first_frame_to_its_last(still):
    """At its place where the camera stands still, along its track where it moves."""
    count = SETTINGS.long_at_place if still else SETTINGS.long_on_track
    clip = [nothing()] * 6 + [square(0.1)] * count + [nothing()] * 6
    for k, part in enumerate(parts(clip, still=still)):
        there = 6 <= k < 6 + count
        assert part.there[where()].all() == there
        assert part.stays[where()].all() == there
        # What is far from it is not.
        assert not part.there[:, :30].any()
        assert there or not part.there.any()


def test_one_frame_less_than_a_run_is_rain():
    count = min(SETTINGS.at_place, SETTINGS.on_track) - 1
    thin = nothing()
    thin[30:60, 50:52] = 0.1
    clip = [nothing()] * 6 + [thin] * count + [nothing()] * 6
    assert not any(part.there.any() for part in parts(clip))
    # As thin as a streak, it is scene where it stays.
    clip = [nothing()] * 6 + [thin] * SETTINGS.long_at_place + [nothing()] * 6
    found = parts(clip)
    assert all(part.there[thin > 0].all() for part in found[6:-6])
    assert not any(part.there.any() for part in (*found[:6], *found[-6:]))


def test_a_lamp_that_blinks_is_kept():
    """On for six frames, and off for five."""
    clip = [square(0.3, side=4) if k % 11 < 6 else nothing() for k in range(22)]
    for k, part in enumerate(parts(clip)):
        assert part.there[where(side=4)].all() == (k % 11 < 6)


@pytest.mark.parametrize("still", [True, False])
def test_a_walker_is_kept_along_its_track(still):
    clip = [square(0.1, x=10 + 5 * k, side=4) for k in range(14)]
    for k, part in enumerate(parts(clip, step=5, still=still)):
        assert part.stays[where(10 + 5 * k, 4)].all()
    # Without its track it would be rain.
    if not still:
        assert not any(part.stays.any() for part in parts(clip, step=0, still=still))


def test_a_track_that_does_not_lead_home_tells_nothing():
    clip = {k: square(0.1, side=4) for k in range(-4, 5)}
    lost = {k: track._replace(closed=STILL) for k, track in tracks().items()}
    assert scene_part(clip, tracks(), seen_along(clip, tracks()), SETTINGS, None).stays[where(side=4)].all()
    assert not scene_part(clip, tracks(), seen_along(clip, lost), SETTINGS, None).stays.any()


@pytest.mark.parametrize("still", [True, False])
def test_what_is_dark_is_scene_however_short(still):
    clip = [nothing()] * 4 + [square(-0.1, side=5)] + [nothing()] * 4
    found = parts(clip, still=still)
    assert found[4].there[where(side=5)].all()
    assert not any(part.there.any() for k, part in enumerate(found) if k != 4)
    # Where rain is dense, it must be dark in most of the frames around one.
    dense = TimeSettings(0.7)
    assert not any(part.there.any() for part in parts(clip, dense, still=still))
    found = parts([square(-0.1, side=5)] * 7, dense, still=still)
    assert all(part.there[where(side=5)].all() for part in found)


def test_a_flash_of_something_wide_is_scene_and_told_as_such():
    clip = [nothing()] * 5 + [square(0.4, x=20, side=40)] + [nothing()] * 5
    found = parts(clip)
    inside = where(20, 40)
    assert found[5].flashes[inside].all()
    assert found[5].there[inside].all()
    assert not any(part.flashes.any() for k, part in enumerate(found) if k != 5)
    # Streaks that run together are as wide as this.
    assert not any(part.there.any() for part in parts([nothing()] * 5 + [square(0.4, side=14)] + [nothing()] * 5))
    # What is wide and stays is no flash.
    assert not any(part.flashes.any() for part in parts([square(0.4, x=20, side=40)] * 8)[3:5])


@pytest.mark.parametrize(("preset", "most"), [("light", 0.01), ("medium", 0.03)])
def test_rain_alone_is_hardly_scene(preset, most):
    clip = rain(14, preset)
    coverage = float(np.mean(np.stack(clip) > NEAR))
    settings = TimeSettings(coverage)
    found = [part.there.mean() for part in parts(clip, settings)]
    assert np.mean(found) < most
    # Rain that falls over something that stays does not hide it.
    lit = [np.maximum(one, square(0.15)) for one in clip]
    assert all(part.stays[where()].all() for part in parts(lit, settings))


@pytest.mark.parametrize("value", [0, NEAR, -NEAR])
def test_noise_is_nothing(value):
    assert not bright(np.float32([value])).any()
    clip = dict.fromkeys(range(-4, 5), nothing() + np.float32(value))
    part = scene_part(clip, tracks(), seen_along(clip, tracks()), SETTINGS, STILL)
    assert not any(field.any() for field in part)


def test_pieces_are_kept_by_their_size():
    mask = STILL.copy()
    mask[10:14, 10:14] = mask[50:53, 50:55] = mask[80, 20:100] = True  # 16, 15, and a thin one of 80
    np.testing.assert_array_equal(large(mask, 15), opened(mask, 2))
    assert large(mask, 16).sum() == 16
    assert not large(mask, 17).any()
    assert not large(STILL, 1).any()


def test_what_unrelated_frames_have_in_common_is_chance(rng):
    noise = [rng.random((H, W)) < 0.4 for _ in range(7)]
    one, two, three = (size_of_chance(noise, length) for length in (1, 2, 3))
    assert one > two >= three >= LEAST_SIZE
    # Of longer runs than there are frames, what all have in common.
    assert size_of_chance(noise, 99) == size_of_chance(noise, 7)
    assert size_of_chance([STILL] * 3, 2) == LEAST_SIZE
    assert size_of_chance([~STILL] * 3, 2) == H * W
    # Pieces of that size are seldom found among others of the kind.
    other = [rng.random((H, W)) < 0.4 for _ in range(2)]
    assert large(np.logical_and(*other), two + 1).mean() < 0.01


@pytest.mark.parametrize("side", [2, 3, 4, 7])
def test_an_opening_is_one_of_squares_and_lies_in_what_it_opens(rng, side):
    mask = ndimage.zoom(rng.random((16, 16)) < 0.6, 5, order=0)
    mask[[0, -1]] = mask[:, [0, -1]] = False
    mask ^= rng.random(mask.shape) < 0.02
    expected = ndimage.binary_opening(np.pad(mask, side, mode="edge"), np.ones((side, side)))[side:-side, side:-side]
    np.testing.assert_array_equal(opened(mask, side)[2:-2, 2:-2], expected[2:-2, 2:-2])
    assert (mask | ~opened(mask, side)).all()
    assert not opened(STILL, side).any()


def test_a_mask_grows_to_all_sides():
    expected = STILL.copy()
    expected[38:48, 48:58] = True
    np.testing.assert_array_equal(grown(where(side=6), 2), expected)
    assert not grown(STILL, 3).any()
