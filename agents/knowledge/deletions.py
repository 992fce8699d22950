"""A listing that would take much away is not believed at once: a lost mount looks like a source that was emptied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.knowledge.generation import Manifest
from agents.knowledge.refusal import RefreshRefused

ROWS = 200
NAMED = 3


@dataclass(frozen=True)
class DeletionGuard:
    """A refresh may delete up to `documents`, or up to `percent` of what serves; more than both is withheld."""

    documents: int
    percent: float

    def allows(self, documents: int, of: int) -> bool:
        """Whether so many documents may be lost of those that serve."""
        return documents <= self.documents or 100 * documents / of <= self.percent

    @property
    def exceeded(self) -> str:
        """What is more than may be lost, in words."""
        return f"more than {self.documents} documents and more than {self.percent:g} %"


class DeletionsWithheld(RefreshRefused):
    """The sources no longer list so many documents that somebody has to confirm that they are to go."""


def require_small_deletions(
    serving: Manifest | None, deleted: Sequence[str], vanished: Mapping[str, str], guard: DeletionGuard
) -> None:
    """Let deletions pass that are few; `vanished` says by source name why a whole source lists nothing.

    Raises:
        DeletionsWithheld: more documents would go than the guard allows, or a whole source; nothing was changed.
    """
    if serving is None or not deleted:
        return
    share = 100 * len(deleted) / len(serving.documents)
    gone = sorted(name for name in vanished if any(serving.documents[uri].source == name for uri in deleted))
    if not gone and guard.allows(len(deleted), len(serving.documents)):
        return
    because = f" ({'; '.join(vanished[name] for name in gone)})" if gone else ""
    limits = "a whole source" if gone else guard.exceeded
    raise DeletionsWithheld(
        f"this refresh would delete {len(deleted)} of {len(serving.documents)} documents ({share:.0f} %), such as "
        f"{', '.join(deleted[:NAMED])}{because}: that is {limits}, so nothing was changed and "
        f"{serving.generation!r} serves on. If they are to go, run it again with confirm_deletions=true; otherwise "
        "bring the source back, or have what it lists be readable, and run it again.",
        tuple({"document": uri, "source": serving.documents[uri].source} for uri in deleted[:ROWS]),
    )
