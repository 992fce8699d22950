"""The flow `provision` for `dev`, with an emulated AWS account of its own and a small Terraform root."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import boto3
import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.objects import FlowRun, State

from rehearsal.aws import EmulatedAws, running_emulated_aws
from rehearsal.provider_mirror import cli_configuration
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.prefect_objects import reconcile
from tests.flows.conftest import RunPython

STATE_BUCKET = "agentic-eks-state-111122223333-us-east-1"
# What it plans depends on word.txt; the real root is planned where that is what is tested.
SMALL_ROOT = """
terraform {
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}
resource "terraform_data" "word" { input = file("word.txt") }
output "word" { value = terraform_data.word.output }
output "password" {
  value     = "correct horse"
  sensitive = true
}
"""


@pytest.fixture(scope="module")
def aws_account() -> Iterator[EmulatedAws]:
    """An account that no other module uses."""
    with running_emulated_aws("111122223333", "us-east-1") as aws:
        yield aws


@pytest.fixture
def aws(aws_account: EmulatedAws, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmulatedAws:
    """The account with nothing in it but what it must have before; this process and its children reach it."""
    for name, value in {**aws_account.environment, **cli_configuration(tmp_path), "PYTHONPATH": str(checkout)}.items():
        monkeypatch.setenv(name, value)
    httpx.post(f"{aws_account.address}/moto-api/reset", trust_env=False, timeout=60).raise_for_status()
    boto3.client("iam").create_service_linked_role(AWSServiceName="opensearchservice.amazonaws.com")
    return aws_account


@dataclass(frozen=True)
class SmallRoot:
    """The Terraform root of the checkout."""

    directory: Path

    def says(self, word: str) -> None:
        """Change what is planned."""
        (self.directory / "word.txt").write_text(word, encoding="utf-8")

    def holds(self, content: str) -> None:
        """Replace its only file."""
        (self.directory / "main.tf").write_text(content, encoding="utf-8")


@pytest.fixture
def small_root(checkout: Path) -> SmallRoot:
    """A root that needs no provider, in the place of the real one."""
    directory = checkout / "infra"
    for path in directory.glob("*.tf"):
        path.unlink()
    shutil.rmtree(directory / "modules")
    root = SmallRoot(directory)
    root.holds(SMALL_ROOT)
    root.says("first")
    return root


def state_of_dev() -> dict[str, Any]:
    """Terraform's state, empty where there is none, or nothing to keep it in."""
    s3 = boto3.client("s3")
    try:
        return json.loads(s3.get_object(Bucket=STATE_BUCKET, Key="dev/terraform.tfstate")["Body"].read())
    except (s3.exceptions.NoSuchBucket, s3.exceptions.NoSuchKey):
        return {}


def word_in_state() -> object:
    """What the small root made last, None where nothing was applied."""
    return state_of_dev().get("outputs", {}).get("word", {}).get("value")


@dataclass(frozen=True)
class Provisioning:
    """Runs of the deployment `provision/dev`, and a worker that takes them."""

    client: SyncPrefectClient
    run_python: RunPython

    def ask(self, **parameters: object) -> UUID:
        """Make a run."""
        deployment = self.client.read_deployment_by_name("provision/dev").id
        asked = {"environment": "dev", "requested_by": "alice", **parameters}
        return self.client.create_flow_run_from_deployment(deployment, parameters=asked).id

    def work(self) -> "subprocess.CompletedProcess[str]":
        """Let a worker do what waits for one, until it ends or waits for a person."""
        worker = self.run_python("-m", "prefect", "worker", "start", "--pool", "management", "--run-once")
        assert worker.returncode == 0, worker.stdout + worker.stderr
        return worker

    def run(self, identifier: UUID) -> FlowRun:
        """The run as the server has it."""
        return self.client.read_flow_run(identifier)

    def state(self, identifier: UUID) -> State[Any]:
        """The state of the run."""
        state = self.run(identifier).state
        assert state is not None
        return state

    def waiting_digest(self, identifier: UUID) -> str:
        """The digest of the plan that the run waits with."""
        state = self.state(identifier)
        assert state.name == "Suspended", f"{state.name}: {state.message}"
        return str(state.state_details.pause_key).removeprefix("plan-")

    def page(self, identifier: UUID, key: str) -> str:
        """The newest artifact of the run under `key`."""
        wanted = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[identifier]))
        found = [each for each in self.client.read_artifacts(artifact_filter=wanted) if each.key == key]
        assert found, f"{identifier} has no artifact {key!r}"
        return str(max(found, key=lambda each: str(each.created)).data)


@pytest.fixture
def provisioning(
    aws: EmulatedAws, checkout: Path, run_python: RunPython, prefect_server: str, prefect_client: SyncPrefectClient
) -> Provisioning:
    """The deployments of `dev`, on the session's Prefect server."""
    reconcile(load_environment(EnvironmentName.DEV), prefect_server, dry_run=False, file=checkout / "prefect.yaml")
    return Provisioning(prefect_client, run_python)


Provision = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def provision(aws: EmulatedAws, run_python: RunPython) -> Provision:
    """`python -m flows.provision --environment dev` with further options."""

    def run(*options: str) -> "subprocess.CompletedProcess[str]":
        return run_python("-m", "flows.provision", "--environment", "dev", *options)

    return run
