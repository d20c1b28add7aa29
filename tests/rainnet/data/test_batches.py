"""Which part of a dataset a recipe trains on, and which it validates on."""

import numpy as np
import pytest

from rainnet.data import DataError
from rainnet.data.batches import dataset_for
from rainnet.programs.base import ExampleSpec
from rainnet.recipes.sections import DataSection, ValidationSection
from rainnet.train.validator import Validator
from rainopt import write_image


@pytest.fixture
def parts(tmp_path):
    """A dataset whose pairs tell by their brightness which part they are of."""
    for level, part in ((0.1, "train"), (0.5, "val"), (0.9, "test")):
        for kind in ("rain", "norain"):
            (tmp_path / part / kind).mkdir(parents=True)
            write_image(tmp_path / part / kind / "1.png", np.full((24, 24, 3), level))
    return tmp_path


def brightness(*folders, **settings):
    data = dataset_for(DataSection(train=folders, size=16, **settings), 0, ExampleSpec())
    return {round(float(data[k]["rainy"].mean()), 1) for k in range(12)}


def test_nothing_is_trained_on_that_is_for_judging(parts):
    for kind in ("pairs", "rainy"):
        assert brightness(parts, kind=kind) == {0.1}
        assert brightness(parts, kind=kind, split="test") == {0.9}
        assert brightness(parts / "val", kind=kind) == {0.5}  # without parts, all of it
    judged = Validator.of_section(ValidationSection(data=(parts,), protocol="rgb"))
    assert [round(float(rainy.mean()) / 255, 1) for rainy, _ in judged.pairs] == [0.5]


def test_photographs_may_be_named_one_by_one(parts):
    file = parts / "test" / "rain" / "1.png"
    assert brightness(file, kind="rainy") == brightness(file, kind="single") == {0.9}
    with pytest.raises(DataError, match="one photograph is expected"):
        brightness(file, file, kind="single")
