"""One paragraph in a hundred documents edited, in a knowledge base of many: the product's refresh against its peers.

Bringing the many in with the laptop's model would take an hour, so their vectors are made up; what the model would take
for the passages that are embedded is added from the rate that it has on the same machine before and after.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx
from pydantic import TypeAdapter

from bench.document import against, provenance_line, seconds, table
from bench.ingesting import Way, ways
from bench.laptop_rate import laptop_rate
from bench.options import BENCH_DIRECTORY, MeasurementFailed, NotMeasurable, Options
from bench.peer_corpus import SECTIONS, PeerCorpus
from bench.peers import BATCH, EDITED_ONE_IN, EDITS, LEAST_EDIT_RATIO, differences
from bench.processes import running
from bench.record import Measured
from bench.synthetic import DIMENSION
from bench.synthetic_endpoint import COUNT_PATH, HEALTH_PATH
from tasks.platforms.ports import free_port
from tests.opensearch import running_opensearch, why_opensearch_cannot_run

SIZES = (500, 5_000)
QUICK_SIZES = (10, 100)


@dataclass(frozen=True)
class Edited:
    """How one way did, in seconds without the model; `embedded` is how many texts each edit had embedded."""

    name: str
    full: float
    edits: tuple[float, ...]
    embedded: tuple[int, ...]

    def edit(self, rate: float) -> float:
        """The median of an edit, with a model that embeds `rate` texts a second."""
        return median(took + texts / rate for took, texts in zip(self.edits, self.embedded, strict=True))


@dataclass(frozen=True)
class Size:
    """A corpus of so many documents; the product is the first of `ways`."""

    documents: int
    ways: tuple[Edited, ...]

    def ratio(self, rate: float) -> float:
        """How many times as fast as the fastest peer an edit of the product is."""
        own, *peers = (way.edit(rate) for way in self.ways)
        return min(peers) / own


@dataclass(frozen=True)
class Edits:
    """`rates` are texts a second that the laptop's model embeds, before and after."""

    rates: tuple[float, float]
    sizes: tuple[Size, ...]


RECORD = TypeAdapter(Measured[Edits])


def measure(options: Options) -> Edits:
    """Take every way through the same edits, in turns, in a corpus of each size.

    Raises:
        NotMeasurable: OpenSearch cannot run here.
        MeasurementFailed: a way failed, or left its index wrong.
    """
    if reason := why_opensearch_cannot_run():
        raise NotMeasurable(f"OpenSearch cannot run here: {reason}")
    before = laptop_rate()
    sizes = tuple(_edited(documents) for documents in (QUICK_SIZES if options.quick else SIZES))
    return Edits((before, laptop_rate()), sizes)


def _edited(documents: int) -> Size:
    directory = BENCH_DIRECTORY / "edits"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    port = free_port("127.0.0.1")
    url = f"http://127.0.0.1:{port}"
    server = ("bench.synthetic_endpoint", "--port", str(port))
    shared = {"endpoint": f"{url}/v1", "model": "synthetic", "dimension": DIMENSION, "batch": BATCH}
    with running_opensearch() as address, running(server, {}, url + HEALTH_PATH, directory / "endpoint.log"):
        compared = ways({**shared, "opensearch": address}, directory)
        return Size(documents, _through_the_edits(compared, documents, url + COUNT_PATH))


def _through_the_edits(compared: Sequence[Way], documents: int, count_url: str) -> tuple[Edited, ...]:
    full: list[float] = []
    edits: list[list[float]] = [[] for _ in compared]
    embedded: list[list[int]] = [[] for _ in compared]
    corpora = [PeerCorpus(Path(way.work.corpus)) for way in compared]
    for way, corpus in zip(compared, corpora, strict=True):
        corpus.write_all(range(documents))
        full.append(way.ingest())
        print(f"{way.name}: {documents:,} documents in {seconds(full[-1])}", flush=True)
    for edition in range(1, EDITS + 1):
        for number, (way, corpus) in enumerate(zip(compared, corpora, strict=True)):
            corpus.edit(range(0, documents, EDITED_ONE_IN), section=4, edition=edition)
            counted = _counted(count_url)
            edits[number].append(way.ingest())
            embedded[number].append(_counted(count_url) - counted)
            print(f"{way.name}: {embedded[number][-1]} embedded, {seconds(edits[number][-1])}", flush=True)
    for way, corpus in zip(compared, corpora, strict=True):
        if wrong := differences(corpus.passages(), way.read(way.work)):
            raise MeasurementFailed(f"the index of {way.name} is wrong after the edits: {wrong}")
    return tuple(
        Edited(way.name, full[number], tuple(edits[number]), tuple(embedded[number]))
        for number, way in enumerate(compared)
    )


def _counted(url: str) -> int:
    return int(httpx.get(url, timeout=60, trust_env=False).raise_for_status().json())


def tables(record: Measured[Edits]) -> str:
    """The section of the document."""
    result = record.result
    rate = max(result.rates)
    names = [way.name for way in result.sizes[0].ways]
    rows = [row for size in result.sizes for row in _rows(size, rate, size is result.sizes[-1])]
    rates = f"{result.rates[0]:.1f} and {result.rates[1]:.1f}"
    model = f"The laptop's model embedded {rates} texts/s before and after; the faster of them counts."
    return f"{provenance_line(record)}\n\n{model}\n\n{table(('', *names, 'as fast as the faster peer'), rows)}"


def _rows(size: Size, rate: float, largest: bool) -> list[tuple[str, ...]]:
    ratio = size.ratio(rate)
    shown = f"**{ratio:.2f} times**"
    held = f"{size.documents:,} documents, {size.documents * SECTIONS:,} passages"
    return [
        (f"{held}: full, without the model", *(seconds(way.full) for way in size.ways), ""),
        ("texts embedded for an edit", *(f"{median(way.embedded):,.0f}" for way in size.ways), ""),
        ("an edit without the model", *(seconds(median(way.edits)) for way in size.ways), ""),
        (
            "an edit",
            *(seconds(way.edit(rate)) for way in size.ways),
            against(shown, f"at least {LEAST_EDIT_RATIO:g}", ratio >= LEAST_EDIT_RATIO) if largest else shown,
        ),
    ]
