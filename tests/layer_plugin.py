"""Skips the layers whose programs are missing, fails them where REQUIRE_LAYERS names them, and prints a table."""

from collections import Counter
from collections.abc import Generator, Mapping

import pytest

from tests.layers import LAYERS, layer_lines, missing_layers, required_layers

MARKERS = frozenset(layer.marker for layer in LAYERS)
MISSING = pytest.StashKey[dict[str, str]]()


class LayerTable:
    """Counts what ran, from the reports: with pytest-xdist these reach the main process, the tests do not."""

    def __init__(self, missing: Mapping[str, str]) -> None:
        self.missing = missing
        self.ran = Counter[str]()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and not report.skipped:
            self.ran.update(MARKERS & report.keywords.keys())

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("layers")
        for line in layer_lines(self.ran, self.missing):
            terminalreporter.line(line)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[MISSING] = missing_layers()
    config.pluginmanager.register(LayerTable(config.stash[MISSING]))
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
    if report.skipped and (required := MARKERS & {mark.name for mark in item.iter_markers()} & required_layers()):
        # A skip that the layer's own absence does not explain would hide what this machine can run.
        report.outcome = "failed"
        report.longrepr = f"skipped, although REQUIRE_LAYERS names {sorted(required)!r}: {report.longrepr}"
    return report
