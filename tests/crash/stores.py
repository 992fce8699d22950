"""The stores that refreshes are tried on: how a variable file names each, and how each goes back to what it held."""

import shutil
import uuid
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import httpx
from opensearchpy import OpenSearch

from agents.knowledge.store import KnowledgeStore
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.opensearch import MANIFESTS, NOTES
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings
from tests.crash.faulty_opensearch import FaultyOpenSearch

LANCE = "agents.knowledge.store.lance:LanceStore"
# What a request may take on a busy machine.
BUSY_SECONDS = 120.0
OPENSEARCH = "agents.knowledge.store.opensearch:OpenSearchStore"


class TriedStore(Protocol):
    """A store that refreshes of other processes write, and the test looks at."""

    @property
    def class_name(self) -> str:
        """The class that refreshes use, as `module:name`."""
        ...

    @property
    def hcl(self) -> str:
        """The value of `knowledge.store` in the variable file."""
        ...

    @property
    def settings(self) -> LanceSettings | OpenSearchSettings:
        """With which the test opens it."""
        ...

    def keep(self) -> None:
        """Remember what it holds now."""
        ...

    def go_back(self) -> None:
        """Have it hold what was remembered, and nothing else."""
        ...

    def leftovers(self) -> set[str]:
        """What it keeps of generations that it does not list."""
        ...


@contextmanager
def opened(store: TriedStore) -> Generator[KnowledgeStore]:
    """The store, opened by the test itself."""
    with closing(open_store(store.settings)) as opened_store:
        yield opened_store


@dataclass(frozen=True)
class LanceInDirectory:
    """LanceDB in the directory `knowledge` of the environment's data."""

    data: Path
    class_name: str = LANCE

    @property
    def hcl(self) -> str:
        """See `TriedStore`."""
        return '{ engine = "lancedb", directory = "knowledge" }'

    @property
    def settings(self) -> LanceSettings:
        """See `TriedStore`."""
        return LanceSettings(self.data / "knowledge")

    def keep(self) -> None:
        """See `TriedStore`."""
        shutil.copytree(self.data / "knowledge", self.data / "knowledge-kept")

    def go_back(self) -> None:
        """See `TriedStore`."""
        shutil.rmtree(self.data / "knowledge")
        shutil.copytree(self.data / "knowledge-kept", self.data / "knowledge")

    def leftovers(self) -> set[str]:
        """See `TriedStore`."""
        with opened(self) as store:
            listed = {manifest.generation for manifest in store.manifests()}
        return {path.stem for path in (self.data / "knowledge" / "tables").glob("*.lance")} - listed


@dataclass(frozen=True)
class OpenSearchBehindProxy:
    """Indices of one prefix on the server at `address`, which refreshes reach at `proxy`."""

    address: str
    proxy: str
    prefix: str
    class_name: str = OPENSEARCH

    @property
    def hcl(self) -> str:
        """See `TriedStore`."""
        return (
            f'{{ engine = "opensearch", endpoint = "{self.proxy}", index_prefix = "{self.prefix}", '
            "shards = 1, replicas = 0 }"
        )

    @property
    def settings(self) -> OpenSearchSettings:
        """See `TriedStore`."""
        return OpenSearchSettings(self.address, self.prefix, 1, 0, seconds=BUSY_SECONDS)

    @property
    def settings_by_proxy(self) -> OpenSearchSettings:
        """With which a test reaches it as refreshes do."""
        return replace(self.settings, endpoint=self.proxy)

    def keep(self) -> None:
        """See `TriedStore`."""
        self._copy(self.prefix, f"kept-{self.prefix}")

    def go_back(self) -> None:
        """See `TriedStore`."""
        self._copy(f"kept-{self.prefix}", self.prefix)

    def leftovers(self) -> set[str]:
        """See `TriedStore`."""
        with opened(self) as store:
            listed = {manifest.generation for manifest in store.manifests()}
        there = {name.removeprefix(f"{self.prefix}-") for name in self._indices(self.prefix)}
        return there - {*listed, MANIFESTS, NOTES}

    def _indices(self, prefix: str) -> set[str]:
        with closing(OpenSearch(self.address, timeout=60)) as client:
            return set(client.indices.get(index=f"{prefix}-*"))

    def _copy(self, origin: str, destination: str) -> None:
        """Have the indices of one prefix, with their aliases, under another, and no others there."""
        with closing(OpenSearch(self.address, timeout=60)) as client:
            for index in client.indices.get(index=f"{destination}-*"):
                client.indices.delete(index=index)
            for index, description in client.indices.get(index=f"{origin}-*").items():
                # What is cloned may not change meanwhile; a sealed generation never may.
                sealed = description["settings"]["index"].get("blocks", {}).get("write") == "true"
                client.indices.put_settings(index=index, body={"index.blocks.write": True})
                block = {"index.blocks.write": True if sealed else None}
                aliases = {destination: {}} if description["aliases"] else {}
                target = destination + index.removeprefix(origin)
                client.indices.clone(index=index, target=target, body={"settings": block, "aliases": aliases})
                client.indices.put_settings(index=index, body=block)


@contextmanager
def new_opensearch_store(address: str, proxy: FaultyOpenSearch, name: str) -> Generator[OpenSearchBehindProxy]:
    """A store that holds nothing, under a prefix that begins with `name`; at the end no fault and nothing is left."""
    prefix = f"{name}-{uuid.uuid4().hex[:12]}"
    yield OpenSearchBehindProxy(address, proxy.url, prefix)
    proxy.set_case(None)
    httpx.delete(f"{address}/{prefix}-*", timeout=60).raise_for_status()
