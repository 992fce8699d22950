"""Skips the layers whose programs are missing, fails them where REQUIRE_LAYERS names them, and prints a table."""

from collections import Counter
from collections.abc import Generator

import pytest

from tests.layers import LAYERS, layer_lines, missing_layers, required_layers

MARKERS = frozenset(layer.marker for layer in LAYERS)
RAN = pytest.StashKey[Counter[str]]()
MISSING = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RAN] = Counter()
    config.stash[MISSING] = missing_layers()
    absent = required_layers() & config.stash[MISSING].keys()
    if absent:
        reasons = "; ".join(f"{marker}: {config.stash[MISSING][marker]}" for marker in sorted(absent))
        raise pytest.UsageError(f"REQUIRE_LAYERS names layers that cannot run here: {reasons}")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, reason in item.config.stash[MISSING].items():
        if item.get_closest_marker(marker):
            pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    layers = MARKERS & {mark.name for mark in item.iter_markers()}
    if report.when == "call" and not report.skipped:
        item.config.stash[RAN].update(layers)
    elif report.skipped and (required := layers & required_layers()):
        # A skip that the layer's own absence does not explain would hide what this machine can run.
        report.outcome = "failed"
        report.longrepr = f"skipped, although REQUIRE_LAYERS names {sorted(required)!r}: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.section("layers")
    for line in layer_lines(config.stash[RAN], config.stash[MISSING]):
        terminalreporter.line(line)
