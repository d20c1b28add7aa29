"""Scores tell acceptance from doubt, and uncertainty comes first where the measure is least sure."""

import pytest

from data_tools.build.marks import DRIFTS, SHARP, SHORT
from data_tools.decisions.scenes import Scene, group
from data_tools.manifest.record import ManifestHeader, PairRecord
from data_tools.review.order import accepts_from, judge, measures
from tests.support.reviews import DOUBTFUL, GOOD


def scene(*facts):
    records = [PairRecord(id=str(k), rainy=f"{k}.png", clean="c.png", **its) for k, its in enumerate(facts)]
    return Scene("c", tuple(records))


@pytest.mark.parametrize(
    ("measure", "value"), [("sharpness", SHARP), ("drift", DRIFTS), ("expected_psnr", 40 - SHORT), ("valid_share", 0.5)]
)
def test_at_a_threshold_the_score_is_half_and_uncertainty_highest(measure, value):
    found = judge(scene(GOOD | {measure: value}), 40.0)
    assert (found.score, found.uncertainty) == (0.5, 0.5)
    for other in (0.97 * value, 1.03 * value):
        assert judge(scene(GOOD | {measure: other}), 40.0).uncertainty < 0.5


def test_the_worst_pair_tells_of_a_scene_and_doubts_come_first():
    good, doubtful = judge(scene(GOOD), 40.0), judge(scene(GOOD, DOUBTFUL), 40.0)
    assert doubtful.score == judge(scene(DOUBTFUL), 40.0).score < 0.5 <= good.score
    assert doubtful.uncertainty > 0.5 >= good.uncertainty
    assert (good.automatic, doubtful.automatic) == ("accepted", "review")
    assert doubtful.doubts == tuple(DOUBTFUL["doubts"])


def test_a_doubt_that_no_measure_tells_is_below_acceptance_too():
    found = judge(scene(GOOD | {"status": "review", "doubts": ["dense rain"]}), 40.0)
    assert found.score < 0.5


def test_rendered_rain_has_nothing_to_doubt():
    found = judge(scene({}), 40.0)
    assert (found.score, found.uncertainty, found.automatic) == (1.0, 0.0, "accepted")
    assert measures(scene({}).records) == {}


def test_what_is_asked_for_stands_in_the_header():
    assert accepts_from(ManifestHeader.parse({"build": {"accept": 35.0}})) == 35.0
    assert accepts_from(ManifestHeader()) == accepts_from(ManifestHeader.parse({"build": "odd"})) == 40.0
    facts = GOOD | {"expected_psnr": 30.0}
    assert judge(scene(facts), 35.0).score > 0.5 > judge(scene(facts), 40.0).score


def test_a_scene_is_what_has_one_background():
    def record(name, **more):
        return PairRecord(id=name, rainy=f"{name}.png", **more)

    records = [
        record("v/0_1", clean="clean/v/000000.png", scene="v/000"),
        record("v/0_2", clean="clean/v/000000.png", scene="v/000"),
        record("v/9_9", clean="clean/v/000009.png", scene="v/000"),
        record("f1", scene="lapse/000"),
        record("f2", scene="lapse/000"),
        record("lone"),
    ]
    found = {name: [one.id for one in its.records] for name, its in group(records).items()}
    assert found == {"v/000000": ["v/0_1", "v/0_2"], "v/000009": ["v/9_9"], "lapse/000": ["f1", "f2"], "lone": ["lone"]}
