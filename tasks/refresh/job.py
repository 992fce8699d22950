"""What a refresh that runs as a Ray job is given, and how it says what came of it."""

from typing import Annotated, Literal

from botocore.exceptions import ClientError
from pydantic import Field, TypeAdapter, ValidationError

from agents.knowledge.refusal import Cell
from agents.section import Section
from agents.settings import OpenSearchStore
from tasks.environment.knowledge import Chunks, DeletionGuard, Fusion, Gate, Source
from tasks.refresh.mirrored_model import MirroredModel
from tasks.refresh.report import RefreshReport
from tasks.refresh.stored_objects import bucket_and_key, s3_client

# What the lines of a job's log start with that carry its progress, as JSON.
PROGRESS = "refresh-progress "
_ABSENT = frozenset({"NoSuchKey", "404", "NotFound"})


class FormerModel(Section):
    """The embedding model before the present one; the gate asks a generation of it by its vectors."""

    model: MirroredModel
    context_tokens: Annotated[int, Field(ge=128)]


class RefreshJob(Section):
    """All that a refresh needs to know; `outcome_uri` is the object to which it writes what came of it.

    `attempt` tells that outcome from those of others. `model_directory` has the files of the embedding model on every
    node. `workers` embed at the same time. `questions` are those that the gate asks, see `packed_questions`.
    """

    attempt: str
    environment: str
    sources: tuple[Source, ...]
    chunks: Chunks
    max_document_mib: Annotated[int, Field(ge=1)]
    fusion: Fusion
    gate: Gate
    deletion_guard: DeletionGuard
    deletions_confirmed: bool
    questions: str
    generations_kept: Annotated[int, Field(ge=1)]
    store: OpenSearchStore
    model: MirroredModel
    context_tokens: Annotated[int, Field(ge=128)]
    workers: Annotated[int, Field(ge=1)]
    model_directory: str
    former: FormerModel | None = None
    outcome_uri: str
    git_commit: str | None = None
    flow_run_id: str | None = None

    @property
    def inputs(self) -> "RefreshJob":
        """The same without what differs between two runs that do the same work."""
        return self.model_copy(update={"attempt": "", "flow_run_id": None})


class RefreshFailure(Section):
    """Why a refresh failed, in the words of the error; `try_again` says that another attempt may succeed.

    `rows` are the table that a person needs to decide, of a refresh that was refused.
    """

    kind: str
    message: str
    try_again: bool
    rows: tuple[dict[str, Cell], ...] = ()


class RefreshOutcome(Section):
    """What came of one attempt: a report, or a failure."""

    attempt: str
    outcome: RefreshReport | RefreshFailure


class ProgressLine(Section):
    """How far a build is; see `RefreshProgress`."""

    kind: Literal["embedding"] = "embedding"
    documents: int
    of_documents: int
    embedded: int


_OUTCOME = TypeAdapter(RefreshOutcome)


def write_outcome(uri: str, outcome: RefreshOutcome) -> None:
    """Put the outcome of an attempt in place of that of the one before.

    Raises:
        ClientError, BotoCoreError: S3 refuses, or does not answer.
    """
    bucket, key = bucket_and_key(uri)
    s3_client().put_object(Bucket=bucket, Key=key, Body=_OUTCOME.dump_json(outcome), ContentType="application/json")


def read_outcome(uri: str, attempt: str) -> RefreshReport | RefreshFailure | None:
    """What came of `attempt`; None when it wrote nothing.

    Raises:
        ClientError, BotoCoreError: S3 refuses, or does not answer.
    """
    bucket, key = bucket_and_key(uri)
    try:
        content = s3_client().get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _ABSENT:
            return None
        raise
    try:
        found = _OUTCOME.validate_json(content)
    except ValidationError as error:
        raise ValueError(f"{uri} is not the outcome of a refresh: {error}") from error
    return found.outcome if found.attempt == attempt else None
