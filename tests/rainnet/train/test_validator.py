"""Validation while training."""

import numpy as np
import pytest

from rainnet.recipes.sections import ValidationSection
from rainnet.train.build import build_program
from rainnet.train.loop import train
from rainnet.train.run_folder import RunFolder
from rainnet.train.validator import Validator
from rainnet.weights.checkpoint import load
from rainopt import psnr, read_image, write_image
from tests.support.toy import Watcher
from tests.support.udgnet import batches_of, example, udgnet_recipe


@pytest.fixture
def pair():
    return tuple(np.moveaxis(example(3)[name].numpy(), 0, -1) for name in ("rainy", "clean"))


def test_the_best_is_kept(tmp_path, pair):
    validator = Validator([pair], "rgb")
    recipe = udgnet_recipe(steps=4)
    recipe = recipe.model_copy(update={"validation": recipe.validation.model_copy(update={"every": 2})})
    watcher, folder = Watcher(), RunFolder(tmp_path / "run")
    train(recipe, folder, batches_of(2), watcher, validator=validator, device="cpu")
    assert [number for number, _, _ in watcher.scores] == [2, 4]
    scores = [told["psnr_rgb"] for _, told, _ in watcher.scores]
    assert validator(load(folder.best))["psnr_rgb"] == pytest.approx(max(scores))
    assert watcher.scores[0][2]
    # The network is judged, also where the solver would leave the picture alone.
    assert scores[0] != scores[1]


def test_it_is_on_the_pairs_of_any_layout(tmp_path, pair):
    for part, image in zip(("rain", "norain"), pair, strict=True):
        (tmp_path / part).mkdir()
        write_image(tmp_path / part / "1.png", image)
    validator = Validator.of_section(ValidationSection(data=(tmp_path,)))
    before = psnr(read_image(tmp_path / "rain/1.png"), read_image(tmp_path / "norain/1.png"), "y_matlab")
    assert validator(build_program(udgnet_recipe()).network)["psnr_y_matlab"] == pytest.approx(before)
    write_image(tmp_path / "norain" / "1.png", pair[1][:-1])
    with pytest.raises(ValueError, match=r"rain/1.png' is \(24, 24\) and .*\(23, 24\) pixels"):
        Validator.of_section(ValidationSection(data=(tmp_path,)))
    with pytest.raises(ValueError, match="at least one pair"):
        Validator([], "rgb")
    place = tmp_path / "jrgr" / "Ot"
    place.mkdir(parents=True)
    write_image(place / "1.png", pair[0])
    with pytest.raises(ValueError, match=r"jrgr' cannot be validated on: none of its rainy pictures has a clean one"):
        Validator.of_section(ValidationSection(data=(tmp_path / "jrgr",)))
