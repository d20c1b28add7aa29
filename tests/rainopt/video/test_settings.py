"""All frames of a scene are treated alike: by the directions that most of them show, and the medians of the rest."""

import functools
import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rainopt
from rainopt import UDGWeights
from rainopt.direction.estimate import AngleEstimate, Direction, vote
from rainopt.direction.evidence import gather
from rainopt.direction.planes import work_planes
from rainopt.geometry.lines import line_angle
from rainopt.geometry.warp import Upright
from rainopt.image import luminance, quantise, split_channels
from rainopt.optim.objectives import RainPrior
from rainopt.optim.udg import SolverStatus
from rainopt.still.adaptive import PILOT_ITER, Removal, solve_adaptive
from rainopt.still.colour import RainLight, remove_layer
from rainopt.still.derain import decompose, remove_rain
from rainopt.still.rain import Streaks, removals_from
from rainopt.still.settings import DerainSettings, LayerSettings, StillSettings
from rainopt.video.settings import (
    ACHROMATIC,
    FRAME_TOL,
    PARALLEL,
    PILOT_ITERATIONS,
    SceneSettings,
    common_directions,
    derain_frame,
    iterations_for,
    scene_settings,
)
from tests.support.clips import rained, streaks, view

H, W = 96, 128


@functools.cache
def some(name="coffee", preset="medium"):
    """Three frames, far apart."""
    return rained(view(name, (H, W)), preset, 24)[::8]


def planes(frame):
    return split_channels(frame).colour


def everywhere(scene):
    """The colour of the rain of a scene as that of a photograph."""
    return np.array(scene.shares, np.float32)[:, None, None]


def shown(*angles):
    """Estimates of a frame each, that show rain at one angle or at several, or None."""
    estimates = []
    for angle in angles:
        several = () if angle is None else angle if isinstance(angle, tuple) else (angle,)
        estimates.append(AngleEstimate(0.0, 0.9, tuple(Direction(a, 1 / len(several)) for a in several)))
    return estimates


def angles_of(directions):
    return [direction.angle for direction in directions]


# The directions that most frames show


@pytest.mark.parametrize(
    ("angles", "found"),
    [
        # The median of the frames that show it.
        ((8, 10, 15), [10]),
        ((8, 10, None), [9]),
        ((8, 10, 11, -60), [10]),
        # Half of the frames are enough, and fewer are not.
        ((8, 8, None, None), [8]),
        ((8, None, None), []),
        ((8, 40, -30), []),
        ((), []),
        ((None, None, None), []),
        # A frame that shows a direction twice counts once.
        (((-7, 7), 0, None, None, None, None), []),
        (((-7, 7), 0, None, None), [0]),
        # That of more frames is the stronger.
        (((20, -15), (20, -15), 20, 20), [20, -15]),
        (((20, -15), (20, -15), -15, -15), [-15, 20]),
    ],
)
def test_a_direction_counts_where_half_of_the_frames_show_it(angles, found):
    directions = common_directions(shown(*angles))
    assert angles_of(directions) == found
    assert len(found) != 1 or directions[0].share == 1


@pytest.mark.parametrize(
    ("angles", "middle"), [((88, -88, 89), 89), ((-89, 89, -87), -89), ((90, 86, -86), 90), ((-86, 90, 86), 90)]
)
def test_the_horizontal_is_no_seam(angles, middle):
    (found,) = common_directions(shown(*angles))
    assert found.angle == pytest.approx(middle, abs=1e-9)


def test_two_directions_the_stronger_first_with_shares_that_add_up_to_one():
    estimates = [AngleEstimate(20.0, 0.9, (Direction(20.0 + k, 0.7), Direction(-15.0 - k, 0.3))) for k in range(3)]
    found = common_directions(estimates)
    assert angles_of(found) == [21, -16]
    assert [direction.share for direction in found] == pytest.approx([0.7, 0.3])
    # The second in one of four only: it is none.
    estimates = [AngleEstimate(20.0, 0.9, (Direction(20.0, 1.0),))] * 3 + estimates[:1]
    assert common_directions(estimates) == (Direction(20.0, 1.0),)


@given(st.lists(st.lists(st.floats(-89, 90), max_size=2), min_size=1, max_size=6))
def test_directions_are_apart_and_of_the_range(several):
    found = common_directions(shown(*(tuple(angles) for angles in several)))
    assert all(-90 < direction.angle <= 90 for direction in found)
    assert not found or sum(direction.share for direction in found) == pytest.approx(1)
    assert [direction.share for direction in found] == sorted((d.share for d in found), reverse=True)
    # Each is that of at least half of the frames.
    for direction in found:
        near = [any(abs(line_angle(a - direction.angle)) <= 2 * PARALLEL for a in angles) for angles in several]
        assert 2 * sum(near) >= len(several)


