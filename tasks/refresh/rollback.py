"""Takes readers to a generation that is kept; nothing is built, so that it takes a moment."""

from dataclasses import dataclass
from datetime import UTC, datetime

from agents.knowledge.generation import Manifest
from agents.knowledge.holds import hold_of, holds, write_holds
from agents.knowledge.store import KnowledgeStore, UnknownGeneration
from agents.knowledge.turn import take_turn


@dataclass(frozen=True)
class Rollback:
    """The generation that serves now, the one that served before, and all that are kept, newest first."""

    generation: str
    left: str | None
    kept: tuple[Manifest, ...]

    @property
    def summary(self) -> str:
        """One line for a log and for the table of stages."""
        if self.left is None:
            return f"{self.generation} serves already, nothing was moved"
        return f"{self.generation} serves in place of {self.left}, which no refresh of the same documents brings back"


def roll_back(store: KnowledgeStore, generation: str) -> Rollback:
    """Make a kept generation the serving one, older or newer; what is left is held back from later refreshes.

    Going to a generation that is held back ends that hold. A refresh that is under way gives up.

    Raises:
        UnknownGeneration: it is not kept, or it was never completed; says which are.
        StoreUnavailable: the store does not answer.
    """
    kept = tuple(manifest for manifest in store.manifests() if manifest.state == "ready")
    target = next((manifest for manifest in kept if manifest.generation == generation), None)
    if target is None:
        names = ", ".join(manifest.generation for manifest in kept) or "none"
        raise UnknownGeneration(f"cannot go back to generation {generation!r}: kept are {names}")
    # Before what serves is read: a refresh that is under way has moved readers by now, or will not.
    take_turn(store, f"the return to generation {generation!r}", datetime.now(UTC))
    serving = store.serving()
    moves = serving is not None and serving.generation != generation
    others = [hold for hold in holds(store) if hold.generation != generation]
    if serving is not None and moves:
        others = [hold for hold in others if hold.generation != serving.generation]
        others.append(hold_of(serving, target, datetime.now(UTC)))
    # Before readers move: killed in between, the hold is on what still serves, and means nothing yet.
    write_holds(store, tuple(others))
    store.promote(generation)
    return Rollback(generation, serving.generation if serving is not None and moves else None, kept)


def forget_dropped_holds(store: KnowledgeStore) -> None:
    """Remove the holds on generations that are no longer kept, once what was gone back to does not serve any more.

    In a store that was restored, what was rolled back from is gone, and has to stay away.
    """
    kept, serving = {manifest.generation for manifest in store.manifests()}, store.serving()
    back = None if serving is None else serving.generation
    before = holds(store)
    after = tuple(hold for hold in before if hold.generation in kept or hold.back_to == back)
    if after != before:
        write_holds(store, after)
