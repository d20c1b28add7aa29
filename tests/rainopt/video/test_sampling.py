"""How much rain a stretch shows and how it falls, from some of its frames and those around them."""

import numpy as np
import pytest

from rainopt.direction.estimate import PRESENT
from rainopt.direction.evidence import Evidence
from rainopt.geometry.lines import line_angle
from rainopt.image import luminance
from rainopt.video.background import background_of_store
from rainopt.video.percentiles import NEAR
from rainopt.video.sampling import (
    Sample,
    coverage_of,
    luminance_of_float,
    pooled,
    sample_around,
    sample_over,
)
from rainopt.video.scene_part import TimeSettings
from rainopt.video.time_bound import luminance_of
from tests.support.clips import rained, seen_from, stored, streaks, view

H, W, COUNT = 96, 128, 16
EVERYWHERE = np.ones((H, W), bool)


def over(preset, **options):
    """A sample of a still camera."""
    store = stored(rained(view("coffee", (H, W)), preset, COUNT))
    return sample_over(store, [0, 5, 10, 15], background_of_store(store), EVERYWHERE, **options)


def around(preset, **options):
    """A sample of a camera that pans."""
    views = [seen_from("astronaut", 0, k // 2 - 4, (H, W)) for k in range(COUNT)]
    return sample_around(stored(rained(views, preset, COUNT)), **options)


@pytest.mark.parametrize("sampled", [over, around])
def test_rain_is_seen_with_its_direction_and_more_rain_covers_more(sampled):
    light, medium = sampled("light"), sampled("medium")
    for preset, found in (("light", light), ("medium", medium)):
        true = streaks(preset, np.random.default_rng(0)).angle
        assert found.estimate.confidence >= PRESENT
        assert abs(line_angle(found.estimate.angle - true)) < 4
        assert 0 < found.height <= 1
    # What stays for long must be the brighter the more it rains.
    assert sampled is around or light.least[-1] < medium.least[-1]
    assert 0.02 < light.coverage < medium.coverage < 0.8


@pytest.mark.parametrize("sampled", [over, around])
def test_without_rain_there_is_little_of_it_and_no_direction(sampled):
    found = sampled(None)
    assert found.coverage < 0.1
    assert found.estimate.confidence < PRESENT


def test_the_coverage_is_the_share_of_frames_that_are_brighter_than_the_background():
    scene = view("coffee", (H, W))
    frames = rained(scene, "light", COUNT)
    above = np.stack([luminance_of(frame) - luminance_of(scene) for frame in frames]) > NEAR
    found = coverage_of(background_of_store(stored(frames)))
    assert found == pytest.approx(np.median(above.mean(axis=0)), abs=0.07)


def test_the_height_is_one_that_nine_tenths_of_the_rain_do_not_exceed():
    scene = view("coffee", (H, W))
    above = np.stack([luminance_of(frame) - luminance_of(scene) for frame in rained(scene, "light", COUNT)])
    assert over("light").height == pytest.approx(np.quantile(above[above > NEAR], 0.9), rel=0.35)


def test_a_sample_tells_how_the_frames_around_one_help():
    found = over("light")
    assert found.time == TimeSettings(found.coverage, found.height, found.size, found.least)
    assert isinstance(found, Sample)


def test_what_is_not_valid_has_no_say():
    store = stored(rained(view("coffee", (H, W)), "light", COUNT))
    estimate = background_of_store(store)
    half = EVERYWHERE.copy()
    half[:, W // 2 :] = False
    covered = 1 - np.asarray(estimate.seen) - np.asarray(estimate.darker)
    assert coverage_of(estimate, half) == pytest.approx(np.median(covered[half]))
    # Where nothing is, all has.
    assert coverage_of(estimate, ~EVERYWHERE) == coverage_of(estimate)
    # As does what lies there.
    seen = sample_over(store, [0, 8], estimate, half)
    assert abs(line_angle(seen.estimate.angle - streaks("light", np.random.default_rng(0)).angle)) < 5


@pytest.mark.parametrize("count", [3, 4, 7])
def test_short_stretches_have_a_sample(count):
    found = sample_around(stored(rained(view("coffee", (H, W)), "light", count)))
    assert 0 <= found.coverage <= 1
    assert found.size >= 1


def test_evidence_of_several_pictures_is_that_of_all():
    one, two = ((np.arange(3), np.ones(3)), (np.arange(3, 5), np.zeros(2)))
    fields = len(Evidence._fields)
    together = pooled([Evidence(*[one[k % 2] for k in range(fields)]), Evidence(*[two[k % 2] for k in range(fields)])])
    for k, field in enumerate(together):
        np.testing.assert_array_equal(field, np.concatenate([one[k % 2], two[k % 2]]))


def test_the_luminance_of_a_background_is_that_of_pictures(rng):
    picture = rng.random((7, 9, 3)).astype(np.float32)
    np.testing.assert_allclose(luminance_of_float(picture), luminance(np.moveaxis(picture, -1, 0)), atol=1e-6)
