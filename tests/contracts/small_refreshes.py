"""Refreshes of a corpus in memory, over a real store: one passage a document, and an embedding that counts topics.

Everything but reading and embedding is the product's own. `embedded` lists what was embedded, in order. A refresh dies
where `dies` says, and as often as it is run until that is None again. Documents that `unreadable` names cannot be read,
and those that `broken` names can, but the parser `broken_by`, or that of today, makes no text of them; the model takes
no passage of those that `refused` names. `confirmed` counts what a person confirmed.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from agents.knowledge.chunking import ChunkBounds
from agents.knowledge.deletions import DeletionGuard
from agents.knowledge.documents import DocumentRef
from agents.knowledge.fusion import FusionSettings
from agents.knowledge.generation import EmbeddingIdentity, Manifest
from agents.knowledge.parser_versions import parser_versions
from agents.knowledge.records import DocumentOutcome
from agents.knowledge.reuse import reuse_key
from agents.knowledge.sources import SourceEmpty
from agents.knowledge.store import Chunk, EmbeddedChunk, KnowledgeStore
from agents.knowledge.sync import Provenance, RefreshPlan, ScannedDocument
from tasks.environment.knowledge import Source
from tasks.golden.dataset import Evidence, GoldenQuestion
from tasks.refresh.building import BuiltGeneration, RefreshProgress, build, promote
from tasks.refresh.gate import GateRules, examine
from tasks.refresh.gate_scores import Embed
from tasks.refresh.ray_data import EmbeddedBatch, EmbeddingWork
from tasks.refresh.report import RefreshReport
from tasks.refresh.rules import RefreshRules
from tasks.refresh.scanning import Scan
from tasks.refresh.steps import Refresh, RefreshSteps
from tasks.refresh.verdicts import Verdict
from tests.contracts.generations import EMBEDDING, TOPICS, vector

FUSION = FusionSettings(method="min_max", dense_weight=0.5, candidates=20)
URI = "file:///docs/"


class Died(BaseException):
    """The process of a refresh is gone; no code that handles errors sees it."""


def embed(texts: Sequence[str]) -> list[list[float]]:
    """The direction of the topics that a text names; of none, all of them."""
    return [vector(*([topic for topic in TOPICS if topic in text] or TOPICS)) for text in texts]


def question(name: str, text: str, quote: str) -> GoldenQuestion:
    """A labelled question whose evidence is a quote of the document `name`."""
    evidence = (Evidence(document=name, quote=quote),)
    return GoldenQuestion(id=name.split(".")[0], kind="answerable", question=text, reference=quote, evidence=evidence)


class SmallKnowledge:
    """`documents` maps names to texts, and is what the one source `docs` holds; empty, the source has vanished."""

    def __init__(self, store: KnowledgeStore, questions: Sequence[GoldenQuestion] = ()) -> None:
        self.store = store
        self.documents: dict[str, str] = {}
        self.unreadable: set[str] = set()
        self.broken: set[str] = set()
        self.broken_by: str | None = None
        self.refused: set[str] = set()
        self.embedded: list[str] = []
        self.questions = tuple(questions)
        self.embedding: EmbeddingIdentity = EMBEDDING
        self.embed: Callable[[Sequence[str]], list[list[float]]] = embed
        self.former: dict[EmbeddingIdentity, Embed] = {}
        self.dies: Literal["building", "before promotion", "after promotion"] | None = None
        self.fusion = FUSION
        self.kept = 3
        self.written_at_once = 1
        self.tolerance = 0.05
        self.confirmed = 0

    @property
    def serving(self) -> str:
        """The name of the serving generation."""
        serving = self.store.serving()
        assert serving is not None
        return serving.generation

    def refresh(
        self, source: str = "docs", *, at: str | None = None, confirmed: bool = False, replaced: bool = False
    ) -> RefreshReport:
        """Refresh from the documents, which the source called `source` lists, below `at` (by default its name)."""
        self.confirmed += confirmed
        uri = f"file:///{at or source}"
        made_by = Provenance({source: uri}, "1", self.embedding, None, None, self.fusion)
        work = EmbeddingWork(
            documents=(),
            sources={source: Source(name=source, uri=uri)},
            bounds=ChunkBounds(100, 10),
            max_document_bytes=1000,
            model_file=Path("none"),
            tokenizer_file=Path("none"),
            context_tokens=100,
            workers=1,
            stored=frozenset(),
        )
        guard = DeletionGuard(10, 10)
        rules = RefreshRules(
            generations_kept=self.kept,
            gate=GateRules(self.questions, FUSION, self.tolerance, self.former, None if confirmed else guard),
            guard=guard,
            deletions_confirmed=confirmed,
            sources_replaced=replaced,
        )
        steps = RefreshSteps(scan=self._scan, build=self._build, examine=self._examine, promote=self._promote)
        return Refresh(self.store, work, made_by, rules, steps).run(lambda _: None)

    def _scan(self, sources: Sequence[Source], _: int) -> Scan:
        (source,) = sources
        documents = tuple(
            ScannedDocument(
                DocumentRef(source.name, f"{source.uri}/{name}", name, len(text)),
                None if name in self.unreadable else _version(text),
                "gone" if name in self.unreadable else None,
            )
            for name, text in self.documents.items()
        )
        return Scan(documents, {} if documents else {source.name: SourceEmpty(f"source {source.name!r} is empty")})

    def _build(
        self,
        store: KnowledgeStore,
        plan: RefreshPlan,
        work: EmbeddingWork,
        made_by: Provenance,
        on_progress: Callable[[RefreshProgress], None],
    ) -> BuiltGeneration:
        return build(store, plan, work, made_by, on_progress, self._batches)

    def _batches(self, work: EmbeddingWork) -> Iterator[EmbeddedBatch]:
        """What the pipeline of real documents hands out, `written_at_once` documents at a time."""
        batch = nothing = EmbeddedBatch([], [], [])
        for each in self._embedded(work):
            batch = EmbeddedBatch(
                [*batch.chunks, *each.chunks],
                [*batch.reused, *each.reused],
                [*batch.outcomes, *each.outcomes],
                {**batch.refused, **each.refused},
            )
            if len(batch.outcomes) == self.written_at_once:
                yield batch
                batch = nothing
        if batch.outcomes:
            yield batch

    def _embedded(self, work: EmbeddingWork) -> Iterator[EmbeddedBatch]:
        """A document at a time."""
        for ref in work.documents:
            if ref.path in self.broken:
                version, by = _version(self.documents[ref.path]), self.broken_by or parser_versions(ref.path)
                yield EmbeddedBatch([], [], [DocumentOutcome(ref, version, 0, "broken", by)])
                continue
            chunk = _chunk(ref, self.documents[ref.path])
            outcome = DocumentOutcome(ref, chunk.content_hash, 1)
            if ref.path in self.refused:
                yield EmbeddedBatch([], [], [outcome], {ref.uri: "refused"})
            elif chunk.chunk_id in work.stored:
                yield EmbeddedBatch([], [], [outcome])
            elif reuse_key(chunk.document_uri, chunk.searchable_text) in work.reusable:
                yield EmbeddedBatch([], [chunk], [outcome])
            else:
                self.embedded.append(chunk.text)
                yield EmbeddedBatch([EmbeddedChunk(chunk, self.embed([chunk.searchable_text])[0])], [], [outcome])
                if self.dies == "building":
                    raise Died

    def _examine(
        self, store: KnowledgeStore, candidate: Manifest, _: EmbeddingWork, made_by: Provenance, rules: GateRules
    ) -> Verdict:
        return examine(store, candidate, store.serving(), made_by.embedding, self.embed, rules)

    def _promote(self, store: KnowledgeStore, generation: str) -> bool:
        if self.dies == "before promotion":
            raise Died
        moved = promote(store, generation)
        if self.dies == "after promotion":
            raise Died
        return moved


def _version(text: str) -> str:
    return f"hash of {text}"


def _chunk(ref: DocumentRef, text: str) -> Chunk:
    return Chunk(
        f"{ref.uri} {text}", ref.uri, ref.source, ref.path, ref.path, "text/plain", (), text, 0, len(text), 0,
        _version(text),
    )  # fmt: skip
