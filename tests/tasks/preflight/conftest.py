"""An account to ask: emulated where an emulator knows the API, scripted where none does."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from rehearsal.aws import EmulatedAws, running_emulated_aws
from tasks.environment import REPOSITORY, Environment
from tasks.environment.cluster import known_addons
from tasks.environment.variable_file import read_variable_file
from tasks.preflight import PreflightFinding, preflight
from tests.scripted_aws import Parameters, ScriptedAws, scripted_aws

DEV = (REPOSITORY / "infra" / "environments" / "dev.tfvars").read_text(encoding="utf-8")
SCRIPTED = ("service-quotas", "eks", "bedrock")
GRANTED = {
    "agreementAvailability": {"status": "AVAILABLE"},
    "authorizationStatus": "AUTHORIZED",
    "entitlementAvailability": "AVAILABLE",
    "regionAvailability": "AVAILABLE",
}

CHAT_TYPES = "instance types of qwen2-5-7b-instruct"
CHAT_NODES = """kind              = "gpu"
      instance_families = ["g6", "g5", "g6e"]
      capacity_types    = ["spot", "on-demand"]
      limits            = { vcpu = 32, memory_gib = 128, accelerators = 4 }"""

CHAT_MODEL = """qwen2-5-7b-instruct = {
      runs_on        = "gpu"
      context_tokens = 16384
      replicas       = 1
      weights = {
        repository = "Qwen/Qwen2.5-7B-Instruct"
        revision   = "a09a35458c702b33eeacc393d103063234e8bc28"
        licence    = "apache-2.0"
      }
      serving   = { accelerators = 1, cpus = 3, memory_gib = 12 }"""


@pytest.fixture(scope="session")
def empty_account() -> Iterator[EmulatedAws]:
    """An account of its own: what other tests made would count against its quotas."""
    with running_emulated_aws("111122223333", "us-east-1") as aws:
        yield aws


@pytest.fixture
def aws_environment(empty_account: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> EmulatedAws:
    """The emulated account is the one that this process finds; it has the role that people make beforehand."""
    for name, value in empty_account.environment.items():
        monkeypatch.setenv(name, value)
    iam = boto3.client("iam")
    existing = {role["Path"] for role in iam.list_roles(PathPrefix="/aws-service-role/")["Roles"]}
    if "/aws-service-role/opensearchservice.amazonaws.com/" not in existing:
        iam.create_service_linked_role(AWSServiceName="opensearchservice.amazonaws.com")
    return empty_account


@pytest.fixture
def scripted(aws_environment: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedAws]:
    """Quotas, EKS's offers and Bedrock's grants as `dev` needs them; a test scripts what differs."""
    with scripted_aws() as aws:
        for name, value in aws.environment(*SCRIPTED).items():
            monkeypatch.setenv(name, value)
        aws.script("service-quotas", "GetServiceQuota", {"Quota": {"Value": 64.0}})
        version = {"clusterVersion": "1.35", "versionStatus": "STANDARD_SUPPORT"}
        aws.script("eks", "DescribeClusterVersions", {"clusterVersions": [version]})
        aws.script("eks", "DescribeAddonVersions", offered_addons)
        aws.script("bedrock", "GetInferenceProfile", {"status": "ACTIVE"})
        aws.script("bedrock", "GetFoundationModelAvailability", GRANTED)
        yield aws


def offered_addons(asked: Parameters) -> dict[str, object]:
    """EKS offers what infra/addon-versions.json lists."""
    listed = known_addons()[asked["kubernetesVersion"]][asked["addonName"]]
    versions = [{"addonVersion": version, "architecture": ["amd64", "arm64"]} for version in listed]
    return {"addons": [{"addonName": asked["addonName"], "addonVersions": versions}]}


@pytest.fixture
def dev(tmp_path: Path) -> Environment:
    """`dev` as shipped."""
    return changed_dev(tmp_path)


def changed_dev(directory: Path, *changes: tuple[str, str]) -> Environment:
    """`dev` with some text of its file replaced."""
    text = DEV
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    file = directory / "dev.tfvars"
    file.write_text(text, encoding="utf-8")
    return read_variable_file(file)


def found(settings: Environment) -> dict[str, PreflightFinding]:
    return {finding.check: finding for finding in preflight.fn(settings)}
