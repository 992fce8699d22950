"""The knowledge base in OpenSearch as it grows: refreshes, memory, queries, and moves from generation to generation."""

from dataclasses import dataclass
from statistics import median

import httpx
from pydantic import TypeAdapter

from agents.knowledge.fusion import FusionSettings
from agents.knowledge.store.settings import OpenSearchSettings
from bench.document import against, provenance_line, seconds, table
from bench.growth_plot import plot_growth
from bench.hybrid_queries import QueryCost, query_cost
from bench.laptop_rate import laptop_rate
from bench.moving_readers import answers_while_moving
from bench.options import NotMeasurable, Options
from bench.processes import in_new_process
from bench.record import Measured
from bench.synthetic import CHUNKS_PER_DOCUMENT, DIMENSION, SyntheticCorpus
from bench.synthetic_refresh import SyntheticRefresh, refresh_synthetic
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.refresh.inputs import fused_with
from tests.opensearch import running_opensearch, why_opensearch_cannot_run

SIZES = (1_000, 10_000, 100_000)
QUICK_SIZES = (500, 2_000)
QUESTIONS = 300
QUICK_QUESTIONS = 50
MOVED_SECONDS = 60
QUICK_MOVED_SECONDS = 5
MOST_SHARE = 0.03
MOST_QUERY_RATIO = 1.2
MOST_PEAK_MIB = 512


@dataclass(frozen=True)
class Size:
    """A knowledge base of one size: from nothing, with one document in a hundred edited, and what a query takes."""

    full: SyntheticRefresh
    edited: SyntheticRefresh
    queries: QueryCost
    index_mib: float

    def share(self, rate: float) -> float:
        """The refresh of the edited documents as share of the full one, with an embedding of `rate` chunks a second.

        Of the full one only the embedding counts, which hides the writing; of the other both, one after the other.
        """
        return (self.edited.seconds + self.edited.embedded / rate) / (self.full.chunks / rate)


@dataclass(frozen=True)
class Moved:
    """Answers while generations were promoted and rolled back; `rarer` is how many came from the rarer generation."""

    seconds: float
    moves: int
    answers: int
    rarer: int
    mixed: int
    failed: int


@dataclass(frozen=True)
class StoreGrowth:
    """`rates` are chunks a second that the laptop's model embeds, before and after."""

    rates: tuple[float, float]
    candidates: int
    sizes: tuple[Size, ...]
    moved: Moved


RECORD = TypeAdapter(Measured[StoreGrowth])


def measure(options: Options) -> StoreGrowth:
    """Grow a knowledge base in a server of its own.

    Raises:
        NotMeasurable: the server cannot run here.
    """
    if reason := why_opensearch_cannot_run():
        raise NotMeasurable(f"OpenSearch cannot run here: {reason}")
    fusion = load_environment(EnvironmentName.PROD).knowledge.fusion
    settings = fused_with(fusion)
    before = laptop_rate()
    with running_opensearch() as address:
        wanted = QUICK_SIZES if options.quick else SIZES
        sizes = tuple(_grown(address, settings, chunks, options.quick) for chunks in wanted)
        moved = _moved(address, settings, QUICK_MOVED_SECONDS if options.quick else MOVED_SECONDS)
    return StoreGrowth((before, laptop_rate()), fusion.candidates, sizes, moved)


def _grown(address: str, fusion: FusionSettings, chunks: int, quick: bool) -> Size:
    settings = OpenSearchSettings(address, f"knowledge-{chunks}", shards=1, replicas=0)
    documents = chunks // CHUNKS_PER_DOCUMENT
    full = in_new_process(refresh_synthetic, settings, fusion, SyntheticCorpus(documents, 0))
    print(f"{chunks:,} chunks in {seconds(full.seconds)}", flush=True)
    edited = in_new_process(refresh_synthetic, settings, fusion, SyntheticCorpus(documents, 1))
    print(f"of them {edited.embedded:,} edited in {seconds(edited.seconds)}", flush=True)
    queries = in_new_process(query_cost, settings, fusion, QUICK_QUESTIONS if quick else QUESTIONS)
    print(f"hybrid {median(queries.hybrid):.1f} ms, raw {median(queries.raw):.1f} ms", flush=True)
    return Size(full, edited, queries, _index_mib(settings, full.generation))


def _index_mib(settings: OpenSearchSettings, generation: str) -> float:
    index = f"{settings.index_prefix}-{generation}"
    answer = httpx.get(f"{settings.endpoint}/{index}/_stats/store", trust_env=False, timeout=60).raise_for_status()
    return answer.json()["_all"]["primaries"]["store"]["size_in_bytes"] / 2**20


