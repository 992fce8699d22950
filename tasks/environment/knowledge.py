"""The knowledge base of an environment: its sources, chunks, store, fusion and generations."""

from collections import Counter
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from tasks.environment.schedule import Schedule
from tasks.environment.section import Name, Section, Text

Uri = Annotated[str, Field(pattern=r"^(file|s3)://.+", description="file://<directory> or s3://<bucket>/<prefix>")]
Endpoint = Annotated[str, Field(pattern=r"^https?://.+", description="a URL that starts with http:// or https://")]


class Source(Section):
    """A directory (`file://docs`, relative to the repository, or absolute) or an `s3://bucket/prefix`.

    `include` holds glob patterns relative to the root of the source.
    """

    name: Name
    uri: Uri
    include: Annotated[tuple[Text, ...], Field(min_length=1)] = ("**/*",)


class Chunks(Section):
    """Chunk bounds, in tokens of the embedding model."""

    tokens: Annotated[int, Field(ge=32)]
    overlap_tokens: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _overlap_is_smaller(self) -> Self:
        if self.overlap_tokens * 2 > self.tokens:
            raise ValueError(f"overlap_tokens = {self.overlap_tokens} may be at most half of tokens = {self.tokens}")
        return self


class LanceStore(Section):
    """The embedded store: a directory below the laptop's data directory."""

    engine: Literal["lancedb"]
    directory: Text

    @field_validator("directory")
    @classmethod
    def _is_below(cls, directory: str) -> str:
        path = PurePosixPath(directory)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ValueError(f"{directory!r} must be a relative path without '..'; it lies below laptop.data_directory")
        return directory


class OpenSearchStore(Section):
    """An OpenSearch domain; `endpoint` is null where Terraform's output gives it.

    `snapshot_directory` is one of a server's own `path.repo`, for a server that is no domain of AWS.
    """

    engine: Literal["opensearch"]
    endpoint: Endpoint | None = None
    index_prefix: Name
    shards: Annotated[int, Field(ge=1)] = 1
    replicas: Annotated[int, Field(ge=0)] = 1
    snapshot_directory: Text | None = None


class Fusion(Section):
    """How the BM25 leg and the vector leg become one ranking; `dense_weight` (0..1) is for `min_max`."""

    method: Literal["rrf", "min_max"]
    dense_weight: Annotated[float, Field(ge=0, le=1)]
    candidates: Annotated[int, Field(ge=1, le=1000)]


class Gate(Section):
    """When a generation may replace the serving one.

    `tolerance` (0..1) is how far a retrieval metric may fall; `questions` is how many labelled questions are asked.
    """

    tolerance: Annotated[float, Field(ge=0, le=1)] = 0.05
    questions: Annotated[int, Field(ge=0, le=1000)] = 200


class DeletionGuard(Section):
    """What a refresh may delete without a person's word: up to `documents`, or up to `percent` of what serves."""

    documents: Annotated[int, Field(ge=0)] = 10
    percent: Annotated[float, Field(ge=0, le=100)] = 10


class Events(Section):
    """When changes of documents in S3 start a refresh: `schedule` says how often somebody looks.

    It starts when nothing has changed for `quiet_minutes`, or when the first change is `longest_minutes` old.
    """

    schedule: Schedule
    quiet_minutes: Annotated[int, Field(ge=1)] = 10
    longest_minutes: Annotated[int, Field(ge=1)] = 60


class Recovery(Section):
    """What is promised of a lost knowledge store, and when a drill proves it.

    At most the work of `point_hours` is lost (RPO), and it answers again within `time_minutes` (RTO).
    """

    schedule: Schedule | None = None
    point_hours: Annotated[int, Field(ge=1)] = 48
    time_minutes: Annotated[int, Field(ge=1)] = 30


class Knowledge(Section):
    """The knowledge base."""

    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    schedule: Schedule | None = None
    chunks: Chunks
    store: Annotated[LanceStore | OpenSearchStore, Field(discriminator="engine")]
    fusion: Fusion
    gate: Gate = Gate()
    deletion_guard: DeletionGuard = DeletionGuard()
    recovery: Recovery = Recovery()
    events: Events | None = None
    generations_kept: Annotated[int, Field(ge=1)]
    max_document_mib: Annotated[int, Field(ge=1)]
    embedding_workers: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _source_names_are_unique(self) -> Self:
        twice = [name for name, count in Counter(source.name for source in self.sources).items() if count > 1]
        if twice:
            raise ValueError(f"sources has the name {twice[0]!r} more than once; every source needs its own")
        return self
