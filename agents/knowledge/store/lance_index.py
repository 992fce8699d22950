"""The search structures of a generation's Lance table, and its upkeep."""

from datetime import timedelta

from lancedb.index import FTS, BTree, HnswSq
from lancedb.table import Table

# Exact search over 20,000 vectors of 384 dimensions takes about 40 ms, and needs no index to be built.
EXACT_SEARCH_ROWS = 20_000


def build_indices(table: Table, rows: int) -> None:
    """Index a table of `rows` rows: BM25 over English words, documents by URI, and many vectors by HNSW.

    Stop words and word endings are dropped; `icu/split` finds words in scripts that write no spaces too.
    """
    table.create_index("searchable_text", config=FTS(base_tokenizer="icu/split", language="English"), replace=True)
    table.create_index("document_uri", config=BTree(), replace=True)
    if rows > EXACT_SEARCH_ROWS:
        table.create_index("vector", config=HnswSq(distance_type="cosine"), replace=True)
    compact(table)


def compact(table: Table) -> None:
    """Merge small fragments and delete what they replace; nobody reads a generation that is building."""
    table.optimize(cleanup_older_than=timedelta(milliseconds=1), delete_unverified=True)
