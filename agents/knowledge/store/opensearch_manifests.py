"""The manifests of an OpenSearch store, one document a generation in an index of their own."""

from typing import Any

from opensearchpy import NotFoundError, OpenSearch, helpers

from agents.knowledge.generation import Manifest
from agents.knowledge.store import UnknownGeneration
from agents.knowledge.store.opensearch_index import MANIFEST_INDEX, make_index

# A manifest lists every document.
MANIFESTS_PER_PAGE = 5


class ManifestIndex:
    """Reads and writes manifests. One process writes, any number of them read."""

    def __init__(self, client: OpenSearch, index: str) -> None:
        self.name = index
        self._client = client
        self._sealed: dict[str, Manifest] = {}

    def ensure_index(self) -> None:
        """Make the index if it is not there."""
        if not self._client.indices.exists(index=self.name):
            make_index(self._client, self.name, MANIFEST_INDEX)

    def state(self, generation: str) -> str | None:
        """`building` or `ready`; None when there is no such generation."""
        answer = self._client.get(index=self.name, id=generation, params={"_source_includes": "state", "ignore": 404})
        return answer["_source"]["state"] if answer.get("found") else None

    def read(self, generation: str) -> Manifest:
        """The manifest of a generation; one that is sealed is asked for once.

        Raises:
            UnknownGeneration: there is no such generation.
        """
        sealed = self._sealed.get(generation)
        if sealed is not None:
            return sealed
        try:
            source = self._client.get(index=self.name, id=generation)["_source"]
        except NotFoundError as error:
            raise self.unknown(generation) from error
        manifest = Manifest.model_validate_json(source["manifest"])
        if manifest.state == "ready":
            self._sealed = {generation: manifest}
        return manifest

    def write(self, manifest: Manifest) -> None:
        """Store a manifest in place of the generation's former one."""
        body = {
            "generation": manifest.generation,
            "state": manifest.state,
            "created_at": manifest.created_at.isoformat(),
            "manifest": manifest.model_dump_json(),
        }
        self._client.index(index=self.name, id=manifest.generation, body=body, params={"refresh": "true"})

    def remove(self, generation: str) -> None:
        """Forget a generation; nothing when it is unknown."""
        self._client.delete(index=self.name, id=generation, params={"refresh": "true", "ignore": 404})
        self._sealed.pop(generation, None)

    def all(self) -> list[Manifest]:
        """All manifests, newest first."""
        return [Manifest.model_validate_json(source["manifest"]) for source in self._sources("manifest")]

    def unknown(self, generation: str) -> UnknownGeneration:
        """The error that says that this generation is not there, and which ones are."""
        known = sorted(source["generation"] for source in self._sources("generation"))
        return UnknownGeneration(f"no generation {generation!r} in {self.name!r}; it holds {known!r}")

    def _sources(self, field: str) -> list[dict[str, Any]]:
        if not self._client.indices.exists(index=self.name):
            return []
        query = {"sort": [{"created_at": "desc"}, {"generation": "desc"}], "_source": [field]}
        hits = helpers.scan(self._client, index=self.name, query=query, size=MANIFESTS_PER_PAGE, preserve_order=True)
        return [hit["_source"] for hit in hits]
