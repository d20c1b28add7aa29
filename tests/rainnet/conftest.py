import pytest
import torch


@pytest.fixture(autouse=True)
def _one_thread():
    """Compute in one thread, whatever a command has set: here networks are so small that threads only wait."""
    torch.set_num_threads(1)
