from collections.abc import Generator

import pytest

from tests.agents.web_search.site import Site


@pytest.fixture(scope="module")
def site() -> Generator[Site]:
    """A site on 127.0.0.1."""
    running = Site()
    running.start()
    yield running
    running.stop()
