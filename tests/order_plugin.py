"""Runs the files of long tests first, so that no worker begins one when the others have nothing left to do.

With pytest-xdist's `--no-loadscope-reorder` files are given out in this order; its own is by the number of their tests.
"""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    usual = float(config.getini("timeout"))
    longest: dict[str, float] = {}
    for item in items:
        # How long a test may take tells roughly how long it takes.
        limit = item.get_closest_marker("timeout")
        seconds = float(limit.args[0]) if limit is not None else usual
        longest[str(item.path)] = max(seconds, longest.get(str(item.path), 0))
    items.sort(key=lambda item: -longest[str(item.path)])
