"""What was looked at beside what it should be."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Compared:
    """One thing as it is wanted and as it was found."""

    what: str
    wanted: str
    found: str

    @property
    def agrees(self) -> bool:
        """Whether it is as it is wanted."""
        return self.wanted == self.found
