"""A reader of the knowledge base that goes on asking while refreshes crash beside it."""

import threading
from contextlib import closing

from agents.knowledge.store import Filters, KnowledgeStore, UnknownGeneration
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings


class Reader:
    """Searches the serving generation in a thread until it is stopped, and keeps what it saw.

    `generations` holds each generation that served, `mixed` each search whose passages came from documents that its
    generation does not list, and `failures` whatever a search raised.
    """

    def __init__(self, store: LanceSettings | OpenSearchSettings, dimension: int) -> None:
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

    def assert_nothing_was_missed(self) -> None:
        """Every search found passages of one generation, which listed their documents."""
        assert self.failures == []
        assert self.mixed == []
        assert self.searches > 0

    def _search_until_stopped(self) -> None:
        with closing(open_store(self._store)) as store:
            try:
                while not self._stop.wait(0.05):
                    self._search(store)
            except Exception as error:  # noqa: BLE001 - a failure of the reader is what the test looks for
                self.failures.append(repr(error))

    def _search(self, store: KnowledgeStore) -> None:
        serving = store.serving()
        assert serving is not None
        try:
            legs = store.search(serving.generation, "apple", self._vector, 20, Filters())
        except UnknownGeneration:
            return  # dropped between the two calls; the service reads `serving` again, and so does the next round
        self.searches += 1
        self.generations.add(serving.generation)
        assert legs.lexical, f"{serving.generation} no longer finds a document that was always there"
        for hit in (*legs.lexical, *legs.dense):
            record = serving.documents.get(hit.chunk.document_uri)
            if record is None or record.content_hash != hit.chunk.content_hash:
                self.mixed.append(f"{serving.generation} served {hit.chunk.document_uri} of another version")
