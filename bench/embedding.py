"""The embedding model by itself: as many processes as a refresh has workers, given the chunks directly."""

import multiprocessing
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.options import BENCH_DIRECTORY
from tasks.embedding.llama_embedder import LlamaEmbedder
from tasks.refresh.ray_data import CHUNKS_PER_BATCH, EmbeddingWork

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

LOADED_WITHIN_SECONDS = 120


@dataclass(frozen=True)
class _Step:
    """One batch that a worker embedded."""

    worker: int
    chunks: int
    seconds: float


def direct_throughput(work: EmbeddingWork, texts: Sequence[str]) -> float:
    """Chunks a second that all workers together embed, while nothing else is asked of them.

    Model file, context, threads and size of the batches are those of a refresh. The rates of the workers are added
    up, so that a worker that ends first does not count as slow; loading the model is not counted.
    """
    batches = [texts[first : first + CHUNKS_PER_BATCH] for first in range(0, len(texts), CHUNKS_PER_BATCH)]
    context = multiprocessing.get_context("spawn")
    arguments = (work.model_file, work.context_tokens, context.Barrier(work.workers))
    with ProcessPoolExecutor(work.workers, context, _load, arguments) as pool:
        steps = list(pool.map(_embed, batches))
    return combined_rate([(step.worker, step.chunks, step.seconds) for step in steps])


def combined_rate(steps: Sequence[tuple[int, int, float]]) -> float:
    """The sum of the workers' own rates; a step is worker, chunks and seconds."""
    chunks: dict[int, int] = defaultdict(int)
    busy: dict[int, float] = defaultdict(float)
    for worker, count, duration in steps:
        chunks[worker] += count
        busy[worker] += duration
    return sum(chunks[worker] / busy[worker] for worker in chunks)


# A pool gives its initializer no other way to leave something for the calls.
_loaded: list[LlamaEmbedder] = []


def _load(model_file: Path, context_tokens: int, all_loaded: "Barrier") -> None:
    log_to_file()
    embedder = LlamaEmbedder(model_file, context_tokens, threads=1)
    embedder.embed(["The first input allocates the model's buffers."])
    _loaded.append(embedder)
    # A worker that began before the others are there would have the machine to itself.
    all_loaded.wait(LOADED_WITHIN_SECONDS)


def _embed(texts: Sequence[str]) -> _Step:
    began = time.perf_counter()
    _loaded[0].embed(texts)
    return _Step(os.getpid(), len(texts), time.perf_counter() - began)


def vectors(work: EmbeddingWork, texts: Sequence[str]) -> list[list[float]]:
    """Unit-length vectors of the texts, in order; meant for a process of its own, which the model leaves with it."""
    log_to_file()
    # More threads would wait for each other wherever a core has something else to do.
    embedder = LlamaEmbedder(work.model_file, work.context_tokens, threads=1)
    return [vector for text in texts for vector in embedder.embed([text])]


def log_to_file() -> None:
    """Take llama.cpp's words from this process's terminal, for as long as it lives."""
    # It writes three lines an input to stderr; Ray's workers have a file there, too.
    BENCH_DIRECTORY.mkdir(exist_ok=True)
    with tempfile.TemporaryFile(dir=BENCH_DIRECTORY) as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