def test_the_order_of_frames_does_not_matter_for_directions(rng):
    estimates = [
        AngleEstimate(0.0, 0.9, (Direction(30 + rng.normal(0, 2), 0.6), Direction(-20 + rng.normal(0, 2), 0.4)))
        for _ in range(7)
    ]
    found = common_directions(estimates)
    for _ in range(5):
        again = common_directions([estimates[k] for k in rng.permutation(7)])
        np.testing.assert_allclose(again, found, atol=1e-9)


# The settings of a scene


def chosen(frames, **asked):
    return scene_settings(frames, DerainSettings(**asked))


def removals_of(scene):
    return [streaks.removal for streaks in scene.rain]


def test_it_is_the_median_over_the_frames():
    frames = some()
    found = chosen(frames)
    evidence = [gather(work_planes(frame)) for frame in frames]
    assert found.directions == common_directions([vote(seen) for seen in evidence])
    (direction,) = found.directions
    each = [removals_from(seen, found.directions, 1.0, H, W)[0] for seen in evidence]
    (removal,) = removals_of(found)
    assert removal.height == np.median([one.height for one in each])
    assert removal.parallel == np.median([one.parallel for one in each])
    upright = Upright(direction.angle, H, W)
    dense = [
        solve_adaptive(
            np.maximum(upright.forward(luminance(np.moveaxis(frame.astype(np.float32) / 255, -1, 0))), 0),
            removal._replace(dense=None),
            1,
        )[1]
        for frame in frames
    ]
    assert removal.dense == pytest.approx(np.median(dense), abs=1e-6)
    # All frames run as many iterations as the middle one needs to be within its tolerance.
    own = remove_rain(frames[1], found.rain, LayerSettings(tol=FRAME_TOL), np.uint8).solution
    assert own.status is SolverStatus.CONVERGED
    assert found.layers == LayerSettings(max_iter=own.iterations)
    assert found.gap == pytest.approx(own.gap / own.energy)


def test_it_finds_the_direction_of_the_rain():
    for name, preset in (("coffee", "medium"), ("chelsea", "light")):
        (direction,) = chosen(some(name, preset)).directions
        assert abs(line_angle(direction.angle - streaks(preset, np.random.default_rng(0)).angle)) < 2


def test_dry_frames_and_no_strength_have_no_direction():
    assert chosen(some(preset=None)) == SceneSettings()
    assert chosen(some(), strength=0) == SceneSettings()
    assert chosen(some(), strength=0, angle=10).directions == ()


def test_strength_goes_into_the_removals():
    frames, taken = some(), [0]
    for strength in (0.5, 1, 2):
        found = chosen(frames, strength=strength)
        assert [removal.strength for removal in removals_of(found)] == [strength]
        taken.append(float(np.sum(frames[0].astype(int) - derain_frame(frames[0], found))))
    assert taken == sorted(set(taken))


def test_what_is_given_is_taken_as_it_is(monkeypatch):
    weights = UDGWeights(sparsity=0.01)
    found = chosen(some(), angle=-33)
    assert found.directions == (Direction(-33.0, 1.0),)
    assert len(found.rain) == 1
    found = chosen(some(), weights=weights, max_iter=7, tol=0.1)
    assert found.directions == chosen(some()).directions
    assert removals_of(found) == [None]
    assert found.layers == LayerSettings(weights=weights, max_iter=7, tol=0.1)
    # Told both, it has nothing to learn but the colour.
    monkeypatch.setattr("rainopt.video.settings.gather", None)
    expected = SceneSettings((Streaks(Direction(7.0, 1.0)),), LayerSettings(weights=weights, max_iter=30))
    found = chosen(some(), angle=7, weights=weights, max_iter=30)
    assert replace(found, shares=ACHROMATIC, hides=0.0) == expected
    # But for how many iterations that takes.
    count, gap = iterations_for(some()[1], replace(expected, layers=LayerSettings(weights=weights)))
    found = chosen(some(), angle=7, weights=weights)
    assert found.layers.max_iter == count > 0
    assert found.gap == gap


def test_no_frame_is_refused():
    with pytest.raises(ValueError, match="at least one frame"):
        chosen([])


@pytest.mark.parametrize(
    "options", [{}, {"strength": 0}, {"angle": 3.3, "weights": UDGWeights(sparsity=0.01), "max_iter": 5, "tol": 0.1}]
)
def test_it_survives_a_file(options):
    frames = some()
    found = chosen(frames, **options)
    assert SceneSettings.from_json(json.loads(json.dumps(asdict(found)))) == found


# Frames


