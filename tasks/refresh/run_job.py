"""The driver of a refresh that runs as a Ray job: `python -m tasks.refresh.run_job '<a RefreshJob as JSON>'`.

It exits with 0 when the refresh is done, with 1 when it failed, with 2 when its argument is wrong, and with 3 when S3
did not take what came of it, and may next time. Whatever it prints is the job's log; lines that begin with PROGRESS
carry its progress.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from agents.knowledge.building import NothingReadable
from agents.knowledge.generation import EmbeddingIdentity
from agents.knowledge.records import GenerationIncomplete
from agents.knowledge.refusal import RefreshRefused
from agents.knowledge.sources import SourceError, SourceUnavailable
from agents.knowledge.store import StoreUnavailable
from agents.knowledge.store.opening import open_store
from tasks.embedding.failures import EmbeddingFailed
from tasks.llama_cpp.model_files import ModelUnavailable
from tasks.refresh.building import RefreshProgress
from tasks.refresh.examining import embed_by
from tasks.refresh.gate_scores import Embed
from tasks.refresh.inputs import made_from, rules_with, work_with
from tasks.refresh.job import (
    PROGRESS,
    FormerModel,
    ProgressLine,
    RefreshFailure,
    RefreshJob,
    RefreshOutcome,
    write_outcome,
)
from tasks.refresh.mirrored_model import MODEL_FILE, TOKENIZER_FILE, fetch_model, mirrored_identity
from tasks.refresh.packed_questions import unpack
from tasks.refresh.ray_data import require_token
from tasks.refresh.report import RefreshReport
from tasks.refresh.steps import Refresh, RefreshSteps
from tasks.refresh.stored_objects import is_passing
from tasks.weights.manifest import WeightsRefused

# What may be gone when the refresh is run again, as what fails in Ray itself may; other errors are of the inputs.
PASSING = (StoreUnavailable, SourceUnavailable, GenerationIncomplete)
LASTING = (SourceError, NothingReadable, ModelUnavailable, EmbeddingFailed, WeightsRefused)
DONE, FAILED, WRONG_ARGUMENT, UNWRITTEN = 0, 1, 2, 3


def run(job: RefreshJob) -> RefreshReport:
    """Refresh the knowledge base as the job says.

    Raises:
        As `Refresh.run` does.
    """
    store = open_store(job.store.opened_with())
    try:
        work = work_with(
            job.sources,
            job.chunks,
            job.max_document_mib,
            Path(job.model_directory) / MODEL_FILE,
            Path(job.model_directory) / TOKENIZER_FILE,
            job.context_tokens,
            job.workers,
            on_cluster=True,
        )
        embedding = mirrored_identity(job.model)
        made_by = made_from(job.sources, job.chunks, embedding, job.fusion, job.git_commit, job.flow_run_id)
        rules = rules_with(
            job.fusion,
            job.gate,
            job.deletion_guard,
            job.generations_kept,
            unpack(job.questions),
            {} if job.former is None else _embed_by_former(job.former, Path(job.model_directory) / "former"),
            deletions_confirmed=job.deletions_confirmed,
            sources_replaced=False,
        )
        return Refresh(store, work, made_by, rules, RefreshSteps()).run(_say)
    finally:
        store.close()


def _embed_by_former(former: FormerModel, directory: Path) -> Mapping[EmbeddingIdentity, Embed]:
    """Its files are fetched when the gate asks for vectors: only the first refresh after a change needs them."""

    def file() -> Path:
        fetch_model(former.model, directory)
        return directory / MODEL_FILE

    return {mirrored_identity(former.model): embed_by(file, former.context_tokens)}


def may_pass(error: Exception) -> bool:
    """Whether Ray failed by itself, as where it lost a worker or a node; a fault that a stage has it has again.

    Of what a stage of Ray Data raises, the driver learns the text alone: those of `PASSING` come on another way, see
    `embed_documents`.
    """
    from ray.exceptions import RayError, RayTaskError, UserCodeException

    if not isinstance(error, RayTaskError):
        return True
    lost = isinstance(error.cause, RayError) and not isinstance(error.cause, UserCodeException)
    return lost or isinstance(error.cause, PASSING)


def main(arguments: list[str]) -> int:
    """Run the job, and leave its outcome where the flow that waits for it looks."""
    try:
        job = RefreshJob.model_validate_json(*arguments)
    except (ValidationError, TypeError) as error:
        _write(f"wants one argument, a RefreshJob as JSON: {error}")
        return WRONG_ARGUMENT
    outcome = _outcome(job)
    failed = isinstance(outcome, RefreshFailure)
    _write(f"{outcome.kind}: {outcome.message}" if failed else outcome.summary)
    try:
        write_outcome(job.outcome_uri, RefreshOutcome(attempt=job.attempt, outcome=outcome))
    except (BotoCoreError, ClientError) as error:
        _write(f"this could not be written to {job.outcome_uri}: {type(error).__name__}: {error}")
        return UNWRITTEN if is_passing(error) else FAILED
    return FAILED if failed else DONE


def _outcome(job: RefreshJob) -> RefreshReport | RefreshFailure:
    require_token()
    from ray.exceptions import RayError

    try:
        return run(job)
    except PASSING as error:
        return RefreshFailure(kind=type(error).__name__, message=str(error), try_again=True)
    except (BotoCoreError, ClientError) as error:
        return RefreshFailure(kind=type(error).__name__, message=str(error), try_again=is_passing(error))
    except RayError as error:
        return RefreshFailure(kind=type(error).__name__, message=str(error), try_again=may_pass(error))
    except RefreshRefused as error:
        rows = tuple(dict(row) for row in error.rows)
        return RefreshFailure(kind=type(error).__name__, message=str(error), try_again=False, rows=rows)
    except LASTING as error:
        return RefreshFailure(kind=type(error).__name__, message=str(error), try_again=False)


def _say(progress: RefreshProgress) -> None:
    line = ProgressLine(documents=progress.documents, of_documents=progress.of_documents, embedded=progress.embedded)
    _write(f"{PROGRESS}{line.model_dump_json()}")


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
