import numpy as np
import pytest

from benchmarks.peers import stills
from benchmarks.peers.plain_stills import bilateral, guided, median_across, printed_udg
from benchmarks.peers.stills import Pair, of_folder, outcome
from rainopt import UDGWeights

FILTERS = {
    "median": lambda image: median_across(image, 5),
    "bilateral": lambda image: bilateral(image, 0.3),
    "guided": lambda image: guided(image, 2, 0.01),
    "printed": lambda image: printed_udg(image, 10.0, UDGWeights.paper(0.005, 0.05, 0.02), 20, 1.05),
}


@pytest.mark.parametrize("name", FILTERS)
def test_nothing_is_taken_from_an_even_picture(name):
    image = np.full((30, 40, 3), 0.4, np.float32)
    np.testing.assert_allclose(FILTERS[name](image), image, atol=1e-5)


@pytest.mark.parametrize("name", FILTERS)
def test_a_streak_becomes_weaker(name):
    image = np.full((30, 40, 3), 0.4, np.float32)
    image[:, 20] += 0.3
    result = FILTERS[name](image)
    assert result.shape == image.shape
    assert result[5:25, 20].mean() < (0.41 if name == "median" else 0.695)
    if name != "printed":
        assert (result <= image + 1e-6).all()


def test_the_best_setting_is_the_one_with_the_largest_gain():
    clean = np.full((8, 8, 3), 100, np.uint8)
    rainy = clean + 10
    cases = [Pair(rainy, clean, 0.0, "one"), Pair(rainy, clean, 0.0, "two")]
    ways = {"nothing": lambda pair: pair.rainy / 255, "half": lambda pair: (pair.clean + 5.0) / 255}
    clock, result = outcome(ways, cases)
    assert result["setting"] == "half"
    assert result["psnr_gain_db"] == pytest.approx(20 * np.log10(2), abs=0.01)
    assert set(result["gain_db"]) == {"one", "two"}
    assert len(clock.seconds) == 2


def test_pairs_of_a_folder_come_with_their_angle(tree):
    found = list(of_folder(tree, 2))
    assert [pair.group for pair in found] == ["small", "small"]
    assert [pair.angle for pair in found] == pytest.approx([10, -15], abs=3)


def test_rendered_pairs_are_as_large_as_told():
    first = next(stills.rendered(("medium",)))
    assert first.rainy.shape == first.clean.shape == (*stills.SHAPE, 3)
