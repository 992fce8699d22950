"""The product's refresh against LlamaIndex's ingestion pipeline and LangChain's `index()`: time, and what is right."""

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from pydantic import TypeAdapter

from bench.document import against, provenance_line, seconds, table
from bench.ingesting import Way, ways
from bench.options import BENCH_DIRECTORY, MeasurementFailed, NotMeasurable, Options, local_environment
from bench.peer_corpus import SECTIONS, PeerCorpus
from bench.processes import running
from bench.record import Measured
from bench.refreshing import work_of
from tasks.platforms.ports import free_port
from tests.opensearch import running_opensearch, why_opensearch_cannot_run

DOCUMENTS = 500
QUICK_DOCUMENTS = 12
EDITS = 3
# One in a hundred, and one where there are fewer.
EDITED_ONE_IN = 100
BATCH = 32
ADDED_BEFORE_KILL = 8
LEAST_FULL_RATIO = 1.0
LEAST_EDIT_RATIO = 5.0
STEPS = ("from nothing", "edits", "added", "deleted", "renamed", "killed and run again")


@dataclass(frozen=True)
class Ingested:
    """How one way did: seconds of the full ingest and of each edit, and what was wrong after each of `STEPS`."""

    name: str
    full: float
    edits: tuple[float, ...]
    wrong: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """The product's is the first of `ways`."""

    documents: int
    ways: tuple[Ingested, ...]

    def ratio(self, of: Callable[[Ingested], float]) -> float:
        """How many times as fast as the fastest peer the product is."""
        own, *peers = self.ways
        return min(of(peer) for peer in peers) / of(own)


RECORD = TypeAdapter(Measured[Comparison])


def measure(options: Options) -> Comparison:
    """Take every way through the same changes, in turns.

    Raises:
        NotMeasurable: OpenSearch cannot run here.
        MeasurementFailed: a way failed.
    """
    if reason := why_opensearch_cannot_run():
        raise NotMeasurable(f"OpenSearch cannot run here: {reason}")
    documents = QUICK_DOCUMENTS if options.quick else DOCUMENTS
    directory = BENCH_DIRECTORY / "peers"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    environment = local_environment("documentation")
    work = work_of(environment, environment.knowledge.sources)
    model = environment.models.catalogue[environment.models.embedding]
    port = free_port("127.0.0.1")
    url = f"http://127.0.0.1:{port}"
    server = (
        *("tasks.llama_cpp.server", "--model-file", str(work.model_file), "--alias", environment.models.embedding),
        *("--kind", "embedding", "--port", str(port), "--context", str(work.context_tokens)),
        # More than one spin against each other, and against the ways, on a machine with few cores.
        *("--threads", "1"),
    )
    shared = {
        "endpoint": f"{url}/v1",
        "model": environment.models.embedding,
        "dimension": model.dimension,
        "batch": BATCH,
    }
    with running_opensearch() as address, running(server, {}, f"{url}/health", directory / "model.log"):
        compared = ways({**shared, "opensearch": address}, directory)
        return Comparison(documents, _through_all_changes(compared, documents))


def _through_all_changes(compared: Sequence[Way], documents: int) -> tuple[Ingested, ...]:
    corpora = [PeerCorpus(Path(way.work.corpus)) for way in compared]
    taken: list[list[float]] = [[] for _ in compared]
    wrong: list[list[str]] = [[] for _ in compared]

    def step(change: Callable[[PeerCorpus], object], killed: bool = False) -> None:
        for number, (way, corpus) in enumerate(zip(compared, corpora, strict=True)):
            change(corpus)
            if killed:
                wrong[number].append(_after_a_kill(way, corpus))
            else:
                taken[number].append(way.ingest())
                wrong[number].append(differences(corpus.passages(), way.read(way.work)))
                print(f"{way.name}: {seconds(taken[number][-1])}", flush=True)
            print(f"{way.name}: {wrong[number][-1] or 'right'}", flush=True)

    edited = range(0, documents, EDITED_ONE_IN)
    step(lambda corpus: corpus.write_all(range(documents)))
    for edition in range(1, EDITS + 1):
        step(partial(PeerCorpus.edit, numbers=edited, section=4, edition=edition))
    step(lambda corpus: corpus.write_all(range(documents, documents + 2)))
    step(lambda corpus: corpus.path(5).unlink())
    step(lambda corpus: corpus.path(7).rename(corpus.path(7, "-moved")))
    step(lambda corpus: corpus.write_all(range(documents + 2, documents + 12)), killed=True)
    return tuple(
        Ingested(way.name, times[0], tuple(times[1 : EDITS + 1]), (found[0], found[EDITS], *found[EDITS + 1 :]))
        for way, times, found in zip(compared, taken, wrong, strict=True)
    )


def _after_a_kill(way: Way, corpus: PeerCorpus) -> str:
    """What is wrong when a way was killed in the middle and has run again."""
    in_the_middle = way.ingest_killed(ADDED_BEFORE_KILL)
    try:
        way.ingest()
    except MeasurementFailed as error:
        return f"it cannot run again: {str(error).splitlines()[-1]}"
    remark = "" if in_the_middle else " (it had ended before it was killed)"
    return differences(corpus.passages(), way.read(way.work)) + remark


def differences(expected: Counter[tuple[str, str]], found: Counter[tuple[str, str]]) -> str:
    """What an index lacks, holds though it is gone, and holds more than once; empty when it is right."""
    counts = {
        "lost": len(expected.keys() - found.keys()),
        "stale": len(found.keys() - expected.keys()),
        "double": sum(number > 1 for number in found.values()),
    }
    return ", ".join(f"{number} {what}" for what, number in counts.items() if number)


def tables(record: Measured[Comparison]) -> str:
    """The section of the document."""
    result = record.result
    names = [way.name for way in result.ways]
    full, edit = result.ratio(lambda way: way.full), result.ratio(lambda way: median(way.edits))
    times = table(
        ("", *names, "as fast as the faster peer"),
        (
            (
                f"full ingest of {result.documents} documents, {result.documents * SECTIONS:,} passages",
                *(seconds(way.full) for way in result.ways),
                against(f"**{full:.2f} times**", f"at least {LEAST_FULL_RATIO:g}", full >= LEAST_FULL_RATIO),
            ),
            (
                f"one paragraph edited in one document of {EDITED_ONE_IN} (median of {EDITS})",
                *(seconds(median(way.edits)) for way in result.ways),
                against(f"**{edit:.2f} times**", f"at least {LEAST_EDIT_RATIO:g}", edit >= LEAST_EDIT_RATIO),
            ),
        ),
    )
    rows = [(step, *(way.wrong[number] or "right" for way in result.ways)) for number, step in enumerate(STEPS)]
    return f"{provenance_line(record)}\n\n{times}\n\n{table(('the index after', *names), rows)}"
