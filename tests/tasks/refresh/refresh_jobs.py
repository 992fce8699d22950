"""A refresh as a job is asked for it: of the documents in a bucket, with everything that can be left out left out."""

from collections.abc import Sequence
from pathlib import Path

from agents.settings import OpenSearchStore
from tasks.environment.knowledge import Chunks, DeletionGuard, Fusion, Gate, Source
from tasks.golden.dataset import GoldenQuestion
from tasks.refresh.job import RefreshJob
from tasks.refresh.mirrored_model import MirroredModel
from tasks.refresh.packed_questions import pack


def refresh_job(
    bucket: str,
    store: OpenSearchStore,
    model: MirroredModel,
    directory: Path,
    questions: Sequence[GoldenQuestion] = (),
) -> RefreshJob:
    return RefreshJob(
        attempt="first",
        environment="dev",
        sources=(Source(name="documents", uri=f"s3://{bucket}/documents"),),
        chunks=Chunks(tokens=224, overlap_tokens=32),
        max_document_mib=1,
        fusion=Fusion(method="min_max", dense_weight=0.3, candidates=50),
        gate=Gate(),
        deletion_guard=DeletionGuard(),
        deletions_confirmed=False,
        questions=pack(questions),
        generations_kept=2,
        store=store,
        model=model,
        context_tokens=512,
        workers=1,
        model_directory=str(directory),
        outcome_uri=f"s3://{bucket}/refreshes/outcome.json",
    )
