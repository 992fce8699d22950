"""What a knowledge base of another size would take, on paper, from figures that were measured on a small one."""

from dataclasses import dataclass
from math import ceil

# Bytes that a search wants in memory for each chunk: a quantised vector of 384 dimensions, and 32 neighbours in the
# lowest layer of the graph (twice its m of 16) by four bytes each.
BYTES_IN_MEMORY = 384 + 32 * 4
# What a server leaves to the files it has opened: the heap takes the other half.
SHARE_FOR_FILES = 0.5
SECONDS_PER_HOUR = 3600
BYTES_PER_GIB = 2**30


@dataclass(frozen=True)
class MeasuredCost:
    """What was measured: chunks a document, chunks a second that one core embeds, and for each chunk what follows.

    `write_seconds` is the processor time of writing it, server included, and `index_bytes` what it takes on disk.
    """

    chunks_per_document: float
    embedded_per_core: float
    write_seconds: float
    index_bytes: float


@dataclass(frozen=True)
class Capacity:
    """What there would be: embedding cores, their price an hour, and search nodes of so much memory and price."""

    embedding_cores: int
    core_hour: float
    node_gib: float
    node_hour: float
    copies: int


@dataclass(frozen=True)
class Projection:
    """Chunks, hours and dollars of the first refresh's embedding, and what the search takes a month of 730 hours."""

    chunks: int
    embedding_hours: float
    embedding_dollars: float
    write_core_hours: float
    index_gib: float
    nodes: int
    month_dollars: float


def project(documents: int, measured: MeasuredCost, capacity: Capacity) -> Projection:
    """Everything grows with the number of chunks; what does not (starts, the gate) is too little to count here."""
    chunks = round(documents * measured.chunks_per_document)
    core_hours = chunks / measured.embedded_per_core / SECONDS_PER_HOUR
    in_memory = chunks * BYTES_IN_MEMORY * capacity.copies / BYTES_PER_GIB
    nodes = ceil(in_memory / (capacity.node_gib * SHARE_FOR_FILES))
    return Projection(
        chunks=chunks,
        embedding_hours=core_hours / capacity.embedding_cores,
        embedding_dollars=core_hours * capacity.core_hour,
        write_core_hours=chunks * measured.write_seconds * capacity.copies / SECONDS_PER_HOUR,
        index_gib=chunks * measured.index_bytes * capacity.copies / BYTES_PER_GIB,
        nodes=nodes,
        month_dollars=nodes * capacity.node_hour * 730,
    )
