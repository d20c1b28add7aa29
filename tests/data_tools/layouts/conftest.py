"""Trees of empty files, which is all that a layout is told by."""

import pytest


@pytest.fixture
def data(tmp_path):
    """Make a tree of empty files under a folder whose name tells nothing."""

    def make(*names, root="data"):
        base = tmp_path / root
        for name in names:
            (base / name).parent.mkdir(parents=True, exist_ok=True)
            (base / name).touch()
        return base

    return make


@pytest.fixture(scope="session")
def rows():
    """Return what a layout holds, with names relative to its root."""

    def relative(layout):
        def name(path):
            return None if path is None else path.relative_to(layout.root).as_posix()

        return [(name(pair.rainy), name(pair.clean)) for pair in layout]

    return relative
