import numpy as np
import pytest

from rainnet.data import DataError
from rainnet.data.batches import dataset_for
from rainnet.programs.base import ExampleSpec
from rainnet.recipes.sections import DataSection
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


def brightness(dataset):
    return {round(float(dataset[k]["rainy"].mean()), 1) for k in range(12)}


def section(folder, **settings):
    return DataSection(train=(folder,), size=16, **settings)


@pytest.mark.parametrize("kind", ["pairs", "rainy"])
def test_nothing_is_trained_on_that_is_for_judging(parts, kind):
    assert brightness(dataset_for(section(parts, kind=kind), 0, ExampleSpec())) == {0.1}
    named = dataset_for(section(parts, kind=kind, split="test"), 0, ExampleSpec())
    assert brightness(named) == {0.9}


def test_what_is_validatord_on_is_not_trained_on(parts):
    validator = Validator.of_folders([parts], "rgb")
    assert [round(float(rainy.mean()) / 255, 1) for rainy, _ in validator.pairs] == [0.5]


def test_a_dataset_without_parts_is_trained_on_whole(parts):
    assert brightness(dataset_for(section(parts / "val", kind="pairs"), 0, ExampleSpec())) == {0.5}


def test_photographs_may_be_named_one_by_one(parts):
    file = parts / "test" / "rain" / "1.png"
    assert brightness(dataset_for(section(file, kind="rainy"), 0, ExampleSpec())) == {0.9}
    assert brightness(dataset_for(section(file, kind="single"), 0, ExampleSpec())) == {0.9}


def test_two_photographs_are_not_a_single_one(parts):
    both = DataSection(kind="single", train=(parts / "a.png", parts / "b.png"), size=16)
    with pytest.raises(DataError, match="one photograph is expected"):
        dataset_for(both, 0, ExampleSpec())
