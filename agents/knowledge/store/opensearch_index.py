"""What a generation's OpenSearch index looks like, and chunks as its documents."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import Any

from opensearchpy import OpenSearch, RequestError

from agents.knowledge.store import Chunk, EmbeddedChunk

CHUNK_FIELDS = [field.name for field in fields(Chunk)]
# A question may have more distinct words than a query may have clauses (1,024 unless a server says otherwise).
QUERY_TERMS = 512
SECONDS_PER_REFRESH = 600
ALREADY_EXISTS = "resource_already_exists_exception"

_KEYWORD = {"type": "keyword"}
_STORED = {"type": "text", "index": False}
_INTEGER = {"type": "integer", "index": False}
# The embedded store splits identifiers such as KUBEBUILDER_ASSETS or prefect.yaml into their words; so do we.
_SPLIT_IDENTIFIERS = {"type": "mapping", "mappings": [f"{sign}=>\\u0020" for sign in "_.:/"]}
_TOKENS = ["lowercase", "asciifolding", "english_stop", "english_stem"]

MANIFEST_INDEX: dict[str, Any] = {
    "settings": {"number_of_shards": 1, "auto_expand_replicas": "0-1"},
    "mappings": {
        "dynamic": "strict",
        "properties": {
            "generation": _KEYWORD,
            "state": _KEYWORD,
            "created_at": {"type": "date"},
            # JSON in one string: a mapping would grow by every document URI in it.
            "manifest": _STORED,
        },
    },
}


def generation_index(index: str, dimension: int, shards: int, replicas: int) -> dict[str, Any]:
    """The settings and strict mappings of a generation's index, which is called `index`.

    Vectors lie in a Lucene HNSW graph by cosine, quantised to bytes; BM25 reads English. Nothing is
    refreshed by the clock: the store does it where it counts. Documents keep their vectors as they
    came: those that k-NN 3.5.0 derives from its files could not be read after a merge, nor copied.
    """
    return {
        "settings": {
            "index": {
                "knn": True,
                "knn.derived_source.enabled": False,
                "number_of_shards": shards,
                "number_of_replicas": replicas,
                "refresh_interval": -1,
            },
            "analysis": {
                "char_filter": {"split_identifiers": _SPLIT_IDENTIFIERS},
                "filter": {
                    "english_stop": {"type": "stop", "stopwords": "_english_"},
                    "english_stem": {"type": "stemmer", "language": "porter2"},
                    "first_terms": {"type": "limit", "max_token_count": QUERY_TERMS},
                },
                "analyzer": {
                    "passage": _analyzer(_TOKENS),
                    "question": _analyzer([*_TOKENS, "unique", "first_terms"]),
                },
            },
        },
        "mappings": {"dynamic": "strict", "_meta": ownership(index), "properties": _properties(dimension)},
    }


@contextmanager
def made_already(refusal: str = ALREADY_EXISTS) -> Generator[None]:
    """Within the block something is made that nobody else makes: that it is there already is no failure.

    The client repeats a request whose answer was lost on the way; `refusal` is what the server then says.
    """
    try:
        yield
    except RequestError as error:
        if error.error != refusal:
            raise


def make_index(client: OpenSearch, index: str, body: Mapping[str, Any]) -> None:
    """Make an index that nobody else makes."""
    with made_already():
        client.indices.create(index=index, body=body)


def make_searchable(client: OpenSearch, index: str) -> None:
    """Have searches find what was written: that builds the graph of new vectors, which takes long for thousands."""
    client.indices.refresh(index=index, params={"request_timeout": SECONDS_PER_REFRESH})


def ownership(index: str) -> dict[str, str]:
    """What an index says of itself when it is no unfinished clone of another."""
    return {"index": index}


def actions_from_chunks(chunks: Iterable[EmbeddedChunk], index: str) -> Iterator[dict[str, Any]]:
    """One bulk action a chunk; the chunk id is the document's, so that writing again replaces."""
    for embedded in chunks:
        chunk = embedded.chunk
        source = asdict(chunk) | {"searchable_text": chunk.searchable_text, "vector": list(embedded.vector)}
        yield {"_op_type": "index", "_index": index, "_id": chunk.chunk_id, "_source": source}


def chunk_from_source(source: Mapping[str, Any]) -> Chunk:
    """The chunk that a document holds."""
    values = {name: source[name] for name in CHUNK_FIELDS}
    values["heading_path"] = tuple(values["heading_path"])
    return Chunk(**values)


def _analyzer(tokens: list[str]) -> dict[str, Any]:
    return {"type": "custom", "char_filter": ["split_identifiers"], "tokenizer": "standard", "filter": tokens}


def _properties(dimension: int) -> dict[str, Any]:
    return {
        **dict.fromkeys(("chunk_id", "document_uri", "source", "media_type", "content_hash"), _KEYWORD),
        **dict.fromkeys(("path", "title", "heading_path", "text"), _STORED),
        **dict.fromkeys(("start", "end", "ordinal"), _INTEGER),
        "searchable_text": {"type": "text", "analyzer": "passage", "search_analyzer": "question"},
        "vector": {
            "type": "knn_vector",
            "dimension": dimension,
            "method": {
                "name": "hnsw",
                "engine": "lucene",
                "space_type": "cosinesimil",
                "parameters": {"m": 16, "ef_construction": 128, "encoder": {"name": "sq"}},
            },
        },
    }
