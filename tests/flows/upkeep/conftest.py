"""A small environment `dev` in an emulated AWS account: what `drift` compares and `teardown` removes."""

import functools
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient

from rehearsal.aws import EmulatedAws, running_emulated_aws
from rehearsal.provider_mirror import cli_configuration
from tests.artifacts import newest_artifact
from tests.flows.conftest import RunPython

ACCOUNT = "111122223333"
STATE_BUCKET = f"agentic-eks-state-{ACCOUNT}-us-east-1"
BUCKET = f"agentic-eks-dev-knowledge-{ACCOUNT}"
ROLE = "agentic-eks-dev-backup"
REPOSITORY = "agentic-eks-dev/agents"
# The project's own keys, and one of each other kind that drift and teardown treat in a way of its own.
SMALL_ROOT = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}
variable "environment" { type = object({ name = string, region = string, account_id = string }) }
provider "aws" {
  region = var.environment.region
  default_tags { tags = { Project = "agentic-eks", Environment = var.environment.name } }
}
module "encryption" {
  source               = "./modules/encryption"
  name                 = "agentic-eks-dev"
  partition            = "aws"
  region               = var.environment.region
  account_id           = var.environment.account_id
  deletion_window_days = 7
}
resource "aws_s3_bucket" "knowledge" { bucket = "agentic-eks-dev-knowledge-${var.environment.account_id}" }
resource "aws_s3_bucket_versioning" "knowledge" {
  bucket = aws_s3_bucket.knowledge.id
  versioning_configuration { status = "Enabled" }
}
resource "aws_s3_bucket_server_side_encryption_configuration" "knowledge" {
  bucket = aws_s3_bucket.knowledge.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = module.encryption.key_arns["data"]
    }
  }
}
resource "aws_iam_role" "backup" {
  name = "agentic-eks-dev-backup"
  tags = { Purpose = "backup" }
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "backup.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}
resource "aws_iam_role_policy_attachment" "backup" {
  role       = aws_iam_role.backup.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
}
resource "aws_ecr_repository" "agents" { name = "agentic-eks-dev/agents" }
resource "aws_secretsmanager_secret" "key" {
  name                    = "agentic-eks-dev/litellm-master-key"
  recovery_window_in_days = 30
}
"""
PROVISION = """
from tasks.environment.variable_file import load_environment
from tasks.terraform.commands import PlanKind, apply_plan, initialise, make_plan, refresh_state
from tasks.terraform.root import open_root
from tasks.terraform.state_bucket import ensure_state_bucket

settings = load_environment("dev")
ensure_state_bucket.fn(settings)
with open_root(settings) as root:
    initialise.fn(root)
    apply_plan.fn(root, make_plan.fn(root, PlanKind.NORMAL), lambda done, total: None)
    refresh_state.fn(root)
"""
Finished = subprocess.CompletedProcess[str]
Flow = Callable[..., Finished]
Artifact = Callable[[str], str]


@pytest.fixture(scope="module")
def aws_account() -> Iterator[EmulatedAws]:
    """An account that no other module uses."""
    with running_emulated_aws(ACCOUNT, "us-east-1") as aws:
        yield aws


@pytest.fixture
def aws(aws_account: EmulatedAws, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmulatedAws:
    """The account, empty; this process and its children reach it."""
    for name, value in {**aws_account.environment, **cli_configuration(tmp_path), "PYTHONPATH": str(checkout)}.items():
        monkeypatch.setenv(name, value)
    httpx.post(f"{aws_account.address}/moto-api/reset", trust_env=False, timeout=60).raise_for_status()
    return aws_account


@pytest.fixture
def dev(aws: EmulatedAws, checkout: Path, run_python: RunPython) -> Path:
    """The small environment, provisioned; returns its Terraform root."""
    directory = checkout / "infra"
    for path in directory.glob("*.tf"):
        path.unlink()
    for module in (directory / "modules").iterdir():
        if module.name != "encryption":
            shutil.rmtree(module)
    (directory / "main.tf").write_text(SMALL_ROOT, encoding="utf-8")
    done = run_python("-c", PROVISION)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


@pytest.fixture
def drift(aws: EmulatedAws, run_python: RunPython) -> Flow:
    """`python -m flows.drift --environment dev` with further options."""

    def run(*options: str) -> Finished:
        return run_python("-m", "flows.drift", "--environment", "dev", *options)

    return run


@pytest.fixture
def teardown(aws: EmulatedAws, run_python: RunPython) -> Flow:
    """`python -m flows.teardown --environment dev --confirm dev` with further options."""

    def run(*options: str) -> Finished:
        return run_python("-m", "flows.teardown", "--environment", "dev", "--confirm", "dev", *options)

    return run


@pytest.fixture
def artifact(prefect_client: SyncPrefectClient) -> Artifact:
    """The newest artifact under a key, as text."""

    return functools.partial(newest_artifact, prefect_client)


def state_objects() -> list[dict[str, Any]]:
    """Every version of every object of the state bucket."""
    pages = boto3.client("s3").get_paginator("list_object_versions").paginate(Bucket=STATE_BUCKET)
    return [
        {"key": each.get("Key"), "version": each.get("VersionId"), "etag": each.get("ETag")}
        for page in pages
        for each in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
    ]
