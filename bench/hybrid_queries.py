"""What the product's hybrid search costs beside the bare request that it makes."""

from dataclasses import dataclass
from statistics import median
from time import perf_counter

from agents.knowledge.fusion import FusionSettings
from agents.knowledge.search import hybrid_search
from agents.knowledge.store import Filters
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.opensearch_client import open_client
from agents.knowledge.store.opensearch_query import hybrid_query
from agents.knowledge.store.settings import OpenSearchSettings
from bench.synthetic import EMBEDDING, question

WARM_UP = 20
PASSAGES = 10


@dataclass(frozen=True)
class QueryCost:
    """Milliseconds of each question: by hybrid search, and by the same `_msearch` sent as it is."""

    hybrid: tuple[float, ...]
    raw: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median of the one over the median of the other."""
        return median(self.hybrid) / median(self.raw)


def query_cost(settings: OpenSearchSettings, fusion: FusionSettings, questions: int) -> QueryCost:
    """Ask the serving generation in both ways, one after the other, in turns: whatever else runs slows both."""
    store, client = open_store(settings), open_client(settings)
    serving = store.serving()
    assert serving is not None
    index = f"{settings.index_prefix}-{serving.generation}"
    took: tuple[list[float], list[float]] = ([], [])

    def hybrid(text: str, vector: list[float]) -> None:
        hybrid_search(store, serving, text, vector, EMBEDDING, fusion, PASSAGES)

    def raw(text: str, vector: list[float]) -> None:
        client.msearch(index=index, body=hybrid_query(text, vector, fusion.candidates, Filters()))

    for number in range(WARM_UP + questions):
        text, vector = question(number)
        for way in (0, 1) if number % 2 else (1, 0):
            began = perf_counter()
            (hybrid, raw)[way](text, vector)
            if number >= WARM_UP:
                took[way].append(1000 * (perf_counter() - began))
    store.close()
    client.close()
    return QueryCost(tuple(took[0]), tuple(took[1]))
