"""Results that another program has left in a folder."""

import pytest

from data_tools.layouts.read import Pair, read_dataset
from rainnet.evaluate.compare import chosen_pairs, evaluate
from rainnet.evaluate.methods import Results, find_methods
from tests.support.datasets import put
from tests.support.pairs import clean, rain100, with_manifest

OTHERS = ("norain/rain-001.png", "rain-002_compare.png", "rain-001.jpg", ".hidden/rain-010.png")


@pytest.mark.parametrize(
    "places",
    [
        ["rain/rain-001.png", "rain/rain-002.webp", "rain/rain-010.tif"],
        ["a/b/rain-001.png", "c/rain-002.png", "rain-010.png"],
        # Beside other files of the same name, the place as in the dataset counts,
        ["rain/rain-001.png", "rain/rain-002.png", "rain/rain-010.png", "norain/rain-001.png", "rain-002_compare.png"],
        # and beside others of the same place, the suffix.
        ["rain-001.png", "rain-001.jpg", "rain-002.png", "rain-010.png", ".hidden/rain-010.png"],
    ],
)
def test_they_are_found_by_place_or_name_whatever_their_suffix(tmp_path, places):
    for place in places:
        put(tmp_path / "out" / place, clean(1))
    root = rain100(tmp_path / "data")
    pairs = chosen_pairs(read_dataset(root))
    found = Results("out", tmp_path / "out").match(pairs, root)
    assert [found[pair.rainy] for pair in pairs] == [tmp_path / "out" / name for name in places if name not in OTHERS]


def test_a_file_is_not_the_result_of_two_pictures(tmp_path):
    root, out = tmp_path / "data", tmp_path / "out"
    put(out / "1.png", clean(1))
    pairs = [Pair(root / part / "1.png", None, part, None, f"{part}/1") for part in ("a", "b")]
    found = Results("out", out).match(pairs, root)
    assert all("shares the result" in place and "1.png" in place for place in found.values())
    (out / "1.png").unlink()
    put(out / "x" / "1.png", clean(1))
    put(out / "y" / "1.png", clean(1))
    assert all("several results" in place for place in Results("out", out).match(pairs, root).values())
    put(out / "a" / "1.png", clean(1))
    put(out / "b" / "1.png", clean(1))
    found = Results("out", out).match(pairs, root)
    assert [place.relative_to(out).as_posix() for place in found.values()] == ["a/1.png", "b/1.png"]


def test_they_are_found_by_the_ids_of_a_manifest(tmp_path):
    root = with_manifest(tmp_path / "data")
    for k in (1, 2, 3):
        put(tmp_path / "out" / f"scene{k}.png", clean(k))
    (method,) = evaluate(find_methods([str(tmp_path / "out")]), read_dataset(root)).methods
    assert method.equal("y_matlab") == 3
