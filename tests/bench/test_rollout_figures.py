"""What the bench of the rollout says of what it measured."""

from dataclasses import replace
from datetime import UTC, datetime

from bench.record import Machine, Measured
from bench.rollout import RolledOut, Unchanged, tables

MACHINE = Machine(2, 23.5, "A CPU", 0.25, {"Python": "3.11.7"})
ROLLED_OUT = RolledOut(
    releases=15,
    together=60.0,
    one_by_one=180.0,
    unchanged=(Unchanged(5, 5.0, 70, 0), Unchanged(10, 8.0, 120, 0), Unchanged(15, 12.0, 170, 0)),
)


def shown(result: RolledOut) -> str:
    return tables(Measured(datetime(2026, 1, 2, tzinfo=UTC), MACHINE, result))


def test_what_is_reached_stands_beside_its_aim() -> None:
    section = shown(ROLLED_OUT)
    assert "| the same in dependency order, together | 60.0 s, **3.0 times as fast** (reached: at least 2) |" in section
    assert "| 15 releases with nothing to change | 12.0 s (reached: under 20 s) |" in section
    assert "| new revisions then | 0 (reached: none) |" in section
    assert "| requests for each further release | 10 and 10 |" in section


def test_what_is_missed_is_said() -> None:
    slow = replace(ROLLED_OUT, one_by_one=90.0, unchanged=(Unchanged(5, 5.0, 70, 0), Unchanged(15, 21.0, 170, 2)))
    section = shown(slow)
    assert "**1.5 times as fast** (missed: at least 2)" in section
    assert "21.0 s (missed: under 20 s)" in section
    assert "| new revisions then | 2 (missed: none) |" in section
