"""Chunks as rows of a Lance table, and conditions on them."""
# pyarrow ships no types.
# pyright: reportUnknownParameterType=false

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from agents.knowledge.store import Chunk, EmbeddedChunk, Filters

CHUNK_COLUMNS = (
    "chunk_id",
    "document_uri",
    "source",
    "path",
    "title",
    "media_type",
    "heading_path",
    "text",
    "start",
    "end",
    "ordinal",
    "content_hash",
)


def table_schema(dimension: int) -> pa.Schema:
    """The columns of a generation's table: those of a chunk, what BM25 indexes, and a float32 vector."""
    types: dict[str, pa.DataType] = dict.fromkeys(CHUNK_COLUMNS, pa.string())
    types["heading_path"] = pa.list_(pa.string())
    types |= dict.fromkeys(("start", "end", "ordinal"), pa.int64())
    return pa.schema([*types.items(), ("searchable_text", pa.string()), ("vector", pa.list_(pa.float32(), dimension))])


def rows_from_chunks(chunks: Iterable[EmbeddedChunk], schema: pa.Schema) -> pa.Table:
    """One row a chunk id; of chunks with the same id the last one counts.

    Raises:
        ValueError: a vector is not as long as the table's.
    """
    dimension = schema.field("vector").type.list_size
    unique = {embedded.chunk.chunk_id: embedded for embedded in chunks}
    for chunk_id, embedded in unique.items():
        if len(embedded.vector) != dimension:
            raise ValueError(
                f"the vector of chunk {chunk_id!r} has {len(embedded.vector)} numbers, the generation needs {dimension}"
            )
    rows = [embedded.chunk for embedded in unique.values()]
    columns: dict[str, Any] = {column: [getattr(chunk, column) for chunk in rows] for column in CHUNK_COLUMNS}
    columns["searchable_text"] = [chunk.searchable_text for chunk in rows]
    columns["vector"] = [embedded.vector for embedded in unique.values()]
    return pa.table(columns, schema=schema)


def chunks_from_rows(rows: pa.Table | pa.RecordBatch) -> list[Chunk]:
    """The chunks of these rows, in their order; columns that are not a chunk's are left out."""
    records: list[dict[str, Any]] = rows.select(list(CHUNK_COLUMNS)).to_pylist()
    for record in records:
        record["heading_path"] = tuple(record["heading_path"])
    return [Chunk(**record) for record in records]


def condition(filters: Filters) -> str | None:
    """The SQL condition of these filters; None when they restrict nothing."""
    named = [
        one_of(column, values)
        for column, values in (("source", filters.sources), ("document_uri", filters.document_uris))
        if values
    ]
    places = " AND ".join(named)
    if named and filters.also:
        places = f"({places} OR {one_of('document_uri', filters.also)})"
    types = one_of("media_type", filters.media_types) if filters.media_types else ""
    return " AND ".join(clause for clause in (places, types) if clause) or None


def one_of(column: str, values: Sequence[str]) -> str:
    """The SQL condition that a column has one of these values (at least one)."""
    quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f"{column} IN ({quoted})"
