"""What the driver of a refresh says where S3 refuses, or is not there; S3 is emulated, and no document is read."""

import subprocess
import sys
import uuid
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

from agents.settings import OpenSearchStore
from rehearsal.aws import EmulatedAws
from rehearsal.clients import client_of
from tasks.environment import REPOSITORY
from tasks.refresh.job import RefreshFailure, RefreshJob, read_outcome
from tasks.refresh.mirrored_model import MirroredModel
from tasks.refresh.stored_objects import is_passing
from tests.tasks.refresh.refresh_jobs import refresh_job

ELSEWHERE = "http://127.0.0.1:9"


def refused(code: str, status: int) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": ""},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "RequestId": "",
                "HostId": "",
                "HTTPHeaders": {},
                "RetryAttempts": 0,
            },
        },
        "GetObject",
    )


def job(bucket: str, directory: Path) -> RefreshJob:
    # Without a region nothing is signed for it.
    store = OpenSearchStore(engine="opensearch", endpoint=ELSEWHERE, index_prefix="any", shards=1, replicas=0)
    return refresh_job(
        bucket, store, MirroredModel(name="any", dimension=384, bucket=f"{bucket}-models", prefix="weights"), directory
    )


def run(asked: RefreshJob, environ: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tasks.refresh.run_job", asked.model_dump_json()]
    return subprocess.run(
        command, cwd=REPOSITORY, env=dict(environ), capture_output=True, text=True, timeout=300, check=False
    )


def test_what_s3_refuses_is_the_reason_that_the_job_leaves(
    emulated_aws: EmulatedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    bucket = f"refresh-job-{uuid.uuid4().hex[:8]}"
    with closing(client_of(emulated_aws, "s3")) as s3:
        s3.create_bucket(Bucket=bucket)
    asked = job(bucket, tmp_path)

    done = run(asked, emulated_aws.environment)

    assert done.returncode == 1, done.stderr
    failure = read_outcome(asked.outcome_uri, "first")
    assert isinstance(failure, RefreshFailure)
    assert (failure.kind, failure.try_again) == ("NoSuchBucket", False)
    assert f"NoSuchBucket: {failure.message}" in done.stdout


def test_without_s3_the_log_has_the_reason_and_the_exit_code_says_try_again(tmp_path: Path) -> None:
    done = run(job("any", tmp_path), {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)})

    assert done.returncode == 3, done.stderr
    first, second = done.stdout.splitlines()
    assert first == "NoCredentialsError: Unable to locate credentials"
    assert second.startswith("this could not be written to s3://any/refreshes/outcome.json: NoCredentialsError")


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (EndpointConnectionError(endpoint_url=ELSEWHERE), True),
        (NoCredentialsError(), True),
        (refused("InternalError", 500), True),
        (refused("SlowDown", 503), True),
        (refused("TooManyRequests", 429), True),
        (refused("RequestTimeout", 400), True),
        (refused("Throttling", 400), True),
        (refused("AccessDenied", 403), False),
        (refused("NoSuchBucket", 404), False),
    ],
    ids=str,
)
def test_what_may_be_gone_next_time_is_told_from_a_refusal(error: BotoCoreError | ClientError, passing: bool) -> None:
    assert is_passing(error) is passing
