"""Seeded faults at named commit points: what can go wrong at one, and which cases a seed gives."""

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What happens at one call of a commit point."""

    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    ERROR = "error"
    DONE_BUT_TIMED_OUT = "done but timed out"
    SLOW = "slow"


@dataclass(frozen=True)
class CommitPoint:
    """A call after which something outside the process has changed; `target` is `module:qualified.name`.

    `calls` is how many calls of it one run makes at least: a fault strikes one of them.
    """

    name: str
    target: str
    calls: int = 1


@dataclass(frozen=True)
class Case:
    """One fault at one call (counted from 1) of one commit point."""

    point: CommitPoint
    fault: Fault
    call: int

    def __str__(self) -> str:
        """Short enough for a test's name."""
        return f"{self.point.name}-{self.fault.value.replace(' ', '-')}-call-{self.call}"

    def as_arguments(self) -> dict[str, object]:
        """What the child process needs to know, ready for JSON."""
        return asdict(self)


def cases(points: tuple[CommitPoint, ...], seed: int) -> Iterator[Case]:
    """Every fault at every point, in an order and at calls that follow from `seed` alone."""
    chance = random.Random(seed)  # noqa: S311 - for replay, not for secrets
    pairs = [(point, fault) for point in points for fault in Fault]
    chance.shuffle(pairs)
    for point, fault in pairs:
        yield Case(point, fault, chance.randint(1, point.calls))


def bounded(all_cases: list[Case]) -> list[Case]:
    """Few cases that between them visit every point and every fault, each case a new point or a new fault.

    Cases that are both are taken first: every case costs two starts of everything.
    """
    chosen: list[Case] = []
    for wanted in (2, 1):
        for case in all_cases:
            new_point = all(case.point != other.point for other in chosen)
            new_fault = all(case.fault != other.fault for other in chosen)
            if new_point + new_fault >= wanted:
                chosen.append(case)
    return chosen
