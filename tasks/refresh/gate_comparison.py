"""The golden scores of a generation against those of the generations that served before it."""

from collections.abc import Mapping

from agents.knowledge.generation import Manifest
from agents.knowledge.store import KnowledgeStore
from tasks.refresh.gate_scores import GoldenScores
from tasks.refresh.verdicts import Check, verdicts


def best_before(
    store: KnowledgeStore, serving: Manifest | None, before: GoldenScores, digest: str | None
) -> dict[str, float]:
    """The best scores on these questions from which the serving generation came by small losses, its own included.

    What a person promoted in spite of its verdict is the new measure.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    known = verdicts(store).get(serving.generation) if serving else None
    inherited = known.best if known and known.passed and known.questions_digest == digest else {}
    return {name: max(value, inherited.get(name, value)) for name, value in before.metrics.items()}


def comparison(scores: GoldenScores, before: GoldenScores, best: Mapping[str, float], tolerance: float) -> list[Check]:
    """A check a metric: it may lie below `best`, see `best_before`, by the tolerance (0..1).

    Where nothing served before, which `scores_before` decides, there is nothing to lie below.
    """
    checks: list[Check] = []
    for name, value in scores.metrics.items():
        serving = before.metrics.get(name)
        least = best.get(name)
        measure = "the serving generation" if least == serving else f"{least:.4g}, which generations before it reached"
        passed = least is None or value >= least - tolerance - 1e-9
        demanded = (
            "nothing, as nothing was scored before" if least is None else f"at most {tolerance:g} below {measure}"
        )
        checks.append(Check(name=name, candidate=value, serving=serving, demanded=demanded, passed=passed))
    return checks


def worse_questions(before: GoldenScores, now: GoldenScores) -> tuple[tuple[str, int | None, int | None], ...]:
    """The questions whose evidence is found later than before, or no longer: (id, rank before, rank now)."""
    moved = [(name, before.ranks[name], rank) for name, rank in now.ranks.items() if before.ranks.get(name) is not None]
    return tuple(change for change in moved if change[2] is None or (change[1] or 0) < change[2])
