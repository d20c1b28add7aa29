"""A dataset of four scenes, one of them doubtful, and its page."""

import pytest

from tests.support.reviews import DOUBTFUL, GOOD, reviewable, reviewing


@pytest.fixture
def dataset(tmp_path):
    # From the most uncertain scene to the least: 2, 0, 1, 3.
    facts = {0: GOOD | {"sharpness": 0.93}, 1: GOOD | {"sharpness": 0.96}, 2: DOUBTFUL, 3: GOOD | {"sharpness": 1.1}}
    return reviewable(tmp_path / "set", scenes=4, facts=facts)


@pytest.fixture
def page(dataset):
    with reviewing(dataset) as (client, _):
        yield client
