"""Examines a generation beside the serving one, before readers move to it: never a worse answer after a refresh."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from agents.knowledge.fusion import FusionSettings
from agents.knowledge.generation import EmbeddingIdentity, Manifest
from agents.knowledge.refusal import RefreshRefused
from agents.knowledge.store import Filters, KnowledgeStore
from tasks.golden import GoldenQuestion
from tasks.refresh.gate_scores import Embed, GoldenScores, answerable_from, score
from tasks.refresh.verdicts import Check, Verdict, note_verdict, verdicts

PROBES = 5
PROBE_DEPTH = 10
# A passage's own text is its nearest neighbour; what is left of the distance is rounding.
LEAST_COSINE = 0.98


class GateFailed(RefreshRefused):
    """The next generation is worse than the serving one, or not what its manifest says."""


@dataclass(frozen=True)
class GateRules:
    """`questions` are those to ask; `tolerance` (0..1) is how far a metric may fall.

    `fusion` is for generations that do not say themselves how they are searched. `former` embeds questions for a
    serving generation that another model embedded, by that model.
    """

    questions: tuple[GoldenQuestion, ...]
    fusion: FusionSettings
    tolerance: float
    former: Mapping[EmbeddingIdentity, Embed] = field(default_factory=dict[EmbeddingIdentity, Embed])


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
    checks = [*_counts(store, candidate), *_vectors(store, candidate, expected, embed)]
    questions = answerable_from(candidate, rules.questions)
    scores, before, remark = GoldenScores({}, {}), GoldenScores({}, {}), None
    digest = _digest(questions) if questions else None
    if not questions:
        remark = (
            f"none of the {len(rules.questions)} labelled questions has its evidence in this knowledge base: "
            "counts, vectors and probes were checked, retrieval was not"
        )
    elif all(check.passed for check in checks):
        vectors = embed([question.question for question in questions])
        scores = score(store, candidate, questions, vectors, rules.fusion)
        before, remark = _scores_before(store, candidate, serving, questions, vectors, rules, digest)
        checks += _comparison(scores, before, rules.tolerance)
    verdict = Verdict(
        generation=candidate.generation,
        compared_with=serving.generation if serving else None,
        at=datetime.now(UTC),
        checks=tuple(checks),
        scores=dict(scores.metrics),
        questions=len(questions),
        questions_digest=digest,
        worse=_worse(before, scores),
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
        "the documents or the labelled questions and run the refresh again, or, if the candidate is better than its "
        f"scores, run it with rollback_to={verdict.generation}.",
        verdict.rows,
    )


def _counts(store: KnowledgeStore, candidate: Manifest) -> list[Check]:
    counts = store.chunk_counts(candidate.generation)
    documents = sum(record.chunks > 0 for record in candidate.documents.values())
    return [
        _equal("documents in the index", len(counts), documents, "as the manifest says"),
        _equal("chunks in the index", sum(counts.values()), candidate.chunk_count, "as the manifest says"),
    ]


def _vectors(store: KnowledgeStore, candidate: Manifest, expected: EmbeddingIdentity, embed: Embed) -> list[Check]:
    """Passages spread over the generation have to be found by the vectors of their own text, by the present model."""
    uris = sorted(uri for uri, record in candidate.documents.items() if record.chunks)
    step = max(1, len(uris) // PROBES)
    chunks = [store.document(candidate.generation, uri)[0] for uri in uris[::step][:PROBES]]
    vectors = embed([chunk.searchable_text for chunk in chunks])
    same = _equal("dimension of the vectors", len(vectors[0]), candidate.embedding.dimension, "as the manifest says")
    if not same.passed or candidate.embedding != expected:
        return [same, _equal("made by the present embedding model", 0, 1, f"{expected.model} ({expected.fingerprint})")]
    legs = [
        store.search(candidate.generation, chunk.text, vector, PROBE_DEPTH, Filters())
        for chunk, vector in zip(chunks, vectors, strict=True)
    ]
    found = sum(any(hit.score >= LEAST_COSINE for hit in leg.dense) for leg in legs)
    words = sum(len(leg.lexical) > 0 for leg in legs)
    return [
        same,
        _equal("probes found by meaning", found, len(chunks), f"all, by a cosine of {LEAST_COSINE}"),
        Check(
            name="probes found by words",
            candidate=words,
            serving=None,
            # Not every passage has words: one may be a row of signs.
            demanded="at least one",
            passed=words > 0,
        ),
    ]


def _scores_before(
    store: KnowledgeStore,
    candidate: Manifest,
    serving: Manifest | None,
    questions: Sequence[GoldenQuestion],
    vectors: Sequence[Sequence[float]],
    rules: GateRules,
    digest: str | None,
) -> tuple[GoldenScores, str | None]:
    """The serving generation's scores on the same questions; where they cannot be had, why."""
    nothing = GoldenScores({}, {})
    if serving is None or serving.generation == candidate.generation:
        return nothing, "no other generation serves that it could be compared with"
    if serving.embedding == candidate.embedding:
        return score(store, serving, questions, vectors, rules.fusion), None
    if (embed := rules.former.get(serving.embedding)) is not None:
        own = embed([question.question for question in questions])
        return score(store, serving, questions, own, rules.fusion), None
    # Its model is not at hand here, so that no question can be embedded for it.
    known = verdicts(store).get(serving.generation)
    if known is not None and known.questions_digest == digest:
        return GoldenScores(known.scores, {}), None
    return nothing, (
        f"{serving.generation!r} was embedded by {serving.embedding.model!r}, which models.former_embedding does not "
        "name, and was not scored on these questions when it was new: the candidate's scores have nothing to be "
        "compared with"
    )


def _comparison(scores: GoldenScores, before: GoldenScores, tolerance: float) -> list[Check]:
    return [
        Check(
            name=name,
            candidate=value,
            serving=before.metrics.get(name),
            demanded=f"at most {tolerance:g} below the serving generation",
            passed=name not in before.metrics or value >= before.metrics[name] - tolerance - 1e-9,
        )
        for name, value in scores.metrics.items()
    ]


def _worse(before: GoldenScores, now: GoldenScores) -> tuple[tuple[str, int | None, int | None], ...]:
    moved = [(name, before.ranks[name], rank) for name, rank in now.ranks.items() if before.ranks.get(name) is not None]
    return tuple(change for change in moved if change[2] is None or (change[1] or 0) < change[2])


def _digest(questions: Sequence[GoldenQuestion]) -> str:
    text = "\n".join(question.model_dump_json() for question in questions)
    return hashlib.sha256(text.encode()).hexdigest()


def _equal(name: str, found: int, wanted: int, demanded: str) -> Check:
    return Check(name=name, candidate=found, serving=None, demanded=f"{wanted}, {demanded}", passed=found == wanted)
