import pytest


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, being the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAINOPT_NUM_THREADS", raising=False)
    return tmp_path
