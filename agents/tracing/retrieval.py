"""Retrieval as a span, with the score of every passage in each leg."""

import json
from collections.abc import Sequence

from langfuse import LangfuseOtelSpanAttributes as Langfuse
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as gen_ai
from opentelemetry.trace import Span, SpanKind, Tracer

from agents.knowledge.fusion import FusionSettings
from agents.knowledge.generation import EmbeddingIdentity, Manifest
from agents.knowledge.search import Passage
from agents.knowledge.store import Filters
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings
from agents.knowledge_base import KnowledgeBase, VectorBy
from agents.tracing.shared import Attributes, shared_attributes


class TracedKnowledgeBase(KnowledgeBase):
    """Makes a span of every search, and says to the whole trace which generation was asked and what made it."""

    def __init__(
        self,
        tracer: Tracer,
        store: LanceSettings | OpenSearchSettings,
        fusion: FusionSettings,
        *embeddings: EmbeddingIdentity,
    ) -> None:
        super().__init__(store, fusion, *embeddings)
        self._tracer = tracer

    async def search(
        self, text: str, vector_by: VectorBy, limit: int, filters: Filters
    ) -> tuple[Manifest, list[Passage]]:
        """As `KnowledgeBase.search`."""
        shared = shared_attributes()
        if not shared:
            return await super().search(text, vector_by, limit, filters)
        attributes: Attributes = {
            gen_ai.GEN_AI_OPERATION_NAME: "retrieval",
            gen_ai.GEN_AI_RETRIEVAL_QUERY_TEXT: text,
            gen_ai.GEN_AI_REQUEST_TOP_K: float(limit),
            Langfuse.OBSERVATION_TYPE: "retriever",
            Langfuse.OBSERVATION_INPUT: text,
        }
        with self._tracer.start_as_current_span(
            "retrieval knowledge", kind=SpanKind.CLIENT, attributes=attributes
        ) as span:
            manifest, passages = await super().search(text, vector_by, limit, filters)
            shared.update(provenance(manifest))
            _describe(span, manifest, passages)
            return manifest, passages


def provenance(manifest: Manifest) -> Attributes:
    """What the whole trace says of the generation: its name, and the flow run and the commit that made it."""
    said = {"generation": manifest.generation, "flow_run": manifest.flow_run_id, "git_commit": manifest.git_commit}
    return {f"{Langfuse.TRACE_METADATA}.{key}": value for key, value in said.items() if value is not None}


def _describe(span: Span, manifest: Manifest, passages: Sequence[Passage]) -> None:
    found = json.dumps([_document(passage) for passage in passages], ensure_ascii=False)
    span.set_attributes(
        {
            gen_ai.GEN_AI_DATA_SOURCE_ID: manifest.generation,
            gen_ai.GEN_AI_RETRIEVAL_DOCUMENTS: found,
            Langfuse.OBSERVATION_OUTPUT: found,
        }
    )


def _document(passage: Passage) -> dict[str, str | float | None]:
    return {
        "id": passage.chunk.chunk_id,
        "score": passage.score,
        "lexical_score": passage.lexical.score if passage.lexical else None,
        "dense_score": passage.dense.score if passage.dense else None,
        "document": passage.chunk.document_uri,
    }
