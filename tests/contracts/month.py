"""What changes in an environment that nobody looks after, and what goes wrong in it, a day at a time.

Documents are in memory and the embedding counts topics; what has to be answered from is kept beside it.
"""

import random
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

import pytest

from agents.knowledge.copies import document_of
from agents.knowledge.deletions import DeletionsWithheld
from agents.knowledge.generation import EmbeddingIdentity
from agents.knowledge.refusal import RefreshRefused
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings
from tasks.refresh.gate import GateFailed
from tests.contracts.generations import EMBEDDING, vector
from tests.contracts.models import MODELS, NEWER, Embed
from tests.contracts.small_refreshes import Died, SmallKnowledge, embed, question

QUESTIONS = (
    question("upgrade.md", "How does an upgrade go?", "An upgrade goes one minor version at a time."),
    question("cost.md", "What does cost count?", "The cost counts tags."),
)
LABELLED = {"upgrade.md": "An upgrade goes one minor version at a time.", "cost.md": "The cost counts tags."}
BAD = EmbeddingIdentity(model="bad", fingerprint="3" * 64, dimension=EMBEDDING.dimension)


def confused(texts: Sequence[str]) -> list[list[float]]:
    """The vectors of a bad model: it takes every question for one about networks."""
    return [vector("network") if text.endswith("?") else embed([text])[0] for text in texts]


class Month:
    """`promised` is what has to be answered from, by the name of the document; `held` what each generation holds.

    `run` is how the refresh of the day ended.
    """

    def __init__(self, settings: LanceSettings | OpenSearchSettings, seed: int) -> None:
        self.settings = settings
        self.small = SmallKnowledge(open_store(settings), QUESTIONS)
        self.small.documents = {**LABELLED, **{f"d{n:02}.md": f"The network of {n}." for n in range(14)}}
        self.small.refresh()
        self.promised = dict(self.small.documents)
        self.held: dict[str, set[str]] = {}
        self.model = EMBEDDING
        self.written = 0
        self.random = random.Random(seed)  # noqa: S311 - a calendar that can be replayed
        self.run = ""

    def day(self, event: Callable[["Month"], None]) -> None:
        """Let it happen, refresh, and compare what is served with what was promised."""
        self.run = "completed"
        event(self)
        self.check()
        # Those that served, and one that was refused.
        assert len(self.small.store.manifests()) <= self.small.kept + 1

    def quiet_day(self) -> None:
        assert self.small.refresh().new is False

    def document_edited(self) -> None:
        self._accepted({self._any(): self._text()})

    def document_added(self) -> None:
        self._accepted({f"new{self.written:02}.md": self._text()})

    def document_deleted(self) -> None:
        del self.small.documents[self._any()]
        self._accepted({})

    def document_renamed(self) -> None:
        embedded = len(self.small.embedded)
        text = self.small.documents.pop(self._any())
        self._accepted({f"moved{self.written:02}.md": text})
        self.written += 1
        assert len(self.small.embedded) == embedded

    def source_vanished(self) -> None:
        with self._back_the_day_after():
            self.small.documents = {}
            self._refused(DeletionsWithheld)

    def most_of_it_lost(self) -> None:
        with self._back_the_day_after():
            self.small.documents = {**LABELLED, "d00.md": "The network of 0."}
            self._refused(DeletionsWithheld)

    def labelled_document_spoilt(self) -> None:
        with self._back_the_day_after():
            self.small.documents["cost.md"] = f"Nothing to see. {self._text()}"
            self._refused(GateFailed)

    def bad_model(self) -> None:
        with self._embedded_by(BAD, confused):
            self._refused(GateFailed)

    def model_changed(self) -> None:
        other = NEWER if self.small.embedding == EMBEDDING else EMBEDDING
        with self._embedded_by(other, MODELS[other]):
            self.small.former = {self.model: MODELS[self.model]}
            assert self.small.refresh().new
            self.model = other

    def document_copied(self) -> None:
        embedded = len(self.small.embedded)
        text = self.small.documents[self.random.choice(sorted(self.small.documents))]
        self._accepted({f"copy{self.written:02}.md": text})
        self.written += 1
        assert len(self.small.embedded) == embedded

    def killed(self) -> None:
        self.small.dies = self.random.choice(("building", "before promotion", "after promotion"))
        wanted = {self._any(): self._text(), f"new{self.written:02}.md": self._text()}
        self.small.documents |= wanted
        with pytest.raises(Died):
            self.small.refresh()
        if self.small.dies == "after promotion":
            self.promised = dict(self.small.documents)
        self.small.dies = None
        self.run = "killed, completed by the next"
        self.check()
        self._restarted()
        self.small.refresh()
        self.promised = dict(self.small.documents)

    def restarted(self) -> None:
        self._restarted()
        self.quiet_day()

    def _restarted(self) -> None:
        self.small.store.close()
        self.small.store = open_store(self.settings)

    def check(self) -> None:
        """The index holds what was promised: nothing else, nothing twice, and nothing of it is missing."""
        store = self.small.store
        serving = store.serving()
        assert serving is not None
        name = serving.generation
        chunks = [(uri, chunk.text) for uri in serving.documents for chunk in document_of(store, name, uri)]
        assert Counter(chunks) == Counter((f"file:///docs/{path}", text) for path, text in self.promised.items())
        assert sum(store.chunk_counts(name).values()) == len(set(self.promised.values()))
        self.held[name] = set(self.promised.values())

    @contextmanager
    def _embedded_by(self, model: EmbeddingIdentity, embed_by: Embed) -> Generator[None]:
        """Name another model in the environment file; what it embeds is embedded again, which is no waste."""
        embedded = list(self.small.embedded)
        self.small.embedding, self.small.embed = model, embed_by
        yield
        self.small.embedding, self.small.embed, self.small.embedded = self.model, MODELS[self.model], embedded

    @contextmanager
    def _back_the_day_after(self) -> Generator[None]:
        before = dict(self.small.documents)
        yield
        self.small.documents = before

    def _accepted(self, changed: dict[str, str]) -> None:
        self.small.documents |= changed
        assert self.small.refresh().new
        self.promised = dict(self.small.documents)

    def _refused(self, error: type[RefreshRefused]) -> None:
        serving = self.small.serving
        with pytest.raises(error):
            self.small.refresh()
        assert self.small.serving == serving
        self.run = error.__name__

    def _any(self) -> str:
        return self.random.choice(sorted(self.small.documents.keys() - LABELLED.keys()))

    def _text(self) -> str:
        self.written += 1
        return f"The network of edition {self.written}."


NOTICED: tuple[Callable[[Month], None], ...] = (
    Month.source_vanished,
    Month.most_of_it_lost,
    Month.labelled_document_spoilt,
)
"""After these the knowledge is older than its sources, or nobody knows what they hold, until the next refresh."""

EVENTS: tuple[Callable[[Month], None], ...] = (
    Month.quiet_day,
    Month.document_edited,
    Month.document_added,
    Month.document_deleted,
    Month.document_renamed,
    Month.document_copied,
    *NOTICED,
    Month.bad_model,
    Month.model_changed,
    Month.killed,
    Month.restarted,
)
