"""What a plan costs by the month before and after it."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class CostLine:
    """One resource: US dollars a month before and after the apply, when nobody uses it."""

    address: str
    before_usd: float
    after_usd: float

    @property
    def delta_usd(self) -> float:
        """What the apply adds, in US dollars a month."""
        return self.after_usd - self.before_usd


@dataclass(frozen=True)
class Unpriced:
    """Resources of one type that the totals leave out, and why, such as a price per use."""

    type: str
    reason: str
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class CostDelta:
    """The idle monthly cost of what a plan covers, in US dollars, from a table of list prices.

    Free resources have no line. `as_of` and `source` are the table's.
    """

    lines: tuple[CostLine, ...]
    unpriced: tuple[Unpriced, ...]
    as_of: date
    source: tuple[str, ...]

    @property
    def total_before(self) -> float:
        """US dollars a month before the apply."""
        return sum(line.before_usd for line in self.lines)

    @property
    def total_after(self) -> float:
        """US dollars a month after the apply."""
        return sum(line.after_usd for line in self.lines)

    @property
    def delta(self) -> float:
        """What the apply adds, in US dollars a month."""
        return self.total_after - self.total_before
