"""The driver of a refresh as pods run it: real Ray and llama.cpp, a real OpenSearch server, an emulated S3."""

import os
import subprocess
import sys
import uuid
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from agents.knowledge.store.opening import open_store
from agents.settings import OpenSearchStore
from rehearsal.aws import EmulatedAws
from rehearsal.clients import client_of
from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.golden.dataset import Evidence, GoldenQuestion
from tasks.refresh.job import PROGRESS, FormerModel, ProgressLine, RefreshFailure, read_outcome
from tasks.refresh.mirrored_model import MirroredModel, mirrored_identity
from tasks.refresh.report import RefreshReport
from tasks.refresh.verdicts import NOTE
from tasks.weights.load import keep
from tests.tasks.refresh.refresh_jobs import refresh_job

pytestmark = [pytest.mark.opensearch, pytest.mark.timeout(900)]

NAME = "all-minilm-l6-v2"
QUESTIONS = (
    GoldenQuestion(
        id="apples",
        kind="answerable",
        question="When do apples ripen?",
        reference="In September.",
        evidence=(Evidence(document="apples.md", quote="Apples ripen in September."),),
    ),
)


@pytest.fixture
def s3(emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    # Ray tells the driver of a job where its cluster is; this one is the machine's own.
    monkeypatch.setenv("RAY_ADDRESS", "local")
    with closing(client_of(emulated_aws, "s3")) as client:
        yield client


@pytest.fixture
def bucket(s3: Any) -> str:
    """A bucket of this test, with the model's weights mirrored, and two documents."""
    name = f"refresh-job-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    keep(s3, name, "weights", weights_directory())
    s3.put_object(Bucket=name, Key="documents/apples.md", Body=b"# Apples\n\nApples ripen in September.")
    s3.put_object(Bucket=name, Key="documents/pears.md", Body=b"# Pears\n\nPears ripen in August.")
    return name


def weights_directory() -> Path:
    packaged = load_environment(EnvironmentName.LOCAL).models.catalogue[NAME].packaged
    assert packaged is not None
    package = find_spec(packaged.package)
    assert package is not None
    assert package.submodule_search_locations
    (weights,) = Path(package.submodule_search_locations[0]).rglob("model.safetensors")
    return weights.parent


def run(module: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=600, check=False)


def test_a_refresh_as_a_job_from_mirrored_weights_to_its_outcome(
    bucket: str, s3: Any, opensearch_address: str, tmp_path: Path
) -> None:
    store = OpenSearchStore(
        engine="opensearch",
        endpoint=opensearch_address,
        index_prefix=f"job-{os.getpid()}",
        shards=1,
        replicas=0,
        region="us-east-1",
    )
    model = MirroredModel(name=NAME, dimension=384, bucket=bucket, prefix="weights")
    job = refresh_job(bucket, store, model, tmp_path, QUESTIONS)

    fetched = run("tasks.refresh.mirrored_model", job.model.model_dump_json(), str(tmp_path))
    assert fetched.returncode == 0, fetched.stderr
    first = run("tasks.refresh.run_job", job.model_dump_json())

    assert first.returncode == 0, first.stderr
    lines = [line.removeprefix(PROGRESS) for line in first.stdout.splitlines() if line.startswith(PROGRESS)]
    assert ProgressLine.model_validate_json(lines[-1]) == ProgressLine(documents=2, of_documents=2, embedded=2)
    report = read_outcome(job.outcome_uri, "first")
    assert isinstance(report, RefreshReport)
    assert (report.new, report.documents, report.embedded, report.unreadable) == (True, 2, 2, {})
    assert report.verdict is not None
    assert report.verdict.passed
    assert report.verdict.scores == {"recall@5": 1, "context precision@5": 1, "mrr": 1, "ndcg@10": 1}
    store = job.store.opened_with()
    with closing(open_store(store)) as opened:
        serving = opened.serving()
        # What the gate says next of this generation, it has to ask it.
        opened.write_note(NOTE, "{}")
    assert serving is not None
    assert serving.generation == report.generation
    assert serving.embedding == mirrored_identity(job.model)
    assert read_outcome(job.outcome_uri, "another") is None

    former = FormerModel(model=job.model, context_tokens=512)
    newer = job.model.model_copy(update={"name": "newer"})
    job = job.model_copy(update={"attempt": "changed", "model": newer, "former": former})
    changed = run("tasks.refresh.run_job", job.model_dump_json())
    assert changed.returncode == 0, changed.stderr
    other = read_outcome(job.outcome_uri, "changed")
    assert isinstance(other, RefreshReport)
    assert (other.new, other.embedded, other.copied) == (True, 2, 0)
    assert other.verdict is not None
    assert (other.verdict.compared_with, other.verdict.remark) == (report.generation, None)
    assert {check.serving for check in other.verdict.checks if check.name == "mrr"} == {1.0}

    # What is there and right is not fetched again.
    (tmp_path / "former" / "tokenizer.json").unlink()
    keep(s3, bucket, "spoilt", weights_directory())
    s3.put_object(Bucket=bucket, Key="spoilt/tokenizer.json", Body=b"{}")
    spoilt = FormerModel(model=newer.model_copy(update={"prefix": "spoilt"}), context_tokens=512)
    newest = job.model.model_copy(update={"name": "newest"})
    mistrusted = job.model_copy(update={"attempt": "mistrusted", "model": newest, "former": spoilt})
    assert run("tasks.refresh.run_job", mistrusted.model_dump_json()).returncode == 1
    changed_file = read_outcome(job.outcome_uri, "mistrusted")
    assert isinstance(changed_file, RefreshFailure)
    assert (changed_file.kind, changed_file.try_again) == ("WeightsRefused", False)
    assert "spoilt/tokenizer.json" in changed_file.message

    for key in ("documents/apples.md", "documents/pears.md"):
        s3.delete_object(Bucket=bucket, Key=key)
    emptied = run("tasks.refresh.run_job", job.model_copy(update={"attempt": "second"}).model_dump_json())

    assert emptied.returncode == 1
    failure = read_outcome(job.outcome_uri, "second")
    assert isinstance(failure, RefreshFailure)
    assert (failure.kind, failure.try_again) == ("DeletionsWithheld", False)
    assert sorted(str(row["document"]) for row in failure.rows) == [
        f"s3://{bucket}/documents/{name}.md" for name in ("apples", "pears")
    ]

    away = job.store.model_copy(update={"endpoint": "http://127.0.0.1:9"})
    s3.put_object(Bucket=bucket, Key="documents/figs.md", Body=b"# Figs\n\nFigs ripen in October.")
    unreachable = job.model_copy(update={"attempt": "third", "store": away})
    assert run("tasks.refresh.run_job", unreachable.model_dump_json()).returncode == 1
    passing = read_outcome(job.outcome_uri, "third")
    assert isinstance(passing, RefreshFailure)
    assert (passing.kind, passing.try_again) == ("StoreUnavailable", True)


def test_what_is_no_job_is_refused() -> None:
    refused = run("tasks.refresh.run_job", '{"environment": "dev"}')

    assert refused.returncode == 2
    assert "sources" in refused.stdout
