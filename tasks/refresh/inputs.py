"""What a refresh is given: from an environment's variable file on a laptop, from its arguments in a Ray job."""

from collections.abc import Sequence
from pathlib import Path

from agents.knowledge.chunking import CHUNKER_VERSION, ChunkBounds
from agents.knowledge.generation import EmbeddingIdentity
from agents.knowledge.sync import Provenance
from tasks.environment.knowledge import Chunks, Source
from tasks.ray_data import EmbeddingWork

MEBIBYTE = 2**20


def made_from(
    sources: Sequence[Source],
    chunks: Chunks,
    embedding: EmbeddingIdentity,
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
    )


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
