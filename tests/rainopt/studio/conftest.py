import pytest

from tests.support.photos import save_photo
from tests.support.studio import Studio, session_of


@pytest.fixture
def photo(tmp_path):
    return save_photo(tmp_path / "in" / "a b.png")


@pytest.fixture
def studio(photo):
    """The page of one named photograph."""
    with session_of(photo) as session:
        yield Studio(session)
