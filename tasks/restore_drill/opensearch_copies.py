"""Copies of generations of an OpenSearch store: snapshots in a repository that outlives the server's indices.

See https://docs.opensearch.org/latest/tuning-your-cluster/availability-and-recovery/snapshots/snapshot-restore/
"""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import stamina
from opensearchpy import OpenSearch

from agents.knowledge.store import KnowledgeStore, StoreUnavailable
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.opensearch import MANIFESTS, NOTES
from agents.knowledge.store.opensearch_errors import server_errors
from agents.knowledge.store.opensearch_index import made_already
from agents.knowledge.store.settings import OpenSearchSettings

LEAST_SECONDS_BETWEEN_LOOKS, MOST_SECONDS_BETWEEN_LOOKS = 0.2, 15.0
NAME_TAKEN = "invalid_snapshot_name_exception"


class _NotDone(Exception):
    """The server still writes or reads a snapshot."""


@dataclass(frozen=True)
class Repository:
    """Where snapshots lie, in the words of the API: `type` is `fs` or `s3`, with that type's settings."""

    name: str
    type: str
    settings: Mapping[str, str | bool]


class OpenSearchCopies:
    """`Copies` of the store of `settings`, in a repository that `client` may register, write and restore from.

    A snapshot, its restoring and its deletion may take `longest` each.
    """

    def __init__(
        self, client: OpenSearch, settings: OpenSearchSettings, repository: Repository, longest: timedelta
    ) -> None:
        self._client = client
        self._settings = settings
        self._repository = repository
        self._longest = longest
        self._prefix = settings.index_prefix
        # Below the prefix of the store, so that whoever may read and write its indices may read and delete these.
        self._beside = replace(settings, index_prefix=f"{settings.index_prefix}-drill", replicas=0)

    def taken(self) -> Mapping[str, datetime]:
        """See `Copies`; registers the repository first."""
        body = {"type": self._repository.type, "settings": dict(self._repository.settings)}
        with self._server_errors():
            self._client.snapshot.create_repository(repository=self._repository.name, body=body)
            return {
                name.removeprefix(f"{self._prefix}-"): datetime.fromtimestamp(found["end_time_in_millis"] / 1000, UTC)
                for found in self._snapshots()
                if (name := str(found["snapshot"])).startswith(f"{self._prefix}-") and found["state"] == "SUCCESS"
            }

    def take(self, generation: str) -> None:
        """See `Copies`; a snapshot that was interrupted or is partial is taken again."""
        self.drop(generation)
        with self._server_errors():
            # Before the first note there is no index of them.
            noted = self._client.indices.exists(index=f"{self._prefix}-{NOTES}")
            names = (generation, MANIFESTS, *([NOTES] if noted else []))
            body = {"indices": ",".join(f"{self._prefix}-{name}" for name in names), "include_global_state": False}
            with made_already(NAME_TAKEN):
                self._client.snapshot.create(
                    repository=self._repository.name, snapshot=self._snapshot(generation), body=body
                )
            for attempt in self._looks():
                with attempt:
                    self._require_written(generation)

    @contextmanager
    def restored(self, generation: str) -> Generator[KnowledgeStore]:
        """See `Copies`; indices of other names, without the alias of the store."""
        self._remove_beside()
        names = (f"{self._beside.index_prefix}-{generation}", f"{self._beside.index_prefix}-{MANIFESTS}")
        body: dict[str, Any] = {
            "indices": f"{self._prefix}-{generation},{self._prefix}-{MANIFESTS}",
            "include_aliases": False,
            "include_global_state": False,
            "rename_pattern": f"^{re.escape(self._prefix)}-(.+)$",
            "rename_replacement": f"{self._beside.index_prefix}-$1",
            "index_settings": {"index.number_of_replicas": 0, "index.auto_expand_replicas": False},
        }
        try:
            with self._server_errors():
                self._client.snapshot.restore(
                    repository=self._repository.name, snapshot=self._snapshot(generation), body=body
                )
                for attempt in self._looks():
                    with attempt:
                        self._require_started(names)
            store = open_store(self._beside)
            try:
                yield store
            finally:
                store.close()
        finally:
            self._remove_beside()

    def drop(self, generation: str) -> None:
        """See `Copies`."""
        # The server answers when the files are gone.
        params = {"ignore": 404, "request_timeout": self._longest.total_seconds()}
        with self._server_errors():
            self._client.snapshot.delete(
                repository=self._repository.name, snapshot=self._snapshot(generation), params=params
            )

    def __str__(self) -> str:
        return f"the snapshot repository {self._repository.name!r} at {self._settings.endpoint}"

    def _snapshot(self, generation: str) -> str:
        return f"{self._prefix}-{generation}"

    def _snapshots(self) -> list[dict[str, Any]]:
        return self._client.snapshot.get(repository=self._repository.name, snapshot="_all")["snapshots"]

    def _require_written(self, generation: str) -> None:
        name = self._snapshot(generation)
        (found,) = (each for each in self._snapshots() if each["snapshot"] == name)
        if found["state"] == "IN_PROGRESS":
            raise _NotDone
        if found["state"] != "SUCCESS":
            raise StoreUnavailable(f"{self} has the snapshot {name!r} as {found['state']}: {found['failures']!r}")

    def _require_started(self, names: tuple[str, ...]) -> None:
        health = self._client.cluster.health(index=",".join(names), params={"ignore": 408})
        if health["timed_out"] or health["status"] != "green":
            raise _NotDone

    def _remove_beside(self) -> None:
        with self._server_errors():
            left = self._client.indices.get(
                index=f"{self._beside.index_prefix}-*", params={"ignore_unavailable": "true"}
            )
            for name in left:
                # The client repeats a request whose answer was lost on the way.
                self._client.indices.delete(index=name, params={"ignore_unavailable": "true"})

    def _looks(self) -> Any:
        return stamina.retry_context(
            on=_NotDone,
            attempts=None,
            timeout=self._longest,
            wait_initial=LEAST_SECONDS_BETWEEN_LOOKS,
            wait_max=MOST_SECONDS_BETWEEN_LOOKS,
        )

    @contextmanager
    def _server_errors(self) -> Generator[None]:
        try:
            with server_errors(str(self)):
                yield
        except _NotDone as error:
            raise StoreUnavailable(f"{self} needs more than {self._longest}") from error
