"""Copies of a generation's chunks inside the server: most of it as the files that it consists of, a few one by one.

Copying a chunk by itself builds its place in the graph of vectors anew, which takes as long as it did the first time.
A clone of the index takes the graph over by hard links, and what is not wanted is deleted from it:
https://docs.opensearch.org/latest/api-reference/index-apis/clone/
"""

from collections.abc import Mapping, Sequence
from typing import Any

from opensearchpy import OpenSearch

from agents.knowledge.store import StoreUnavailable
from agents.knowledge.store.opensearch_index import made_already, make_searchable, ownership
from agents.knowledge.store.opensearch_query import by_document

SECONDS_PER_STEP = 600
ROUNDS_OF_DELETION = 5
# What a clone takes from its origin, and has to be as the present code makes it.
_SHAPE = ("index.analysis.", "index.knn", "index.number_of_shards")


class IndexCopies:
    """Copies chunks from one index to another; each verb can be repeated after a crash."""

    def __init__(self, client: OpenSearch, replicas: int, store: str) -> None:
        self._client = client
        self._replicas = replicas
        self._store = store

    def is_cut_off(self, index: str) -> bool:
        """Whether the index is a clone that does not belong to itself yet: what it is not to hold may be in it."""
        mapping: dict[str, Any] = self._client.indices.get_mapping(index=index)[index]["mappings"]
        return mapping.get("_meta") != ownership(index)

    def can_clone(self, origin: str, target: str) -> bool:
        """Whether the target may become a clone: it is empty, and the origin is sealed and of the target's shape."""
        settings = self._client.indices.get_settings(index=[origin, target], params={"flat_settings": "true"})
        if settings[origin]["settings"].get("index.blocks.write") != "true":
            return False
        make_searchable(self._client, target)
        if self._client.count(index=target)["count"]:
            return False
        mappings = self._client.indices.get_mapping(index=[origin, target])
        shapes = [_shape(settings[index], mappings[index]) for index in (origin, target)]
        return shapes[0] == shapes[1]

    def clone(self, origin: str, target: str, unwanted: Sequence[str]) -> None:
        """Make the target a clone of the origin without the documents of these URIs."""
        self._client.indices.delete(index=target, params={"ignore_unavailable": "true"})
        # The origin refuses writes, and its clone would too.
        own = {"index.number_of_replicas": self._replicas, "index.blocks.write": None}
        params = {"timeout": f"{SECONDS_PER_STEP}s", "request_timeout": SECONDS_PER_STEP}
        with made_already():
            self._client.indices.clone(index=origin, target=target, body={"settings": own}, params=params)
        self.delete(target, unwanted)
        self._client.indices.put_mapping(index=target, body={"_meta": ownership(target)})

    def delete(self, index: str, document_uris: Sequence[str]) -> None:
        """Delete all chunks of these documents.

        Raises:
            StoreUnavailable: another request is still deleting or writing them.
        """
        # The client repeats a request whose answer was lost, and the first may be at work still.
        params = {"refresh": "true", "conflicts": "proceed", "request_timeout": SECONDS_PER_STEP}
        for query in by_document(document_uris):
            conflicts = 0
            for _ in range(ROUNDS_OF_DELETION):
                answer = self._client.delete_by_query(index=index, body={"query": query}, params=params)
                conflicts = answer["version_conflicts"]
                if not conflicts:
                    break
                make_searchable(self._client, index)
            else:
                raise StoreUnavailable(
                    f"{self._store} has another request that changes {conflicts} of the chunks of "
                    f"{index!r} that are to be deleted: run this again when it has ended"
                )

    def copy_each(self, origin: str, target: str, document_uris: Sequence[str]) -> int:
        """Copy all chunks of these documents, one by one; returns how many."""
        copied = 0
        for query in by_document(document_uris):
            body = {"source": {"index": origin, "query": query}, "dest": {"index": target}}
            answer = self._client.reindex(body=body, params={"request_timeout": SECONDS_PER_STEP})
            if answer["failures"]:
                raise StoreUnavailable(f"{self._store} could not copy a chunk: {answer['failures'][0]!r}")
            copied += answer["created"] + answer["updated"]
        return copied


def _shape(settings: Mapping[str, Any], mappings: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    kept = {name: value for name, value in settings["settings"].items() if name.startswith(_SHAPE)}
    return kept, mappings["mappings"]["properties"]
