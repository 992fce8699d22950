"""How fast the laptop's model embeds, on this machine, now."""

from bench.corpus import searchable_texts
from bench.embedding import direct_throughput
from bench.figures import evenly_by_length
from bench.options import local_environment
from bench.refreshing import work_of

EMBEDDED = 96


def laptop_rate() -> float:
    """Chunks a second, by an even slice of this documentation, while nothing else is asked of the model."""
    environment = local_environment("documentation")
    sources = environment.knowledge.sources
    work = work_of(environment, sources)
    rate = direct_throughput(work, evenly_by_length(searchable_texts(sources[0], work), EMBEDDED))
    print(f"the laptop's model embeds {rate:.1f} chunks/s", flush=True)
    return rate
