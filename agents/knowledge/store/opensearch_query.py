"""The queries that a generation's OpenSearch index is asked."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agents.knowledge.store import Filters
from agents.knowledge.store.opensearch_index import CHUNK_FIELDS

URIS_PER_QUERY = 1000
BUCKETS_PER_PAGE = 1000
# How many times more hits than wanted are rescored by their full vectors; that makes the scores exact.
OVERSAMPLING = 2.0


def hybrid_query(text: str, vector: Sequence[float], limit: int, filters: Filters) -> list[dict[str, Any]]:
    """The body of a `_msearch`: the lexical leg, then the dense leg; a shard that fails fails the leg."""
    required = _conditions(filters)
    lexical = {"bool": {"must": [{"match": {"searchable_text": text}}], "filter": required}}
    nearest: dict[str, Any] = {"vector": list(vector), "k": limit, "rescore": {"oversample_factor": OVERSAMPLING}}
    if required:
        nearest["filter"] = {"bool": {"filter": required}}
    legs: list[dict[str, Any]] = [lexical, {"knn": {"vector": nearest}}]
    whole: dict[str, Any] = {"allow_partial_search_results": False}
    return [line for leg in legs for line in (whole, {"query": leg, "size": limit, "_source": CHUNK_FIELDS})]


def by_document(document_uris: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Queries that together match all chunks of these documents."""
    for first in range(0, len(document_uris), URIS_PER_QUERY):
        yield {"terms": {"document_uri": list(document_uris[first : first + URIS_PER_QUERY])}}


def count_query(after: Mapping[str, str] | None) -> dict[str, Any]:
    """The search body that counts chunks per document URI and content hash, from behind the page that ended there."""
    sources = [{name: {"terms": {"field": name}}} for name in ("document_uri", "content_hash")]
    pages: dict[str, Any] = {"size": BUCKETS_PER_PAGE, "sources": sources} | ({"after": after} if after else {})
    return {"size": 0, "aggs": {"versions": {"composite": pages}}}


def counts_from_answer(answer: Mapping[str, Any]) -> tuple[dict[tuple[str, str], int], dict[str, str] | None]:
    """One page of counts, and where the next one begins (None: this was the last)."""
    pages = answer["aggregations"]["versions"]
    counts = {
        (bucket["key"]["document_uri"], bucket["key"]["content_hash"]): bucket["doc_count"]
        for bucket in pages["buckets"]
    }
    return counts, pages.get("after_key")


def _conditions(filters: Filters) -> list[dict[str, Any]]:
    """The filter clauses of these filters, all of which must hold."""
    named = _terms({"source": filters.sources, "document_uri": filters.document_uris})
    if named and filters.also:
        named = [{"bool": {"should": [{"bool": {"filter": named}}, *by_document(filters.also)]}}]
    return [*named, *_terms({"media_type": filters.media_types})]


def _terms(allowed: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    return [{"terms": {name: list(values)}} for name, values in allowed.items() if values]
