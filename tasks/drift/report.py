"""What a drift run shows and says, wherever its environment runs."""

from collections.abc import Mapping
from dataclasses import dataclass

# So many differences are named in the message of a failed run; all of them are in the table.
NAMED = 5


class DriftFound(Exception):
    """The environment differs from its variable file; says where, and what to do."""


@dataclass(frozen=True)
class DriftReport:
    """What was compared (`scope`), the table of it, a sentence for each difference, and what to do about them."""

    scope: str
    rows: tuple[Mapping[str, object], ...]
    differing: tuple[str, ...]
    remedies: tuple[str, ...]

    def beside(self, other: "DriftReport") -> "DriftReport":
        """One report of both."""
        return DriftReport(
            f"{self.scope} and {other.scope}",
            (*self.rows, *other.rows),
            (*self.differing, *other.differing),
            (*self.remedies, *other.remedies),
        )

    @property
    def summary(self) -> str:
        """The report in a line."""
        number = len(self.differing)
        return f"{self.scope} compared, {number or 'no'} {'difference' if number == 1 else 'differences'}"

    def require_none(self) -> None:
        """Fail where something differs.

        Raises:
            DriftFound: names the first few differences, and what to do.
        """
        if self.differing:
            more = len(self.differing) - NAMED
            listed = "; ".join([*self.differing[:NAMED], *([f"and {more} more (see the table)"] if more > 0 else [])])
            raise DriftFound(f"{self.summary}: {listed}. {'. '.join(self.remedies)}.")
