"""The notes of an OpenSearch store, one document each in an index of their own."""

from typing import Any

from opensearchpy import OpenSearch

from agents.knowledge.store.opensearch_index import make_index

NOTE_INDEX: dict[str, Any] = {
    "settings": {"number_of_shards": 1, "auto_expand_replicas": "0-1"},
    "mappings": {"dynamic": "strict", "properties": {"text": {"type": "text", "index": False}}},
}


class NoteIndex:
    """Reads and writes small texts. One process writes, any number of them read."""

    def __init__(self, client: OpenSearch, index: str) -> None:
        self._client = client
        self._index = index

    def read(self, name: str) -> str | None:
        """What was last written under this name; None when nothing was."""
        # By its id a document is found as soon as it is written; where the index is missing too, the answer is 404.
        answer = self._client.get(index=self._index, id=name, params={"ignore": 404})
        return answer["_source"]["text"] if answer.get("found") else None

    def write(self, name: str, text: str) -> None:
        """Replace what was written under this name."""
        if not self._client.indices.exists(index=self._index):
            make_index(self._client, self._index, NOTE_INDEX)
        self._client.index(index=self._index, id=name, body={"text": text})
