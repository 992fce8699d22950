"""Seeded faults at named commit points: what can go wrong at one, and which cases a seed gives."""

import random
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum

STRUCK = "the fault of the case strikes now"
"""A line of the output of every run that came to the commit point of its case."""


class Fault(StrEnum):
    """What happens at one call of a commit point."""

    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    ERROR = "error"
    DONE_BUT_TIMED_OUT = "done but timed out"
    SLOW = "slow"


class WireFault(StrEnum):
    """What happens to one request on its way to a server; the last three, to a part of a bulk request."""

    BUSY = "answered 429"
    FAILED = "answered 500"
    UNAVAILABLE = "answered 503"
    SLOW = "done late"
    TIMED_OUT = "answered 504 while it is done"
    CUT_AFTER = "done and then cut"
    AWAY_AFTER = "done and then away"
    PART_BUSY = "part answered 429"
    PART_FAILED = "part answered 503"
    PART_BOTH = "part answered 429 and 503"


BULK_FAULTS = (WireFault.PART_BUSY, WireFault.PART_FAILED, WireFault.PART_BOTH)
# Of these a run may hear nothing: the client tries again.
PASSING = (WireFault.UNAVAILABLE, WireFault.SLOW, WireFault.TIMED_OUT, WireFault.CUT_AFTER, WireFault.PART_BUSY)


@dataclass(frozen=True)
class CommitPoint:
    """A call after which something outside the process has changed; `target` is `module:qualified.name`.

    A fault strikes one of `calls` calls, of which the `first` one counts from 1; a run makes at least so many.
    """

    name: str
    target: str
    calls: int = 1
    first: int = 1

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What can happen at it."""
        return tuple(Fault)


@dataclass(frozen=True)
class WirePoint:
    """A request that has a server change something: its method, and a pattern of its whole path.

    `calls` and `first` are as for `CommitPoint`.
    """

    name: str
    method: str
    path: str
    calls: int = 1
    first: int = 1

    @property
    def faults(self) -> tuple[WireFault, ...]:
        """What can happen to it."""
        bulk = self.path.endswith("/_bulk")
        return tuple(fault for fault in WireFault if bulk or fault not in BULK_FAULTS)

    def is_met_by(self, method: str, path: str) -> bool:
        """Whether this is such a request."""
        return method == self.method and re.fullmatch(self.path, path) is not None


class ProcessFault(StrEnum):
    """What happens to a process that a flow leans on."""

    KILLED = "killed"


@dataclass(frozen=True)
class ProcessPoint:
    """A process that a flow leans on, while it does so: `title` is a part of its command line."""

    name: str
    title: str
    calls: int = 1
    first: int = 1

    @property
    def faults(self) -> tuple[ProcessFault, ...]:
        """What can happen to it."""
        return tuple(ProcessFault)


Point = CommitPoint | WirePoint | ProcessPoint


@dataclass(frozen=True)
class Case:
    """One fault at one call (counted from 1) of one commit point."""

    point: Point
    fault: Fault | WireFault | ProcessFault
    call: int

    def __str__(self) -> str:
        """Short enough for a test's name."""
        return f"{self.point.name}-{self.fault.value.replace(' ', '-')}-call-{self.call}"

    def as_arguments(self) -> dict[str, object]:
        """What the child process needs to know, ready for JSON."""
        return asdict(self)


def cases(points: tuple[Point, ...], seed: int) -> Iterator[Case]:
    """Every fault at every point, in an order and at calls that follow from `seed` alone."""
    chance = random.Random(seed)  # noqa: S311 - for replay, not for secrets
    pairs = [(point, fault) for point in points for fault in point.faults]
    chance.shuffle(pairs)
    for point, fault in pairs:
        yield Case(point, fault, chance.randint(point.first, point.first + point.calls - 1))


def bounded(all_cases: list[Case], most: int | None = None) -> list[Case]:
    """Few cases that between them visit every point and every fault, each case a new point or a new fault.

    Cases that are both are taken first, and no more than `most`: every case costs two starts of everything.
    """
    chosen: list[Case] = []
    for wanted in (2, 1):
        for case in all_cases:
            new_point = all(case.point != other.point for other in chosen)
            new_fault = all(case.fault != other.fault for other in chosen)
            if new_point + new_fault >= wanted:
                chosen.append(case)
    return chosen[:most]
