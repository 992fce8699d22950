"""Which tests one worker of pytest-xdist runs, and which of them begin first.

With `--dist loadgroup` the tests of a file stay together, and so do files that share what is costly to start: it runs
once then, and not once in each worker. With `--no-loadscope-reorder` the groups are given out in the order of here, the
long ones first, so that no worker begins one when the others have nothing left to do.
"""

import pytest

COSTLY_FIXTURES = ("kubernetes_cluster", "cluster_with_controllers", "ray_cluster", "plan_file")
COSTLY_MARKERS = ("opensearch",)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    usual = float(config.getini("timeout"))
    groups: dict[str, str] = {}
    longest: dict[str, float] = {}
    for item in items:
        file = file_of(item)
        groups.setdefault(file, file)
        shared = costly(item)
        if shared is not None:
            groups[file] = shared
        # How long a test may take tells roughly how long it takes.
        limit = item.get_closest_marker("timeout")
        longest[file] = max(float(limit.args[0]) if limit is not None else usual, longest.get(file, 0))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(groups[file_of(item)]))
    items.sort(key=lambda item: -longest[file_of(item)])


def file_of(item: pytest.Item) -> str:
    """The path of the test's file."""
    return item.nodeid.partition("::")[0]


def costly(item: pytest.Item) -> str | None:
    """What this test needs that is costly to start, if anything."""
    fixtures = item.fixturenames if isinstance(item, pytest.Function) else []
    needed = [name for name in COSTLY_FIXTURES if name in fixtures]
    needed += [name for name in COSTLY_MARKERS if item.get_closest_marker(name)]
    return needed[0] if needed else None
