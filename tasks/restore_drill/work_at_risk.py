"""How much work would be lost with a knowledge store, reckoned from its generations and the copies of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from agents.knowledge.generation import Manifest


def work_at_risk(
    serving: Manifest, held: Iterable[Manifest], taken: Mapping[str, datetime], now: datetime, known: str | None
) -> timedelta:
    """How old the oldest work is that no copy has: of what serves, and of the generations `held` since the last copy.

    `taken` is as of `Copies`, and `known` the newest copy when the last drill ended. The first drill of all knows of
    none, which is no broken promise.
    """
    if serving.generation in taken or not (taken or known):
        return timedelta()
    created = [serving.created_at, *(manifest.created_at for manifest in held)]
    if not taken:
        return now - min(created)
    copied = max(taken.values())
    since = [at for at in created if at > copied]
    if len(since) == len(created):
        # What was made right after the copy is dropped already, and nobody knows how old it was.
        return now - copied
    # Not since the copy was taken: on days without a change there is nothing to copy.
    return now - min((serving.created_at, *since))
