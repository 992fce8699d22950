"""The refresh's pipeline on Ray Data: read -> parse -> chunk -> embed, streamed back in batches.

Documents are read inside Ray's tasks and chunks leave as soon as they have vectors, so memory does not
grow with the corpus. The modules loaded by Ray's workers import no Prefect: it would double their start.
"""

import hashlib
import logging
import os
import pickle
import secrets
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from agents.knowledge.chunking import ChunkBounds
from agents.knowledge.documents import DocumentRef, DocumentUnreadable
from agents.knowledge.parser_versions import parser_versions
from agents.knowledge.records import DocumentOutcome
from agents.knowledge.reuse import reuse_key
from agents.knowledge.sources import SourceError
from agents.knowledge.store import Chunk, EmbeddedChunk
from tasks.embedding.failures import EmbeddingFailed, Refused
from tasks.environment.knowledge import Source
from tasks.refresh.cutting import cut_document, read_document

# Enough blocks to keep every worker busy and to show progress, few enough that Ray's cost for each stays small.
DOCUMENTS_PER_BLOCK = 4
SMALLEST_NUMBER_OF_BLOCKS = 16
CHUNKS_PER_BATCH = 32
OBJECT_STORE_BYTES = 256 * 2**20


@dataclass(frozen=True)
class EmbeddingWork:
    """What the pipeline needs to know; it is sent to every Ray worker.

    `stored` holds ids of chunks that an interrupted run has written already: they are not embedded again. `reusable`
    holds the keys of passages whose vectors are known (`reuse_key`): they come back without. `on_cluster`
    says that this process is the driver of a job on a Ray cluster, whose workers have the model's files; otherwise the
    pipeline runs on a Ray of this machine.
    """

    documents: Sequence[DocumentRef]
    sources: Mapping[str, Source]
    bounds: ChunkBounds
    max_document_bytes: int
    model_file: Path
    tokenizer_file: Path
    context_tokens: int
    workers: int
    stored: frozenset[str]
    reusable: frozenset[str] = frozenset()
    on_cluster: bool = False


@dataclass(frozen=True)
class EmbeddedBatch:
    """What one step of the pipeline hands to the store; `reused` are chunks whose vectors are known.

    `refused` has the URIs of documents of which the model refused a passage, and why; chunks of them may be here and
    in other batches.
    """

    chunks: Sequence[EmbeddedChunk]
    reused: Sequence[Chunk]
    outcomes: Sequence[DocumentOutcome]
    refused: Mapping[str, str] = field(default_factory=dict[str, str])


def embed_documents(work: EmbeddingWork) -> Iterator[EmbeddedBatch]:
    """Run the pipeline on Ray; batches arrive in no particular order.

    Raises:
        SourceError: a source stopped answering.
        EmbeddingFailed: the model fails at everything.
        ray.exceptions.RayError: a stage has a fault, or a worker failed in a way that starting it again did not mend.
    """
    require_token()
    import ray.data
    from ray.data import ActorPoolStrategy

    with _ray_cluster() if work.on_cluster else _ray_of_this_machine(work.workers):
        blocks = min(len(work.documents), max(SMALLEST_NUMBER_OF_BLOCKS, len(work.documents) // DOCUMENTS_PER_BLOCK))
        rows = [asdict(ref) for ref in work.documents]
        most = min(work.workers, blocks)
        embedded = (
            ray.data.from_items(rows, override_num_blocks=blocks)
            # Without its documents: Ray ships the arguments of a stage to every worker.
            .flat_map(partial(_chunk_document, replace(work, documents=())), num_cpus=0.5)
            .map_batches(
                _EmbedBatch,
                fn_constructor_args=(str(work.model_file), work.context_tokens),
                # Two actors that ask for a whole core each leave none for the stage before them on two cores. On a
                # cluster they have to ask for all that they use, or Ray starts no worker for them.
                num_cpus=1 if work.on_cluster else 0.5,
                compute=ActorPoolStrategy(min_size=1 if work.on_cluster else most, max_size=most),
                batch_size=CHUNKS_PER_BATCH,
            )
        )
        for batch in embedded.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=1):
            yield _unpack(cast(Mapping[str, Any], batch))


def require_token() -> None:
    """Have each connection of Ray present a token: it listens on every interface of the machine.

    To be called before Ray is imported, because Ray reads these variables once. A token that is there already stays.
    """
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"


@contextmanager
def _ray_cluster() -> Generator[None]:
    import ray

    # Ray tells the driver of a job by this variable which cluster it belongs to.
    ray.init(address=os.environ["RAY_ADDRESS"], logging_level=logging.WARNING, log_to_driver=False)
    try:
        _say_little()
        yield
    finally:
        ray.shutdown()


@contextmanager
def _ray_of_this_machine(workers: int) -> Generator[None]:
    import ray

    # Ray keeps the logs of every session and never deletes one. The path has to be short, for the sockets in it.
    with TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as directory:
        with warnings.catch_warnings():
            # LanceDB warns of every fork; what Ray forks becomes another program at once.
            warnings.filterwarnings("ignore", "lancedb fork support", RuntimeWarning)
            ray.init(
                address="local",
                num_cpus=max(2, workers),
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                logging_level=logging.WARNING,
                log_to_driver=False,
                _temp_dir=directory,
            )
        try:
            _say_little()
            yield
        finally:
            ray.shutdown()


def _say_little() -> None:
    import ray.data

    # Whoever asks for the batches shows the progress; an error is raised.
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.WARNING)


