"""A refresh of synthetic documents on the product's own path, in a process of its own: only vectors are made up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import httpx

from agents.knowledge.chunking import ChunkBounds
from agents.knowledge.deletions import DeletionGuard
from agents.knowledge.fusion import FusionSettings
from agents.knowledge.generation import Manifest
from agents.knowledge.store import KnowledgeStore
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import OpenSearchSettings
from agents.knowledge.sync import Provenance, RefreshPlan
from bench.synthetic import EMBEDDING, SOURCE, SyntheticCorpus, vectors
from tasks.environment.knowledge import Source
from tasks.refresh.building import BuiltGeneration, RefreshProgress, build
from tasks.refresh.gate import GateRules, examine
from tasks.refresh.ray_data import EmbeddingWork
from tasks.refresh.report import RefreshReport
from tasks.refresh.rules import RefreshRules
from tasks.refresh.scanning import Scan
from tasks.refresh.steps import Refresh, RefreshSteps
from tasks.refresh.verdicts import Verdict

# As the environment files have it.
GENERATIONS_KEPT = 3


@dataclass(frozen=True)
class SyntheticRefresh:
    """What a refresh took, in seconds, of them `build` until the generation was sealed.

    `processor` is what refresh and server used of it together, `peak_mib` the most memory that the refreshing process
    had, and `embedded` and `copied` count chunks.
    """

    generation: str
    chunks: int
    embedded: int
    copied: int
    seconds: float
    build: float
    processor: float
    peak_mib: float


def refresh_synthetic(
    settings: OpenSearchSettings, fusion: FusionSettings, corpus: SyntheticCorpus
) -> SyntheticRefresh:
    """Scan, plan, build, examine, promote and drop what is old; meant for a process of its own."""
    made_by = Provenance({SOURCE.name: SOURCE.uri}, "synthetic", EMBEDDING, None, None, fusion)
    building = 0.0

    def timed_build(
        store: KnowledgeStore,
        plan: RefreshPlan,
        work: EmbeddingWork,
        provenance: Provenance,
        on_progress: Callable[[RefreshProgress], None],
    ) -> BuiltGeneration:
        nonlocal building
        began = perf_counter()
        built = build(store, plan, work, provenance, on_progress, corpus.embed)
        building = perf_counter() - began
        return built

    store = open_store(settings)
    began, used_before = perf_counter(), process_time() + server_processor_seconds(settings.endpoint)
    steps = RefreshSteps(scan=partial(_scan, corpus), build=timed_build, examine=_examine)
    report = Refresh(store, _work(), made_by, _rules(fusion), steps).run(lambda _: None)
    return _measured(report, building, perf_counter() - began, settings, used_before)


def server_processor_seconds(endpoint: str) -> float:
    """What the server's process has used so far."""
    answer = httpx.get(f"{endpoint}/_nodes/stats/process", trust_env=False, timeout=60).raise_for_status()
    nodes: dict[str, Any] = answer.json()["nodes"]
    return sum(node["process"]["cpu"]["total_in_millis"] for node in nodes.values()) / 1000


def _measured(
    report: RefreshReport, building: float, took: float, settings: OpenSearchSettings, used_before: float
) -> SyntheticRefresh:
    return SyntheticRefresh(
        report.generation,
        report.chunks,
        report.embedded,
        report.copied,
        took,
        building,
        process_time() + server_processor_seconds(settings.endpoint) - used_before,
        _peak_mib(),
    )


def _peak_mib() -> float:
    # What getrusage tells is at least the memory of the process that started this one.
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1024


def _scan(corpus: SyntheticCorpus, _: Sequence[Source], __: int) -> Scan:
    return Scan(corpus.scanned(), {})


def _examine(
    store: KnowledgeStore, candidate: Manifest, _: EmbeddingWork, made_by: Provenance, rules: GateRules
) -> Verdict:
    return examine(store, candidate, store.serving(), made_by.embedding, vectors, rules)


def _work() -> EmbeddingWork:
    """What the pipeline of real documents would need to know is empty."""
    return EmbeddingWork(
        documents=(),
        sources={SOURCE.name: SOURCE},
        bounds=ChunkBounds(256, 32),
        max_document_bytes=0,
        model_file=Path(),
        tokenizer_file=Path(),
        context_tokens=0,
        workers=1,
        stored=frozenset(),
    )


def _rules(fusion: FusionSettings) -> RefreshRules:
    return RefreshRules(
        generations_kept=GENERATIONS_KEPT,
        gate=GateRules((), fusion, 0.0),
        guard=DeletionGuard(10, 10),
        deletions_confirmed=False,
        sources_replaced=False,
    )
