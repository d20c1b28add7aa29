"""Docstrings as texts."""

from rainnet.inventory.docs import about, attributes, source
from rainnet.zoo import NETWORKS


class Described:
    """One line.

    Attributes
    ----------
    one, two
        Both of `them`,
        on two lines.
    three : int
        With its kind.

    Raises
    ------
    ValueError
        Never.
    """


def test_attributes_are_read_and_nothing_else():
    both = "Both of them, on two lines."
    assert attributes(Described) == {"one": both, "two": both, "three": "With its kind."}
    assert attributes(int) == {}
    assert attributes(type("Bare", (), {})) == {}


def test_every_network_of_ours_says_what_it_is_and_what_its_fields_mean():
    for entry in NETWORKS.values():
        assert about(entry.model).endswith(".")
        assert "et al." in source(entry.model)
        assert set(attributes(entry.model.Config)) == set(entry.model.Config.__dataclass_fields__)
