import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """Compute in one thread: networks of these tests are so small that threads only wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
