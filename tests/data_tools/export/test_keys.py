"""Names of samples: plain, and no two alike."""

from hypothesis import given
from hypothesis import strategies as st

from data_tools.export.keys import make_keys

ODD = [
    "a b",
    "a_b",
    "a.b",
    "a/b",
    "a__b",
    "ä",
    "雨",
    "雪",
    "A_B",
    "",
    "x" * 300,
    "x" * 301,
    "\udcff",
    "../..",
    "a\nb",
    "-",
]


def test_keys_of_odd_names_differ():
    names = [(name, "") for name in ODD] + [("a", "1.png"), ("a", "2.png")]
    keys = make_keys(names)
    assert len({key.lower() for key in keys}) == len(names)
    assert all(set(key) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") for key in keys)
    assert all(0 < len(key) <= 80 for key in keys)
    assert make_keys([("train/s1/000", "")]) == ["train__s1__000"]


@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=4), unique=True))
def test_keys_never_meet(names):
    keys = make_keys([(name, "") for name in names])
    # Not even where a name is the key of another.
    both = [*names, *(key for key in keys if key not in names)]
    assert len({key.lower() for key in make_keys([(name, "") for name in both])}) == len(both)
