"""A folder with three pictures to work on."""

import pytest

from tests.support.datasets import put, waves


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for k, name in enumerate(("ä [x].png", "b.png", "c.png")):
        put(tmp_path / "photos" / name, waves((64, 96), k))
    return tmp_path
