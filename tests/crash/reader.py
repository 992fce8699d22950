"""A reader of the knowledge base that goes on asking while refreshes crash beside it."""

import threading
from pathlib import Path

from agents.knowledge.store import Filters, UnknownGeneration
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings


class Reader:
    """Searches the serving generation in a thread until it is stopped, and keeps what it saw.

    `generations` holds each generation that served, `mixed` each search whose passages came from documents that its
    generation does not list, and `failures` whatever a search raised.
    """

    def __init__(self, store: Path, dimension: int) -> None:
        self.generations: set[str] = set()
        self.mixed: list[str] = []
        self.failures: list[str] = []
        self.searches = 0
        self._store = store
        self._vector = [1.0] + [0.0] * (dimension - 1)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._search_until_stopped)

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _search_until_stopped(self) -> None:
        store = open_store(LanceSettings(self._store))
        try:
            while not self._stop.wait(0.05):
                self._search(store)
        except Exception as error:  # noqa: BLE001 - a failure of the reader is what the test looks for
            self.failures.append(repr(error))
        finally:
            store.close()

    def _search(self, store: object) -> None:
        from agents.knowledge.store.lance import LanceStore

        assert isinstance(store, LanceStore)
        serving = store.serving()
        assert serving is not None
        try:
            legs = store.search(serving.generation, "apple", self._vector, 20, Filters())
        except UnknownGeneration:
            return  # dropped between the two calls; the service reads `serving` again, and so does the next round
        self.searches += 1
        self.generations.add(serving.generation)
        for hit in (*legs.lexical, *legs.dense):
            record = serving.documents.get(hit.chunk.document_uri)
            if record is None or record.content_hash != hit.chunk.content_hash:
                self.mixed.append(f"{serving.generation} served {hit.chunk.document_uri} of another version")
