"""Examines a generation beside the serving one, before readers move to it: never a worse answer after a refresh."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from agents.knowledge.deletions import DeletionGuard
from agents.knowledge.fusion import FusionSettings
from agents.knowledge.generation import EmbeddingIdentity, Manifest
from agents.knowledge.refusal import RefreshRefused
from agents.knowledge.store import KnowledgeStore
from tasks.golden.dataset import GoldenQuestion
from tasks.refresh.gate_before import AskedAgain, scores_before
from tasks.refresh.gate_comparison import best_before, comparison, worse_questions
from tasks.refresh.gate_index import counts, vectors_found
from tasks.refresh.gate_losses import document_losses, question_losses
from tasks.refresh.gate_scores import Embed, GoldenScores, answerable_from, named_as_in, score
from tasks.refresh.verdicts import Verdict, note_verdict


class GateFailed(RefreshRefused):
    """The next generation is worse than the serving one, or not what its manifest says."""


@dataclass(frozen=True)
class GateRules:
    """`questions` are those to ask; `tolerance` (0..1) is how far a metric may fall.

    `fusion` is for generations that do not say themselves how they are searched. `former` embeds questions for a
    serving generation that another model embedded, by that model. `guard` is how many documents may hold nothing any
    more, None where a person said that they may go.
    """

    questions: tuple[GoldenQuestion, ...]
    fusion: FusionSettings
    tolerance: float
    former: Mapping[EmbeddingIdentity, Embed] = field(default_factory=dict[EmbeddingIdentity, Embed])
    guard: DeletionGuard | None = None


def examine(
    store: KnowledgeStore,
    candidate: Manifest,
    serving: Manifest | None,
    expected: EmbeddingIdentity,
    embed: Embed,
    rules: GateRules,
) -> Verdict:
    """Compare a sealed generation with its manifest, and by labelled questions with what serves; noted in the store.

    `expected` is the model of this refresh, and `embed` embeds with it.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    checks = [*counts(store, candidate), *vectors_found(store, candidate, expected, embed)]
    if serving is not None and rules.guard is not None:
        checks.append(document_losses(candidate, serving, rules.guard))
    # A document that was renamed is asked about under its new name, until the labelled questions name it so.
    asked = rules.questions if serving is None else named_as_in(candidate, serving, rules.questions)
    questions = answerable_from(candidate, asked)
    if serving is not None:
        checks += question_losses(candidate, serving, rules.questions, questions, rules.tolerance)
    scores, before, remark = GoldenScores({}, {}), GoldenScores({}, {}), None
    best: dict[str, float] = {}
    digest = _digest(rules.questions, questions) if questions else None
    if not questions:
        remark = (
            f"none of the {len(rules.questions)} labelled questions has its evidence in this knowledge base: "
            "counts, vectors and probes were checked, retrieval was not"
        )
    elif all(check.passed for check in checks):
        vectors = embed([question.question for question in questions])
        scores = score(store, candidate, questions, vectors, rules.fusion)
        asked_again = AskedAgain(questions, vectors, digest, rules.fusion, rules.former)
        before, remark, incomparable = scores_before(store, candidate, serving, asked_again)
        best = best_before(store, serving, before, digest)
        checks += [*comparison(scores, before, best, rules.tolerance), *incomparable]
    verdict = Verdict(
        generation=candidate.generation,
        compared_with=serving.generation if serving else None,
        at=datetime.now(UTC),
        checks=tuple(checks),
        scores=dict(scores.metrics),
        best={name: max(value, best.get(name, value)) for name, value in scores.metrics.items()},
        questions=len(questions),
        questions_digest=digest,
        worse=worse_questions(before, scores),
        remark=remark,
    )
    note_verdict(store, verdict)
    return verdict


def require_passed(verdict: Verdict) -> None:
    """Let a generation pass whose verdict is good.

    Raises:
        GateFailed: it is not; the generation is kept to be looked at, and the serving one serves on.
    """
    if verdict.passed:
        return
    failed = "; ".join(
        f"{check.name} is {check.candidate:.4g}, demanded: {check.demanded}"
        for check in verdict.checks
        if not check.passed
    )
    serving = f"{verdict.compared_with!r} serves on" if verdict.compared_with else "nothing serves yet"
    raise GateFailed(
        f"generation {verdict.generation!r} did not pass the gate: {failed}. {serving}; the candidate is kept. Mend "
        "the documents, the labelled questions or what else the checks name and run the refresh again, or, if the "
        "candidate is better than its scores or is to serve without a comparison, run it with "
        f"rollback_to={verdict.generation}.",
        verdict.rows,
    )


def _digest(labelled: Sequence[GoldenQuestion], asked: Sequence[GoldenQuestion]) -> str:
    """Of the questions that were asked, as they are labelled: whatever their documents are called by now."""
    asked_ids = {question.id for question in asked}
    text = "\n".join(question.model_dump_json() for question in labelled if question.id in asked_ids)
    return hashlib.sha256(text.encode()).hexdigest()
