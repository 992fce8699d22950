"""The product's refresh with vectors from an endpoint, as a process that can be compared with others, and killed.

`python -m bench.own_ingest` takes the work as JSON, and prints the seconds that it took, imports apart. Everything but
Ray is as in a refresh: documents are read and cut by the same code, before they go to the endpoint.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from time import perf_counter

import httpx

from agents.knowledge.generation import Manifest
from agents.knowledge.records import DocumentOutcome
from agents.knowledge.reuse import reuse_key
from agents.knowledge.store import Chunk, EmbeddedChunk, KnowledgeStore
from agents.knowledge.store.opensearch import OpenSearchStore
from agents.knowledge.store.settings import OpenSearchSettings
from agents.knowledge.sync import Provenance
from bench.options import local_environment
from bench.refreshing import work_of
from tasks.embedding.model import provenance
from tasks.environment.knowledge import Source
from tasks.refresh.building import build
from tasks.refresh.cutting import cut_document, read_document
from tasks.refresh.gate import GateRules, examine
from tasks.refresh.inputs import rules_with
from tasks.refresh.ray_data import EmbeddedBatch, EmbeddingWork
from tasks.refresh.steps import Refresh, RefreshSteps
from tasks.refresh.verdicts import Verdict

SECONDS_PER_CALL = 600


@dataclass(frozen=True)
class Endpoint:
    """An embedding endpoint that speaks OpenAI's interface, asked by `http` for `batch` texts at once."""

    http: httpx.Client
    model: str
    batch: int

    def vectors(self, texts: Sequence[str]) -> list[list[float]]:
        """Unit-length vectors of the texts, in order."""
        body = {"model": self.model, "input": list(texts)}
        answer = self.http.post("embeddings", json=body)
        data = answer.raise_for_status().json()["data"]
        return [item["embedding"] for item in sorted(data, key=lambda item: item["index"])]

    def embed(self, work: EmbeddingWork) -> Iterator[EmbeddedBatch]:
        """What Ray's pipeline does, in this process: what is embedded is stored while the next is on its way."""
        outcomes: list[DocumentOutcome] = []
        reused: list[Chunk] = []
        with ThreadPoolExecutor(1) as ahead:
            # The first are embedded while the last are still cut.
            for chunks in ahead.map(self._embedded, _batches(_unknown(work, outcomes, reused), self.batch)):
                yield EmbeddedBatch(chunks, [], [])
        yield EmbeddedBatch([], reused, outcomes)

    def examine(
        self, store: KnowledgeStore, candidate: Manifest, _: EmbeddingWork, made_by: Provenance, rules: GateRules
    ) -> Verdict:
        """The gate, whose probes this endpoint embeds."""
        return examine(store, candidate, store.serving(), made_by.embedding, self.vectors, rules)

    def _embedded(self, chunks: Sequence[Chunk]) -> list[EmbeddedChunk]:
        vectors = self.vectors([chunk.searchable_text for chunk in chunks])
        return [EmbeddedChunk(chunk, vector) for chunk, vector in zip(chunks, vectors, strict=True)]


def main() -> None:
    """Refresh, and say how long it took."""
    given = json.loads(sys.argv[1])
    environment = local_environment("documentation")
    sources = (Source(name="peers", uri=Path(given["corpus"]).as_uri()),)
    work = work_of(environment, sources)
    began = perf_counter()
    http = httpx.Client(base_url=f"{given['endpoint']}/", timeout=SECONDS_PER_CALL, trust_env=False)
    endpoint = Endpoint(http, given["model"], given["batch"])
    store = OpenSearchStore(OpenSearchSettings(given["opensearch"], given["index"], shards=1, replicas=0))
    section = environment.knowledge
    rules = rules_with(
        section.fusion,
        section.gate,
        section.deletion_guard,
        section.generations_kept,
        (),
        {},
        deletions_confirmed=True,
        sources_replaced=False,
    )
    steps = RefreshSteps(build=partial(build, embed=endpoint.embed), examine=endpoint.examine)
    Refresh(store, work, provenance(environment, sources, None, None), rules, steps).run(lambda _: None)
    store.close()
    http.close()
    print(json.dumps({"seconds": perf_counter() - began}))


def _unknown(work: EmbeddingWork, outcomes: list[DocumentOutcome], reused: list[Chunk]) -> Iterator[Chunk]:
    """The chunks without a vector; adds what became of each document, and those whose vector the base has."""
    for number in range(len(work.documents)):
        chunks, outcome = _parsed(work, number)
        outcomes.append(outcome)
        for chunk in chunks:
            if chunk.chunk_id in work.stored:
                continue
            if reuse_key(chunk.document_uri, chunk.searchable_text) in work.reusable:
                reused.append(chunk)
            else:
                yield chunk


def _parsed(work: EmbeddingWork, number: int) -> tuple[list[Chunk], DocumentOutcome]:
    ref = work.documents[number]
    content = read_document(ref, work.sources[ref.source], work.max_document_bytes)
    content_hash = sha256(content).hexdigest()
    chunks = cut_document(ref, content, content_hash, work.bounds, work.tokenizer_file)
    return chunks, DocumentOutcome(ref, content_hash, len(chunks))


def _batches(chunks: Iterator[Chunk], size: int) -> Iterator[Sequence[Chunk]]:
    while batch := list(islice(chunks, size)):
        yield batch


if __name__ == "__main__":
    main()
