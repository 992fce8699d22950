"""How much of the documents the golden questions ask about."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from tasks.golden.dataset import GoldenQuestion, Kind
from tasks.golden.documents import GoldenDocument, GoldenDocuments

KINDS: tuple[Kind, ...] = tuple(kind for kind in get_args(Kind) if kind != "unanswerable")
"""The kinds that have evidence in a document."""


@dataclass(frozen=True)
class DocumentCoverage:
    """One document: its questions by kind, and in how many of its `sections` a question's evidence lies.

    A question of two documents counts in both.
    """

    path: str
    questions: Counter[Kind]
    covered: int
    sections: int

    @property
    def share(self) -> float:
        """The share (0..1) of the sections in which evidence lies."""
        return self.covered / self.sections if self.sections else 0.0


def coverage(documents: GoldenDocuments, questions: Sequence[GoldenQuestion]) -> list[DocumentCoverage]:
    """A row a document: those without a question first, then by share, the least first."""
    rows = [_row(document, questions) for document in documents.by_path.values()]
    return sorted(rows, key=lambda row: (row.questions.total() > 0, row.share, row.path))


def not_held(documents: GoldenDocuments, questions: Sequence[GoldenQuestion]) -> list[str]:
    """A line for each evidence that the documents do not hold."""
    return [
        f"{question.id}: {problem}"
        for question in questions
        for evidence in question.evidence
        if (problem := documents.problem(evidence)) is not None
    ]


def _row(document: GoldenDocument, questions: Sequence[GoldenQuestion]) -> DocumentCoverage:
    about = [question for question in questions if any(each.document == document.path for each in question.evidence)]
    quotes = [each.quote for question in about for each in question.evidence if each.document == document.path]
    return DocumentCoverage(
        path=document.path,
        questions=Counter(question.kind for question in about),
        covered=len(document.sections_of(quotes)),
        sections=len(document.sections),
    )