@pytest.mark.parametrize("preset", ["light", "medium", "heavy"])
def test_a_scene_of_one_frame_is_derained_as_a_photograph(preset):
    for number, frame in enumerate(some("chelsea", preset)[:2]):
        options = {"angle": streaks(preset, np.random.default_rng(0)).angle} if number else {}
        scene = chosen([frame], **options)
        ((direction, removal),) = scene.rain
        # But for its pilot, which is shorter, and so may tell a little other density.
        assert removal.pilot_iter == PILOT_ITERATIONS < PILOT_ITER
        scene = replace(scene, rain=(Streaks(direction, removal._replace(pilot_iter=PILOT_ITER, dense=None)),))
        alone = rainopt.derain(frame, max_iter=scene.layers.max_iter, tol=0, **options)
        # And it has one colour of rain for all places.
        assert scene.shares == pytest.approx(alone.colour.common.tolist(), abs=0.02)
        assert scene.hides == 0
        expected = quantise(np.moveaxis(remove_layer(planes(frame), alone.rain, everywhere(scene))[0], 0, -1), np.uint8)
        assert np.abs(derain_frame(frame, scene).astype(int) - expected).max() <= 1


def test_the_same_with_weights():
    frames = some()
    weights = UDGWeights(sparsity=0.01, lambda_y=0.03)
    asked = {"angle": 5, "weights": weights, "max_iter": 30, "tol": 0}
    scene = chosen(frames, **asked)
    # A photograph alone has its colour of rain by place.
    scenes = functools.partial(remove_rain, light=RainLight(scene.shares, scene.hides))
    expected = decompose(frames[1], StillSettings(**asked), remove=scenes).background
    assert np.abs(derain_frame(frames[1], scene).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("name", ["coffee", "chelsea"])
def test_rain_goes_and_nothing_is_brighter(name):
    frames = some(name)
    scene = chosen(frames)
    for frame in frames:
        got = derain_frame(frame, scene)
        assert (got <= frame).all()
        errors = [np.square(picture.astype(float) - view(name, (H, W))).mean() for picture in (frame, got)]
        assert errors[1] < 0.6 * errors[0]


def test_a_dry_frame_is_the_same_object():
    frame = view("coffee", (H, W))
    assert derain_frame(frame, SceneSettings()) is frame


def test_directions_that_are_known_are_not_looked_for():
    known = (Direction(9.0, 0.8), Direction(-30.0, 0.2))
    assert scene_settings(some(), DerainSettings(max_iter=5), known).directions == known
    # Nor is rain seen where none is known, and a wish is heard first.
    assert scene_settings(some(), DerainSettings(), ()) == SceneSettings()
    assert scene_settings(some(), DerainSettings(angle=3, max_iter=5), known).directions == (Direction(3.0, 1.0),)
    several = scene_settings(some(), DerainSettings(angle=(3, -40), max_iter=5), known)
    assert several.directions == (Direction(3.0, 0.5), Direction(-40.0, 0.5))
    assert len(several.rain) == 2


def test_what_is_known_of_the_rain_helps_and_no_trust_is_no_help():
    frame, truth = some()[1], view("coffee", (H, W))
    scene = chosen(some())
    grey = [luminance(np.moveaxis(one.astype(np.float32) / 255, -1, 0)) for one in (frame, truth)]
    excess = np.maximum(grey[0] - grey[1], 0)
    alone = derain_frame(frame, scene)
    far = [np.square(alone.astype(float) - truth).mean()]
    for trust in (0, 0.002, 0.1):
        known = RainPrior(excess=excess, trust=np.full((H, W), trust, np.float32))
        far.append(np.square(derain_frame(frame, scene, known).astype(float) - truth).mean())
    assert far[1] == pytest.approx(far[0], rel=1e-3)
    assert far[3] < far[2] < far[1]
    assert far[3] < 0.1 * far[1]


def test_two_directions_are_removed():
    removal = Removal(0.3, 1.0, 0.5)
    scene = SceneSettings((Streaks(Direction(10.0, 0.6), removal), Streaks(Direction(-40.0, 0.4), removal)))
    frame = some()[0]
    both, one = derain_frame(frame, scene), derain_frame(frame, replace(scene, rain=scene.rain[:1]))
    assert (both <= one).all()
    assert both.sum() < one.sum() < frame.sum()


def test_frames_of_16_bits():
    frames = some()
    deep = [frame.astype(np.uint16) * 257 for frame in frames]
    deeper, plain = chosen(deep), chosen(frames)
    np.testing.assert_allclose(deeper.directions, plain.directions, rtol=1e-4)
    np.testing.assert_allclose(removals_of(deeper), removals_of(plain), rtol=1e-3, atol=1e-4)
    got = derain_frame(deep[1], plain)
    assert got.dtype == np.uint16
    assert np.abs(got / 257 - derain_frame(frames[1], plain)).max() <= 0.51
    # It has levels between those of 8 bits.
    assert (got % 257 != 0).mean() > 0.1
