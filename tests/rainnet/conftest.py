import pytest
import torch

import rainnet
from rainnet import zoo
from tests.support.toy import in_zoo
from tests.support.udgnet import random_udgnet


@pytest.fixture(autouse=True)
def _one_thread():
    """Compute in one thread, whatever a command has set: here networks are so small that threads only wait."""
    torch.set_num_threads(1)


@pytest.fixture
def toy():
    """Have the toy network in the table."""
    with in_zoo() as entry:
        yield entry


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """The file of a small network."""
    return rainnet.save(random_udgnet(), tmp_path_factory.mktemp("model") / "tiny.safetensors")


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Pretend that a distribution is installed which names networks by entry points."""

    def install(**points):
        folder = tmp_path / "others-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
        lines = "\n".join(f"{name} = {place}" for name, place in points.items())
        (folder / "entry_points.txt").write_text(f"[{zoo.GROUP}]\n{lines}\n")
        monkeypatch.syspath_prepend(tmp_path)

    return install
