import numpy as np
import pytest

from benchmarks.common import photograph
from benchmarks.pictures import CHOSEN_ON, HELD_OUT, MIDDLE, halved, pairs, rendered
from rainopt import write_image


def test_a_missing_truth_is_named(tree):
    (tree / "pairs/small/norain/b.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"'small': rain/b\.png has no norain/b\.png"):
        list(pairs(tree / "pairs/small"))


def test_rendered_rain_is_the_same_whatever_the_limit(tree):
    some, all_of_them = (list(rendered(tree / "clean", "medium", HELD_OUT, limit)) for limit in (1, None))
    assert [name for name, *_ in all_of_them] == ["1.png", "3.png"]
    assert some[0][0] == "1.png"
    assert np.array_equal(some[0][1], all_of_them[0][1])
    assert some[0][1].dtype == np.uint8
    lightly = next(rendered(tree / "clean", "light", HELD_OUT, 1))
    assert np.array_equal(lightly[2], some[0][2])
    assert not np.array_equal(lightly[1], some[0][1])


def test_halves_are_apart_and_cut_from_the_middle(tree):
    large = photograph(400, 601)
    write_image(tree / "clean/4.png", large)
    write_image(tree / "clean/5.png", np.dstack([large, large[:, :, :1]]))
    first, second = ({n: image for _, n, image in halved(tree / "clean", half)} for half in (CHOSEN_ON, HELD_OUT))
    assert list(first) == ["0.png", "2.png", "4.png"]
    assert list(second) == ["1.png", "3.png", "5.png"]
    assert np.array_equal(first["4.png"], large[40:360, 60:540])
    assert second["5.png"].shape == (*MIDDLE, 3)
    assert first["0.png"].shape == (96, 128, 3)
    for path in sorted((tree / "clean").iterdir())[1:]:
        path.unlink()
    assert not list(halved(tree / "clean", HELD_OUT))
