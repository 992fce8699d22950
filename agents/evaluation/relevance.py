"""What becomes of a relevancy score: one of three outcomes, by two thresholds."""

from typing import Literal

Judgement = Literal["correct", "ambiguous", "incorrect"]
"""The passages answer the question; they do so in part, or perhaps; they do not.

The three outcomes are those of corrective retrieval (Yan et al., "Corrective Retrieval Augmented Generation", 2024).
"""


def judgement_of(relevancy: float, threshold: float, certain_from: float) -> Judgement:
    """The outcome of a relevancy (0..1): incorrect below `threshold`, correct from `certain_from` on."""
    if relevancy < threshold:
        return "incorrect"
    return "correct" if relevancy >= certain_from else "ambiguous"
