"""A full refresh of the knowledge base against the embedding model alone, and a refresh that finds nothing to do."""

import shutil
from dataclasses import dataclass
from statistics import harmonic_mean, median
from time import perf_counter

from pydantic import TypeAdapter

from bench.corpus import html_corpus, searchable_texts, write_documents
from bench.document import against, provenance_line, seconds, table
from bench.embedding import direct_throughput
from bench.figures import evenly_by_length
from bench.options import BENCH_DIRECTORY, Options, local_environment
from bench.processes import in_new_process
from bench.record import Measured
from bench.refreshing import Refreshed, refresh, work_of

SLICE = 1500
QUICK_SLICE = 128
STARTS = 3
UNCHANGED_ROUNDS = 5
LEAST_RATIO = 0.85
MOST_DRIFT = 0.1
MOST_UNCHANGED = 0.02


@dataclass(frozen=True)
class RefreshCost:
    """All durations in seconds, all rates in chunks a second.

    `ray_starts` is from the beginning of a refresh of one sentence until its vector was there. `direct` is the rate of
    the embedding model alone before and after the full refresh. `cutting` is reading, parsing and cutting in one
    process.
    """

    corpus: str
    workers: int
    cutting: float
    slice_chunks: int
    direct: tuple[float, float]
    ray_starts: tuple[float, ...]
    full: Refreshed
    unchanged: tuple[Refreshed, ...]

    @property
    def without_start(self) -> float:
        """Seconds of the full refresh beside those of Ray's start."""
        return self.full.seconds - median(self.ray_starts)

    @property
    def ratio(self) -> float:
        """The refresh's rate as share of the embedding model's own."""
        return self.full.chunks / self.without_start / harmonic_mean(self.direct)

    @property
    def drift(self) -> float:
        """How far the model's own rate moved while the refresh ran, as share of the faster of its two rates."""
        return 1 - min(self.direct) / max(self.direct)

    @property
    def unchanged_share(self) -> float:
        """The time of a refresh that finds nothing to do, as share of the full one."""
        return median(one.seconds for one in self.unchanged) / self.full.seconds


RECORD = TypeAdapter(Measured[RefreshCost])


def measure(options: Options) -> RefreshCost:
    """Embed a slice, refresh everything from nothing, embed the slice again, and refresh five times more."""
    environment = local_environment("refresh")
    source = html_corpus(options.corpus, options.quick)
    shutil.rmtree(BENCH_DIRECTORY / "refresh", ignore_errors=True)
    work = work_of(environment, (source,))
    began = perf_counter()
    texts = searchable_texts(source, work)
    cutting = perf_counter() - began
    chosen = evenly_by_length(texts, QUICK_SLICE if options.quick else SLICE)
    print(f"{len(texts)} chunks were cut in {seconds(cutting)}; {len(chosen)} go to the model directly", flush=True)
    before = direct_throughput(work, chosen)
    print(f"the model alone: {before:.2f} chunks/s", flush=True)
    starts = tuple(_ray_start() for _ in range(STARTS))
    print(f"Ray's start: {', '.join(map(seconds, starts))}", flush=True)
    full = in_new_process(refresh, environment, (source,))
    print(f"the refresh: {full.chunks} chunks in {seconds(full.seconds)}", flush=True)
    after = direct_throughput(work, chosen)
    print(f"the model alone: {after:.2f} chunks/s", flush=True)
    unchanged = tuple(in_new_process(refresh, environment, (source,)) for _ in range(UNCHANGED_ROUNDS))
    return RefreshCost(source.name, work.workers, cutting, len(chosen), (before, after), starts, full, unchanged)


def _ray_start() -> float:
    shutil.rmtree(BENCH_DIRECTORY / "ray-start" / "knowledge", ignore_errors=True)
    environment = local_environment("ray-start")
    sentence = [("sentence", "The first vector shows that Ray and its first actor are ready.")]
    source = write_documents(BENCH_DIRECTORY / "ray-start" / "sentence", sentence)
    work_of(environment, (source,))
    done = in_new_process(refresh, environment, (source,))
    if done.first_vectors is None:
        raise RuntimeError(f"the refresh of one sentence embedded nothing: {done!r}")
    return done.first_vectors - done.scanned


def tables(record: Measured[RefreshCost]) -> str:
    """The section of the document."""
    cost = record.result
    full, direct = cost.full, harmonic_mean(cost.direct)
    throughput = table(
        ("Full refresh", "figure"),
        (
            (
                "corpus",
                f"{cost.corpus}: {full.documents:,} pages, {full.chunks:,} chunks, {full.unreadable} unreadable",
            ),
            ("from the first file read to searchable", seconds(full.seconds)),
            ("of it Ray's start (median of three)", seconds(median(cost.ray_starts))),
            ("refresh, Ray's start apart", f"{full.chunks / cost.without_start:.2f} chunks/s"),
            ("refresh, Ray's start included", f"{full.chunks / full.seconds:.2f} chunks/s"),
            (
                f"embedding model alone, {cost.workers} processes, {cost.slice_chunks:,} of the chunks",
                f"{direct:.2f} chunks/s ({cost.direct[0]:.2f} before, {cost.direct[1]:.2f} after)",
            ),
            ("reading, parsing and cutting alone, one process", seconds(cost.cutting)),
            ("ratio, Ray's start apart", _judged_ratio(cost)),
            ("ratio, Ray's start included", f"{full.chunks / full.seconds / direct:.3f}"),
        ),
    )
    share = cost.unchanged_share
    durations = sorted(one.seconds for one in cost.unchanged)
    unchanged = table(
        ("Refresh of the unchanged corpus", "figure"),
        (
            ("chunks in the knowledge base", f"{full.chunks:,}"),
            ("chunks embedded", f"{sum(one.embedded for one in cost.unchanged)} in {len(durations)} refreshes"),
            ("time", f"{seconds(median(durations))} (median; slowest {seconds(durations[-1])})"),
            (
                "share of the full refresh",
                against(f"**{100 * share:.2f} %**", f"under {100 * MOST_UNCHANGED:g} %", share < MOST_UNCHANGED),
            ),
        ),
    )
    return f"{provenance_line(record)}\n\n{throughput}\n\n{unchanged}"


def _judged_ratio(cost: RefreshCost) -> str:
    if cost.drift > MOST_DRIFT:
        # Something else used the machine, so that the two were not measured under equal conditions.
        return f"{cost.ratio:.3f} (proves nothing: the model's own rate moved by {100 * cost.drift:.0f} % meanwhile)"
    return against(f"**{cost.ratio:.3f}**", f"at least {LEAST_RATIO}", cost.ratio >= LEAST_RATIO)
