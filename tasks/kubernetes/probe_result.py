"""What a probe can say."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """`NOT_PROVED` is said only where the node that holds a pod declares itself simulated."""

    PROVED = "proved"
    FAILED = "failed"
    NOT_PROVED = "not-proved"


@dataclass(frozen=True)
class ProbeResult:
    """The outcome, and what was seen."""

    outcome: Outcome
    seen: str


def worst(results: list[ProbeResult], nothing: str) -> ProbeResult:
    """One result of several: the failures, else what could not be proved, else all; `nothing` when there is none."""
    for outcome in (Outcome.FAILED, Outcome.NOT_PROVED):
        if found := [result.seen for result in results if result.outcome is outcome]:
            return ProbeResult(outcome, "; ".join(found))
    return ProbeResult(Outcome.PROVED, "; ".join(result.seen for result in results) or nothing)
