"""Generations in LanceDB, embedded in the process: one table a generation.

A generation exists while its manifest file does: `create` makes the table first and `drop` deletes
it last, so that a table without manifest is only ever the leftover of a crash.
"""
# pyarrow ships no types.
# pyright: reportUnknownParameterType=false, reportAttributeAccessIssue=false

import shutil
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lancedb
import pyarrow as pa
import pyarrow.compute as pc
from lancedb.query import MatchQuery
from lancedb.table import Table

from agents.knowledge.generation import Manifest
from agents.knowledge.store import Chunk, EmbeddedChunk, Filters, Hit, Legs, StoreUnavailable
from agents.knowledge.store.lance_index import build_indices, compact
from agents.knowledge.store.lance_rows import (
    CHUNK_COLUMNS,
    chunks_from_rows,
    condition,
    one_of,
    rows_from_chunks,
    table_schema,
)
from agents.knowledge.store.manifest_files import ManifestFiles
from agents.knowledge.store.note_files import NoteFiles

# Each write makes a fragment; merging finds replaced chunks by reading all of them.
FRAGMENTS_BEFORE_COMPACTION = 64
ROWS_PER_BATCH = 4096
URIS_PER_CONDITION = 500


class LanceStore:
    """A `KnowledgeStore` in a local directory. Threads may share one; processes open their own.

    What is written survives a killed process; it is not synced to the disk, so it may not survive a
    power failure before `seal`.
    """

    def __init__(self, directory: Path) -> None:
        """Open the store, making its directory.

        Raises:
            StoreUnavailable: the directory cannot be made or used.
        """
        self._directory = directory
        with self._lance_errors():
            for part in ("manifests", "notes"):
                (directory / part).mkdir(parents=True, exist_ok=True)
            self._database = lancedb.connect(directory / "tables")
        self._manifests = ManifestFiles(directory / "manifests")
        self._notes = NoteFiles(directory / "notes")
        self._sealed_tables: dict[str, Table] = {}

    def create(self, manifest: Manifest) -> None:
        """Make the empty table of a generation in state `building`; nothing when it exists already."""
        if manifest.generation in self._manifests.generations():
            return
        self.drop_leftovers()
        with self._lance_errors():
            self._database.create_table(manifest.generation, schema=table_schema(manifest.embedding.dimension))
            self._manifests.write(manifest)

    def add(self, generation: str, chunks: Sequence[EmbeddedChunk]) -> None:
        """Write chunks with their vectors, in place of those of the same id.

        Raises:
            ValueError: the generation is sealed, or a vector has the wrong length.
        """
        if chunks:
            table = self._unsealed_table(generation)
            self._merge(generation, table, rows_from_chunks(chunks, table.schema))

    def copy(self, origin: str, generation: str, document_uris: Sequence[str]) -> int:
        """Copy all chunks of these documents from another generation, batch by batch; returns how many."""
        source, table = self._table(origin), self._unsealed_table(generation)
        if source.schema != table.schema:
            raise ValueError(f"generation {origin!r} has other columns or another dimension than {generation!r}")
        wanted = pa.array(document_uris, pa.string())
        copied = 0
        with self._lance_errors(origin):
            for batch in source.search().limit(None).to_batches(ROWS_PER_BATCH):
                part = batch.filter(pc.is_in(batch["document_uri"], wanted))
                if part.num_rows:
                    self._merge(generation, table, pa.Table.from_batches([part]))
                    copied += part.num_rows
        return copied

    def chunk_counts(self, generation: str) -> dict[tuple[str, str], int]:
        """How many chunks there are per (document URI, content hash)."""
        counts: Counter[tuple[str, str]] = Counter()
        with self._lance_errors(generation):
            scan = self._table(generation).search().select(["document_uri", "content_hash"]).limit(None)
            for batch in scan.to_batches(ROWS_PER_BATCH):
                counts.update(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        return dict(counts)

    def delete_documents(self, generation: str, document_uris: Sequence[str]) -> None:
        """Remove all chunks of these documents from a generation in state `building`."""
        table = self._unsealed_table(generation)
        with self._lance_errors(generation):
            for first in range(0, len(document_uris), URIS_PER_CONDITION):
                table.delete(one_of("document_uri", document_uris[first : first + URIS_PER_CONDITION]))

    def seal(self, manifest: Manifest) -> None:
        """Build the search structures, check the number of chunks, and store the manifest as `ready`.

        Raises:
            ValueError: the table does not hold `manifest.chunk_count` chunks.
        """
        generation = manifest.generation
        table = self._table(generation)
        rows = table.count_rows()
        if rows != manifest.chunk_count:
            raise ValueError(f"generation {generation!r} holds {rows} chunks, its manifest says {manifest.chunk_count}")
        with self._lance_errors(generation):
            if not self._manifests.is_ready(generation):
                build_indices(table, rows)
            self._manifests.write(manifest.model_copy(update={"state": "ready"}))

    def promote(self, generation: str) -> None:
        """Make a `ready` generation the serving one, by replacing the pointer file."""
        if not self._manifests.is_ready(generation):
            raise ValueError(f"generation {generation!r} is still building; seal it before it is promoted")
        with self._lance_errors():
            self._manifests.serve(generation)

    def serving(self) -> Manifest | None:
        """The manifest of the serving generation; one `stat` of the pointer file unless it has moved."""
        with self._lance_errors():
            return self._manifests.serving()

    def manifests(self) -> list[Manifest]:
        """All generations, newest first."""
        with self._lance_errors():
            manifests = self._manifests.all()
        return sorted(manifests, key=lambda manifest: (manifest.created_at, manifest.generation), reverse=True)

    def drop(self, generation: str) -> None:
        """Delete a generation that is not serving (ValueError when it is); nothing when it is gone already.

        A reader in the middle of a query on it gets `UnknownGeneration`.
        """
        serving = self.serving()
        if serving and serving.generation == generation:
            raise ValueError(f"generation {generation!r} is serving; promote another one before it is dropped")
        with self._lance_errors():
            self._manifests.remove(generation)
            self._sealed_tables.pop(generation, None)
        self.drop_leftovers()

    def drop_leftovers(self) -> list[str]:
        """Delete the tables that have no manifest; returns their names."""
        with self._lance_errors():
            tables = {path.stem for path in (self._directory / "tables").glob("*.lance")}
            left = sorted(tables - set(self._manifests.generations()))
            for name in left:
                self._database.drop_table(name)
        return left

    def search(self, generation: str, text: str, vector: Sequence[float], limit: int, filters: Filters) -> Legs:
        """Both legs on one version of the table: Lance's BM25, and cosine similarity."""
        if not self._manifests.is_ready(generation):
            raise ValueError(f"generation {generation!r} is still building; seal it before it is searched")
        where = condition(filters)
        with self._lance_errors(generation):
            table = self._table(generation)
            match = MatchQuery(text, column="searchable_text")  # pyright: ignore[reportCallIssue]  # all have defaults
            lexical = table.search(match, query_type="fts")
            # Refining rescores an index's candidates by their full vectors: scores are exact with and without it.
            dense = table.search(list(vector), vector_column_name="vector").distance_type("cosine").refine_factor(2)
            found = [_hits(query, where, score, limit) for query, score in ((lexical, "_score"), (dense, "_distance"))]
        return Legs(lexical=found[0], dense=[Hit(hit.chunk, 1 - hit.score) for hit in found[1]])

    def document(self, generation: str, document_uri: str) -> list[Chunk]:
        """All chunks of one document, in order; empty when the generation does not hold it."""
        with self._lance_errors(generation):
            scan = self._table(generation).search().where(one_of("document_uri", [document_uri])).limit(None)
            rows = scan.select(list(CHUNK_COLUMNS)).to_arrow()
        return sorted(chunks_from_rows(rows), key=lambda chunk: chunk.ordinal)

    def embedded(self, generation: str, document_uris: Sequence[str]) -> Iterator[EmbeddedChunk]:
        """All chunks of these documents with their vectors, a batch in memory at a time."""
        with self._lance_errors(generation):
            table = self._table(generation)
            for first in range(0, len(document_uris), URIS_PER_CONDITION):
                where = one_of("document_uri", document_uris[first : first + URIS_PER_CONDITION])
                scan = table.search().where(where).select([*CHUNK_COLUMNS, "vector"]).limit(None)
                for batch in scan.to_batches(ROWS_PER_BATCH):
                    vectors = batch["vector"].to_pylist()
                    yield from map(EmbeddedChunk, chunks_from_rows(batch), vectors)

    def chunks(self, generation: str) -> Iterator[Chunk]:
        """Every chunk of a generation in the order of the table, a batch in memory at a time."""
        with self._lance_errors(generation):
            scan = self._table(generation).search().select(list(CHUNK_COLUMNS)).limit(None)
            for batch in scan.to_batches(ROWS_PER_BATCH):
                yield from chunks_from_rows(batch)

    def note(self, name: str) -> str | None:
        """What was last written under this name; None when nothing was."""
        with self._lance_errors():
            return self._notes.read(name)

    def write_note(self, name: str, text: str) -> None:
        """Keep a small text under a name, in place of the former one."""
        with self._lance_errors():
            self._notes.write(name, text)

    def close(self) -> None:
        """Forget the open tables; LanceDB releases their files with them."""
        self._sealed_tables.clear()

    def _table(self, generation: str) -> Table:
        """A sealed generation's table at its last version, opened once; or one that is building, opened anew."""
        table = self._sealed_tables.get(generation)
        if table is not None:
            return table
        ready = self._manifests.is_ready(generation)
        try:
            table = self._database.open_table(generation)
        except ValueError as error:
            self._manifests.is_ready(generation)  # dropped meanwhile: UnknownGeneration
            raise StoreUnavailable(f"the table of generation {generation!r} is missing in {self._directory}") from error
        if ready:
            table.checkout(table.version)
            self._sealed_tables = {
                name: kept for name, kept in self._sealed_tables.items() if name in self._manifests.generations()
            } | {generation: table}
        return table

    def _unsealed_table(self, generation: str) -> Table:
        if self._manifests.is_ready(generation):
            raise ValueError(f"generation {generation!r} is sealed and never changes; build a new one")
        with self._lance_errors(generation):
            return self._table(generation)

    def _merge(self, generation: str, table: Table, rows: pa.Table) -> None:
        with self._lance_errors(generation):
            table.merge_insert("chunk_id").when_matched_update_all().when_not_matched_insert_all().execute(rows)
            statistics: Any = table.stats()
            if statistics["fragment_stats"]["num_small_fragments"] >= FRAGMENTS_BEFORE_COMPACTION:
                compact(table)

    @contextmanager
    def _lance_errors(self, generation: str | None = None) -> Generator[None]:
        """Say which store failed, or that the generation is gone; Lance has no error class but RuntimeError."""
        try:
            yield
        except (RuntimeError, OSError) as error:
            if generation is not None:
                self._manifests.is_ready(generation)
            free = shutil.disk_usage(_existing(self._directory)).free // 2**20
            raise StoreUnavailable(
                f"the LanceDB store in {self._directory} failed ({free} MiB are free there): {error}"
            ) from error


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())


def _hits(query: Any, where: str | None, score: str, limit: int) -> list[Hit]:
    query = query.select([*CHUNK_COLUMNS, score]).limit(limit)
    rows = (query.where(where) if where else query).to_arrow()
    scored = zip(chunks_from_rows(rows), rows[score].to_pylist(), strict=True)
    return [Hit(chunk, value) for chunk, value in scored]
