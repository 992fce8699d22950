"""`python -m flows.provision --environment dev`, as continuous integration and people without a worker use it."""

import re

import boto3
import pytest

from rehearsal.aws import EmulatedAws
from tests.aws_faults import aws_with_faults
from tests.flows.conftest import RunPython
from tests.flows.provision.conftest import Provision, SmallRoot, state_of_dev, word_in_state

pytestmark = [pytest.mark.terraform, pytest.mark.prefect_server]

ZONE_ROOT = """
terraform {
  backend "s3" {
    use_lockfile = true
  }
}
provider "aws" {
  default_tags {
    tags = { Project = "agentic-eks", Environment = "dev", ManagedBy = "terraform" }
  }
}
resource "aws_route53_zone" "public" { name = "agents.example.com" }
"""


def digest_in(output: str) -> str:
    found = re.findall(r"plan ([0-9a-f]{64}):", output)
    assert found, output
    return str(found[-1])


def test_plan_then_apply_by_digest(small_root: SmallRoot, provision: Provision) -> None:
    planned = provision("--mode", "plan")
    assert planned.returncode == 0, planned.stderr
    assert word_in_state() is None

    applied = provision("--mode", "apply", "--plan", digest_in(planned.stderr)[:12])
    assert applied.returncode == 0, applied.stderr
    assert word_in_state() == "first"

    again = provision("--mode", "apply", "--plan", digest_in(planned.stderr))
    assert again.returncode == 1
    assert "the state is at serial" in again.stderr
    unknown = provision("--mode", "apply", "--plan", "0123456789ab")
    assert unknown.returncode == 1
    assert "0 stored plans of 'dev' begin with '0123456789ab'" in unknown.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--mode", "apply"], "needs the digest of a stored plan"),
        (["--mode", "plan", "--plan", "0123456789ab"], "the others take none"),
        (["--mode", "apply", "--plan", "latest"], "must be 12 to 64 of the digits"),
        (["--mode", "approve"], "waits for a person"),
        (["--mode", "sometimes"], "is not one of"),
    ],
)
def test_parameters_that_do_not_go_together_exit_with_2(
    run_python: RunPython, aws: EmulatedAws, options: list[str], reason: str
) -> None:
    outcome = run_python("-m", "flows.provision", "--environment", "dev", *options)
    assert outcome.returncode == 2
    assert reason in outcome.stderr
    assert state_of_dev_is_untouched()


def test_missing_terraform_is_said_before_anything_is_touched(
    provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    outcome = provision("--mode", "plan")
    assert outcome.returncode == 1
    assert "there is no 'terraform' on PATH: install version 1.11 or newer" in outcome.stderr
    assert state_of_dev_is_untouched()


def test_expired_credentials_are_said_before_anything_is_touched(
    provision: Provision, aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    expired = {"service": "sts", "error": {"code": "ExpiredToken", "status": 403}}
    with aws_with_faults(aws, [expired]) as faulty:
        monkeypatch.setenv("AWS_ENDPOINT_URL", faulty.address)
        outcome = provision("--mode", "plan")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.address)
    assert outcome.returncode == 1
    assert "ExpiredToken" in outcome.stderr
    assert "aws sso login" in outcome.stderr
    assert state_of_dev_is_untouched()


def test_data_is_destroyed_only_when_that_is_allowed(small_root: SmallRoot, provision: Provision) -> None:
    small_root.holds(ZONE_ROOT)
    made = provision("--auto-approve")
    assert made.returncode == 0, made.stderr
    small_root.holds(ZONE_ROOT.partition("resource")[0])
    destroying = digest_in(provision("--mode", "plan").stderr)

    refused = provision("--mode", "apply", "--plan", destroying)
    by_itself = provision("--auto-approve", "--allow-data-loss")

    assert refused.returncode == 1
    assert "delete of aws_route53_zone.public loses a zone with its delegation. Nothing was applied" in refused.stderr
    assert by_itself.returncode == 1
    assert "is not applied by auto_approve: it removes 1 resources" in by_itself.stderr
    assert [resource["name"] for resource in state_of_dev()["resources"]] == ["public"]

    allowed = provision("--mode", "apply", "--plan", destroying, "--allow-data-loss")

    assert allowed.returncode == 0, allowed.stderr
    assert state_of_dev()["resources"] == []


def state_of_dev_is_untouched() -> bool:
    """Whether not even the state bucket was made."""
    return not [bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"] if "Name" in bucket]