def _moved(address: str, fusion: FusionSettings, duration: float) -> Moved:
    settings = OpenSearchSettings(address, "knowledge-moving", shards=1, replicas=0)
    older, newer = (
        in_new_process(refresh_synthetic, settings, fusion, SyntheticCorpus(100, edition, edited_one_in=1)).generation
        for edition in (0, 1)
    )
    answers = in_new_process(answers_while_moving, settings, fusion, (older, newer), duration)
    each = [answers.by_generation[generation] for generation in (older, newer)]
    return Moved(duration, answers.moves, sum(each), min(each), answers.mixed, answers.failed)


def tables(record: Measured[StoreGrowth]) -> str:
    """The section of the document."""
    result = record.result
    growth = table(
        ("chunks", *(f"{size.full.chunks:,}" for size in result.sizes)),
        tuple((name, *cells) for name, cells in _rows(result)),
    )
    rates = f"{result.rates[0]:.1f} and {result.rates[1]:.1f}"
    embedding = f"The laptop's model embedded {rates} chunks/s before and after; the faster of them counts."
    made_up = (
        f"Texts and vectors ({DIMENSION} dimensions) are synthetic, in documents of {CHUNKS_PER_DOCUMENT} chunks; "
        f"{result.candidates} candidates a leg."
    )
    return f"{provenance_line(record)}\n\n{made_up} {embedding}\n\n{growth}\n\n{_moves(result.moved)}"


def picture(record: Measured[StoreGrowth]) -> bytes:
    """The growth as an SVG."""
    sizes = record.result.sizes
    return plot_growth(
        [size.full.chunks for size in sizes],
        {
            "full refresh without embedding": [size.full.seconds for size in sizes],
            "refresh with 1 % edited": [size.edited.seconds for size in sizes],
        },
        {
            "hybrid query": [median(size.queries.hybrid) for size in sizes],
            "its _msearch alone": [median(size.queries.raw) for size in sizes],
        },
    )


def _rows(result: StoreGrowth) -> list[tuple[str, list[str]]]:
    rate = max(result.rates)
    return [
        ("full refresh without embedding", [seconds(size.full.seconds) for size in result.sizes]),
        ("its processor time, server included", [seconds(size.full.processor) for size in result.sizes]),
        ("embedding all of them", [seconds(size.full.chunks / rate) for size in result.sizes]),
        ("refresh with 1 % edited, without embedding", [seconds(size.edited.seconds) for size in result.sizes]),
        ("its processor time, server included", [seconds(size.edited.processor) for size in result.sizes]),
        (
            "share of the full refresh, embedding apart",
            [f"{100 * size.edited.seconds / size.full.seconds:.1f} %" for size in result.sizes],
        ),
        ("**share of the full refresh, with embedding**", [_share(size, rate, result) for size in result.sizes]),
        ("peak memory of the full refresh", [_peak(size.full, size, result) for size in result.sizes]),
        ("peak memory with 1 % edited", [_peak(size.edited, size, result) for size in result.sizes]),
        ("index", [f"{size.index_mib:.0f} MiB" for size in result.sizes]),
        ("hybrid query, median", [f"{median(size.queries.hybrid):.1f} ms" for size in result.sizes]),
        ("its `_msearch` alone, median", [f"{median(size.queries.raw):.1f} ms" for size in result.sizes]),
        ("**ratio of the two**", [_ratio(size, result) for size in result.sizes]),
    ]


def _share(size: Size, rate: float, result: StoreGrowth) -> str:
    share = size.share(rate)
    shown = f"{100 * share:.2f} %"
    return (
        against(shown, f"at most {100 * MOST_SHARE:g} %", share <= MOST_SHARE) if _is_largest(size, result) else shown
    )


def _ratio(size: Size, result: StoreGrowth) -> str:
    ratio = size.queries.ratio
    shown = f"{ratio:.2f}"
    return (
        against(shown, f"at most {MOST_QUERY_RATIO:g}", ratio <= MOST_QUERY_RATIO)
        if _is_largest(size, result)
        else shown
    )


def _peak(refresh: SyntheticRefresh, size: Size, result: StoreGrowth) -> str:
    shown = f"{refresh.peak_mib:.0f} MiB"
    reached = refresh.peak_mib <= MOST_PEAK_MIB
    return against(shown, f"at most {MOST_PEAK_MIB} MiB", reached) if _is_largest(size, result) else shown


def _is_largest(size: Size, result: StoreGrowth) -> bool:
    return size is result.sizes[-1]


def _moves(moved: Moved) -> str:
    whole = moved.mixed == 0 and moved.failed == 0
    return (
        f"Within {moved.seconds:g} s readers were moved {moved.moves} times, by promotion and rollback in turns, "
        f"between two generations that share no passage. Of {moved.answers:,} answers {moved.rarer:,} came from the "
        f"rarer one; {against(f'**{moved.failed} failed, {moved.mixed} mixed**', 'none', whole)}."
    )