def _chunk_document(work: EmbeddingWork, row: dict[str, Any]) -> list[dict[str, Any]]:
    ref = DocumentRef(**row)
    content_hash: str | None = None
    try:
        content = read_document(ref, work.sources[ref.source], work.max_document_bytes)
        content_hash = hashlib.sha256(content).hexdigest()
        chunks = cut_document(ref, content, content_hash, work.bounds, work.tokenizer_file)
    except DocumentUnreadable as error:
        if error.passing or content_hash is None:
            return [_row(DocumentOutcome(ref, None, 0, error.reason))]
        return [_row(DocumentOutcome(ref, content_hash, 0, error.reason, parser_versions(ref.path)))]
    except SourceError as error:
        # Ray would bury what it says below the tracebacks of three processes; the driver raises it instead.
        return [_row(error)]
    fresh = [chunk for chunk in chunks if chunk.chunk_id not in work.stored]
    rows = [_row(chunk, known=reuse_key(ref.uri, chunk.searchable_text) in work.reusable) for chunk in fresh]
    return [*rows, _row(DocumentOutcome(ref, content_hash, len(chunks)))]


def _row(item: Chunk | DocumentOutcome | SourceError, *, known: bool = False) -> dict[str, Any]:
    text = item.searchable_text if isinstance(item, Chunk) and not known else ""
    return {"item": pickle.dumps(item), "text": text}


class _EmbedBatch:
    """A Ray actor that holds one llama.cpp; rows without text pass through."""

    def __init__(self, model_file: str, context_tokens: int) -> None:
        from tasks.embedding.llama_embedder import LlamaEmbedder

        # More threads than one spin against the other workers of the machine.
        self._embedder = LlamaEmbedder(Path(model_file), context_tokens, threads=1)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        texts = [str(text) for text in batch["text"] if text]
        try:
            vectors = iter(self._embedder.embed_or_refuse(texts) if texts else ())
        except EmbeddingFailed as error:
            # See `_chunk_document`.
            return {"item": [pickle.dumps(error)], "vector": [pickle.dumps(None)]}
        packed = [pickle.dumps(next(vectors) if text else None) for text in batch["text"]]
        return {"item": list(batch["item"]), "vector": packed}


def _unpack(batch: Mapping[str, Any]) -> EmbeddedBatch:
    chunks: list[EmbeddedChunk] = []
    reused: list[Chunk] = []
    outcomes: list[DocumentOutcome] = []
    refused: dict[str, str] = {}
    for packed, vector in zip(batch["item"], batch["vector"], strict=True):
        # Both were pickled by this pipeline's own workers, behind Ray's token.
        item: Chunk | DocumentOutcome | SourceError | EmbeddingFailed = pickle.loads(packed)  # noqa: S301
        if isinstance(item, Exception):
            raise item
        made: Sequence[float] | Refused | None = pickle.loads(vector)  # noqa: S301
        if not isinstance(item, Chunk):
            outcomes.append(item)
        elif made is None:
            reused.append(item)
        elif isinstance(made, Refused):
            refused[item.document_uri] = made.reason
        else:
            chunks.append(EmbeddedChunk(item, made))
    return EmbeddedBatch(chunks, reused, outcomes, refused)
