"""What a restore drill proved, store by store, against what the environment promises."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from tasks.drift.compared import Compared


class RestoreFailed(Exception):
    """A store cannot be restored as promised; says which, what differs, and what to do."""


@dataclass(frozen=True)
class Objective:
    """What is promised of a store: how much work may be lost (RPO), and how soon it is back (RTO)."""

    point: timedelta
    time: timedelta


@dataclass(frozen=True)
class Restoration:
    """One store's drill: what was restored, how long it took until it answered, and what was compared.

    `at_risk` is the age of the work that the newest copy lacked when the drill began. `remedy` says what to do when
    the drill fails.
    """

    store: str
    restored: str
    objective: Objective
    at_risk: timedelta
    took: timedelta
    compared: tuple[Compared, ...]
    remedy: str

    @property
    def faults(self) -> tuple[str, ...]:
        """What is not as it was or as it is promised; empty when the store was restored."""
        differing = tuple(
            f"{line.what}: expected {line.wanted!r}, found {line.found!r}" for line in self.compared if not line.agrees
        )
        late = () if self.took <= self.objective.time else (f"it took {_length(self.took)} until it answered",)
        old = (
            ()
            if self.at_risk <= self.objective.point
            else (f"the newest copy was missing the last {_length(self.at_risk)} of work",)
        )
        return (*differing, *late, *old)

    @property
    def row(self) -> dict[str, object]:
        """The store's line of the report."""
        return {
            "store": self.store,
            "restored": self.restored,
            "RPO": _length(self.objective.point),
            "at risk": _length(self.at_risk),
            "RTO": _length(self.objective.time),
            "took": _length(self.took),
            "verdict": "; ".join(self.faults) or "restored",
            # Last, for it is long: what is right of it is out of sight in the UI.
            "compared": "; ".join(f"{line.what}: {line.found}" for line in self.compared),
        }


def require_restored(restorations: Sequence[Restoration]) -> str:
    """What was restored, in one line.

    Raises:
        RestoreFailed: a store was not restored as promised.
    """
    failed = [each for each in restorations if each.faults]
    if failed:
        raise RestoreFailed(" ".join(f"{each.store}: {'; '.join(each.faults)}. {each.remedy}" for each in failed))
    return "; ".join(f"{each.store}: {each.restored} was restored in {_length(each.took)}" for each in restorations)


def _length(span: timedelta) -> str:
    """In the unit that a reader would choose."""
    seconds = span.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
