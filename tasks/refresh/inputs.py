"""What a refresh is given: from an environment's variable file on a laptop, from its arguments in a Ray job."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from agents.knowledge.chunking import CHUNKER_VERSION, ChunkBounds
from agents.knowledge.deletions import DeletionGuard
from agents.knowledge.fusion import FusionSettings
from agents.knowledge.generation import EmbeddingIdentity
from agents.knowledge.sources import MEBIBYTE
from agents.knowledge.sync import Provenance
from tasks.environment.knowledge import Chunks, Fusion, Gate, Source
from tasks.environment.knowledge import DeletionGuard as Guard
from tasks.golden.dataset import GoldenQuestion, spread
from tasks.refresh.gate import GateRules
from tasks.refresh.gate_scores import Embed
from tasks.refresh.ray_data import EmbeddingWork
from tasks.refresh.rules import RefreshRules


def made_from(
    sources: Sequence[Source],
    chunks: Chunks,
    embedding: EmbeddingIdentity,
    fusion: Fusion,
    git_commit: str | None,
    flow_run_id: str | None,
) -> Provenance:
    """What the next generation will be made from and by."""
    return Provenance(
        sources={source.name: source.uri for source in sources},
        chunker=f"{CHUNKER_VERSION}/{chunks.tokens}/{chunks.overlap_tokens}",
        embedding=embedding,
        git_commit=git_commit,
        flow_run_id=flow_run_id,
        fusion=fused_with(fusion),
    )


def fused_with(fusion: Fusion) -> FusionSettings:
    """The same in the terms of the search."""
    return FusionSettings(fusion.method, fusion.dense_weight, fusion.candidates)


def rules_with(
    fusion: Fusion,
    gate: Gate,
    guard: Guard,
    generations_kept: int,
    questions: Sequence[GoldenQuestion],
    former: Mapping[EmbeddingIdentity, Embed],
    *,
    deletions_confirmed: bool,
    sources_replaced: bool,
) -> RefreshRules:
    """What the refresh may do by itself; `questions` are those that the gate asks, `former` as for `GateRules`."""
    losses = DeletionGuard(guard.documents, guard.percent)
    gated = None if deletions_confirmed else losses
    return RefreshRules(
        generations_kept=generations_kept,
        gate=GateRules(tuple(questions), fused_with(fusion), gate.tolerance, former, gated),
        guard=losses,
        deletions_confirmed=deletions_confirmed,
        sources_replaced=sources_replaced,
    )


def asked_by_the_gate(questions: Sequence[GoldenQuestion], gate: Gate) -> tuple[GoldenQuestion, ...]:
    """As many of the labelled questions that have evidence as the gate asks, evenly spread over the set."""
    labelled = [question for question in questions if question.evidence]
    return tuple(spread(labelled, gate.questions))


def work_with(
    sources: Sequence[Source],
    chunks: Chunks,
    max_document_mib: int,
    model: Path,
    tokenizer: Path,
    context_tokens: int,
    workers: int,
    *,
    on_cluster: bool,
) -> EmbeddingWork:
    """The pipeline's settings; which documents it reads is decided by the plan."""
    return EmbeddingWork(
        documents=(),
        sources={source.name: source for source in sources},
        bounds=ChunkBounds(chunks.tokens, chunks.overlap_tokens),
        max_document_bytes=max_document_mib * MEBIBYTE,
        model_file=model,
        tokenizer_file=tokenizer,
        context_tokens=context_tokens,
        workers=workers,
        stored=frozenset(),
        on_cluster=on_cluster,
    )
