"""The figures of the decision about ten million documents are those of the function."""

from bench.projection import Capacity, MeasuredCost, project
from tasks.environment import REPOSITORY

# docs/benchmarks.md and the decision say where these were measured; the prices are those of infra/prices.json.
MEASURED = MeasuredCost(chunks_per_document=10.2, embedded_per_core=11.3, write_seconds=0.0021, index_bytes=9930)
CAPACITY = Capacity(embedding_cores=96, core_hour=0.29 / 8, node_gib=64, node_hour=0.711, copies=2)
DECISION = REPOSITORY / "docs" / "decisions" / "0032-ten-million-documents-on-paper.md"


def test_the_decision_states_what_follows_from_the_measured_figures() -> None:
    paper = project(10_000_000, MEASURED, CAPACITY)
    text = DECISION.read_text(encoding="utf-8")
    for stated in (
        f"{paper.chunks / 1e6:.0f} million chunks",
        f"{paper.embedding_hours:.0f} hours",
        f"${paper.embedding_dollars:.0f}",
        f"{paper.write_core_hours:.0f} core hours",
        f"{paper.index_gib:,.0f} GiB",
        f"{paper.nodes} data nodes",
        f"${paper.month_dollars:,.0f} a month",
    ):
        assert stated in text, stated


def test_it_grows_with_the_documents() -> None:
    small, large = (project(documents, MEASURED, CAPACITY) for documents in (1_000_000, 10_000_000))
    assert large.embedding_hours == 10 * small.embedding_hours
    assert large.index_gib == 10 * small.index_gib
    assert (small.nodes, large.nodes) == (1, 4)
