"""POST /v1/search: passages, with the rank and score of each leg and of the fusion."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from agents.assistant import Assistant, CurrentAssistant, CurrentCaller, TraceId
from agents.caller import Caller
from agents.evaluation.evaluator import relevancy
from agents.knowledge.search import LegPosition
from agents.knowledge.store import Chunk, Filters
from agents.questions import accept_question
from agents.routes.ask import FilterRequest
from agents.routes.streams import while_connected
from agents.token_estimate import estimate_tokens

router = APIRouter()

MOST_PASSAGES = 50


class SearchRequest(BaseModel):
    """A query; `limit` is how many passages are wanted at most."""

    model_config = ConfigDict(extra="forbid")

    query: str
    limit: Annotated[int, Field(ge=1, le=MOST_PASSAGES)] = 10
    filters: FilterRequest = Field(default_factory=FilterRequest)


@dataclass(frozen=True)
class FoundPassage:
    """A passage, its place in the fused ranking (from 1), and in each leg's (null: the leg did not find it)."""

    rank: int
    score: float
    lexical: LegPosition | None
    dense: LegPosition | None
    chunk: Chunk


@dataclass(frozen=True)
class SearchResult:
    """The passages of one generation, best first, and the relevancy (0..1) that an answer to the query would have."""

    generation: str
    relevancy: float
    passages: tuple[FoundPassage, ...]
    trace_id: str
    timings_ms: dict[str, float]


@router.post("/v1/search")
async def search(
    body: SearchRequest, request: Request, assistant: CurrentAssistant, caller: CurrentCaller, trace_id: TraceId
) -> SearchResult:
    """Search the knowledge base by words and by meaning. When the caller goes away the work ends, at the model too."""
    query, filters = accept_question(body.query, assistant.settings.limits.question_bytes), body.filters.filters()
    return await while_connected(
        request, lambda: found_passages(assistant, caller, query, body.limit, filters, trace_id)
    )


async def found_passages(
    assistant: Assistant, caller: Caller, query: str, limit: int, filters: Filters, trace_id: str
) -> SearchResult:
    """At most `limit` passages for an accepted query, at the expense of `caller`.

    Raises as `Admission.place`, `Allowance.charge` and `RagAgent.retrieve` do.
    """
    wanted = assistant.settings.limits.passages
    # The relevancy is of the passages that an answer is made from, however many are wanted here.
    async with assistant.admission.place():
        if assistant.allowance is not None:
            await assistant.allowance.charge(caller, estimate_tokens(query))
        found = await assistant.rag.retrieve(query, max(limit, wanted), filters)
    score = round(relevancy(query, found.passages[:wanted]), 4)
    passages = tuple(
        FoundPassage(rank, passage.score, passage.lexical, passage.dense, passage.chunk)
        for rank, passage in enumerate(found.passages[:limit], start=1)
    )
    timings = {"embed": round(found.embed_ms, 3), "search": round(found.search_ms, 3)}
    return SearchResult(found.generation, score, passages, trace_id, timings)
