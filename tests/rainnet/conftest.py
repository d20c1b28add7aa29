import pytest
import torch

import rainnet
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
