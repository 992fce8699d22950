"""What a generation has lost that the serving one holds: documents, and those that labelled questions are about."""

from collections.abc import Sequence

from agents.knowledge.deletions import NAMED, DeletionGuard
from agents.knowledge.generation import Manifest
from tasks.golden.dataset import GoldenQuestion
from tasks.refresh.gate_scores import answerable_from
from tasks.refresh.verdicts import Check


def document_losses(candidate: Manifest, serving: Manifest, guard: DeletionGuard) -> Check:
    """The documents that hold nothing any more: another chunker or model met what could not be read or parsed."""
    lost = sum(
        record.content_hash is None and uri in serving.documents and serving.documents[uri].content_hash is not None
        for uri, record in candidate.documents.items()
    )
    return Check(
        name="documents that hold nothing any more",
        candidate=lost,
        serving=None,
        demanded=f"at most {guard.documents}, or {guard.percent:g} % of what serves",
        passed=guard.allows(lost, len(serving.documents)),
    )


def question_losses(
    candidate: Manifest,
    serving: Manifest,
    labelled: Sequence[GoldenQuestion],
    answerable: Sequence[GoldenQuestion],
    tolerance: float,
) -> list[Check]:
    """The `labelled` questions that the serving generation can be asked, against those the candidate still can.

    These are the `answerable`: a renamed document, and one of which a copy is left, can still be asked about.
    Questions about sources that the candidate is not made from any more are not counted: they were replaced. No check
    where none is left.
    """
    shared = {name for name, _ in candidate.sources.items() & serving.sources.items()}
    before = answerable_from(serving, labelled, shared)
    still = {question.id for question in answerable}
    lost = [question for question in before if question.id not in still]
    if not before:
        return []
    held = {record.path for record in candidate.documents.values() if record.content_hash}
    gone = sorted({each.document for question in lost for each in question.evidence} - held)
    amend = f"; amend the questions about {', '.join(map(repr, gone[:NAMED]))}, which were deleted" if gone else ""
    return [
        Check(
            name="labelled questions that can be asked",
            candidate=len(before) - len(lost),
            serving=len(before),
            demanded=f"at most {100 * tolerance:g} % fewer than of the serving generation{amend}",
            passed=len(lost) <= tolerance * len(before) + 1e-9,
        )
    ]
