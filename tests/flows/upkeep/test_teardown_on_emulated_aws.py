"""`teardown/dev` with real Terraform: nothing is left, and that is proved."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from rehearsal.aws import EmulatedAws
from tests.flows.conftest import RunPython
from tests.flows.upkeep.conftest import BUCKET, REPOSITORY, STATE_BUCKET, Artifact, Flow

pytestmark = [pytest.mark.prefect_server, pytest.mark.terraform]

WITHIN_SECONDS = 400


def fill() -> None:
    """What people and services put into the environment, and what keeps it from being deleted."""
    s3, ecr, logs = boto3.client("s3"), boto3.client("ecr"), boto3.client("logs")
    for number in range(5):
        s3.put_object(Bucket=BUCKET, Key="document", Body=str(number).encode())
    s3.delete_object(Bucket=BUCKET, Key="document")
    s3.create_multipart_upload(Bucket=BUCKET, Key="unfinished")
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}
    ecr.put_image(repositoryName=REPOSITORY, imageManifest=json.dumps(manifest), imageTag="v1")
    logs.create_log_group(logGroupName="/aws/eks/agentic-eks-dev/cluster")


def test_nothing_is_left_and_it_can_be_proved_again(dev: Path, teardown: Flow, artifact: Artifact) -> None:
    fill()

    done = teardown()

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing is left but 3 KMS keys that AWS deletes on " in done.stdout + done.stderr
    assert f"The state bucket '{STATE_BUCKET}' stays on purpose" in done.stdout + done.stderr
    assert [bucket.get("Name") for bucket in boto3.client("s3").list_buckets()["Buckets"]] == [STATE_BUCKET]
    assert boto3.client("ecr").describe_repositories()["repositories"] == []
    assert boto3.client("logs").describe_log_groups()["logGroups"] == []
    assert boto3.client("secretsmanager").list_secrets(IncludePlannedDeletion=True)["SecretList"] == []
    assert '"address": "aws_s3_bucket.knowledge"' in artifact("dev-teardown-plan")
    assert '"name": "log group /aws/eks/agentic-eks-dev/cluster"' in artifact("dev-teardown-gone")
    assert '"name": "secret agentic-eks-dev/litellm-master-key"' in artifact("dev-teardown-gone")
    remains = json.loads(artifact("dev-teardown-remains"))
    assert len(remains) == 3
    assert all(":kms:" in row["what"] and row["deleted on"] for row in remains)

    again = teardown()

    assert again.returncode == 0, again.stdout + again.stderr
    assert "'dev' is torn down already: its state holds nothing" in again.stdout + again.stderr
    assert "Nothing is left but 3 KMS keys" in again.stdout + again.stderr


def test_a_killed_teardown_converges_when_it_is_run_again(
    dev: Path, teardown: Flow, prefect_server: str, tmp_path: Path
) -> None:
    log = tmp_path / "killed.log"
    with log.open("wb") as output:
        killed = subprocess.Popen(
            [sys.executable, "-m", "flows.teardown", "--environment", "dev", "--confirm", "dev"],
            cwd=dev.parent,
            env={**os.environ, "PREFECT_API_URL": prefect_server, "PREFECT_HOME": str(tmp_path / "prefect")},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    until(lambda: "Destroying..." in log.read_text() or killed.poll() is not None)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    # Its terraform goes on, saves its state and frees the lock.
    until(lambda: not held())

    done = teardown()

    assert killed.returncode == -signal.SIGKILL, log.read_text()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing is left but " in done.stdout + done.stderr


def held() -> bool:
    keys = boto3.client("s3").list_objects_v2(Bucket=STATE_BUCKET).get("Contents", [])
    return any(str(found.get("Key")).endswith(".tflock") for found in keys)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_SECONDS
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"not within {WITHIN_SECONDS} s"
        pause.wait(0.1)


def test_what_a_controller_left_behind_is_found_and_named(teardown: Flow, artifact: Artifact) -> None:
    ec2 = boto3.client("ec2")
    volume = ec2.create_volume(
        AvailabilityZone="us-east-1a",
        Size=1,
        TagSpecifications=[
            {"ResourceType": "volume", "Tags": [{"Key": "kubernetes.io/cluster/agentic-eks-dev", "Value": "owned"}]}
        ],
    )["VolumeId"]
    boto3.client("iam").create_role(RoleName="agentic-eks-dev-by-hand", AssumeRolePolicyDocument="{}")
    ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)

    found = teardown()

    assert found.returncode == 1
    assert "'dev' is not gone, 2 left" in found.stderr
    assert f"volume/{volume} (found by its tags)" in found.stderr
    assert "IAM role agentic-eks-dev-by-hand (found by its name)" in found.stderr
    assert volume in artifact("dev-teardown-remains")
    assert "was never provisioned" in found.stdout + found.stderr


def test_a_protected_environment_is_refused_before_anything_is_touched(aws: EmulatedAws, run_python: RunPython) -> None:
    found = run_python("-m", "flows.teardown", "--environment", "prod", "--confirm", "prod")

    assert found.returncode == 2
    assert "'prod' is protected; nothing was removed" in found.stderr


def test_another_name_does_not_confirm(aws: EmulatedAws, run_python: RunPython) -> None:
    found = run_python("-m", "flows.teardown", "--environment", "dev", "--confirm", "prod")

    assert found.returncode == 2
    assert "confirm = 'prod' must be 'dev'; nothing was removed" in found.stderr
