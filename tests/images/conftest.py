from collections.abc import Iterator

import pytest

from tests.images.containers import Workshop, workshop


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """A builder of the session's own."""
    with workshop(tmp_path_factory.mktemp("images")) as ready:
        yield ready
