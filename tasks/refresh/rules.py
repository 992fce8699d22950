"""What a refresh may do by itself."""

from dataclasses import dataclass

from agents.knowledge.deletions import DeletionGuard
from tasks.refresh.gate import GateRules


@dataclass(frozen=True)
class RefreshRules:
    """Which generations may serve and stay, and how much may be deleted.

    `deletions_confirmed` is a person's word for this one refresh. `sources_replaced` says that a person gave this
    refresh other sources: that those before are no longer listed is meant, and only what the given ones lose is not.
    """

    generations_kept: int
    gate: GateRules
    guard: DeletionGuard
    deletions_confirmed: bool
    sources_replaced: bool
