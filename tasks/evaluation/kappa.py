"""How far a judge agrees with people, beyond what chance would give."""

from collections.abc import Sequence
from typing import TypeAlias

Verdicts: TypeAlias = tuple[bool, bool]
"""What the judge says of a statement, and what a person says of it."""


def cohens_kappa(verdicts: Sequence[Verdicts]) -> float | None:
    """Cohen's kappa, from -1 to 1; None where it is undefined, because all verdicts of both are the same.

    (observed agreement - agreement by chance) / (1 - agreement by chance), where chance is that of two who say "yes" as
    often as these two do. Source: Cohen, A Coefficient of Agreement for Nominal Scales, 1960.
    """
    if not verdicts:
        return None
    total = len(verdicts)
    observed = sum(judge == person for judge, person in verdicts) / total
    judge_yes, person_yes = (sum(each) / total for each in zip(*verdicts, strict=True))
    chance = judge_yes * person_yes + (1 - judge_yes) * (1 - person_yes)
    return None if chance == 1 else (observed - chance) / (1 - chance)
