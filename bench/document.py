"""docs/benchmarks.md: prose that people write, around tables that the benches write between markers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.record import Measured
from tasks.environment import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "benchmarks.md"


class InvalidDocument(Exception):
    """The document lacks the markers of a bench; says which."""


def replace_section(document: Path, name: str, section: str) -> None:
    """Put `section` between the markers of bench `name`.

    Raises:
        InvalidDocument: a marker is not there exactly once.
    """
    text = document.read_text(encoding="utf-8")
    begin, end = f"<!-- bench {name}: begin -->", f"<!-- bench {name}: end -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise InvalidDocument(f"{document} must hold {begin!r} and, after it, {end!r} exactly once")
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    document.write_text(f"{before}{begin}\n{section}\n{end}{after}", encoding="utf-8")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def provenance_line(record: Measured[Any]) -> str:
    """When and on what something was measured, as one sentence."""
    machine = record.machine
    versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    return (
        f"Measured {record.measured_at:%Y-%m-%d} on {machine.cores} cores ({machine.cpu}), {machine.memory_gib:g} GiB, "
        f"load average {machine.load:g} at the start; {versions}."
    )


def seconds(value: float) -> str:
    """A duration for a table: three significant figures, and no more than the reader needs."""
    if value < 1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.1f} s" if value < 100 else f"{value:,.0f} s"


def against(value: str, wanted: str, reached: bool) -> str:
    """A figure beside the one to reach."""
    return f"{value} ({'reached' if reached else 'missed'}: {wanted})"
