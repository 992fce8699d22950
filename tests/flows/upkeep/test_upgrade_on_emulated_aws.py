"""`upgrade/dev` with real Terraform and a real API server; EKS is emulated, so its updates are done at once."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from rehearsal.authenticator import Authenticator, running_authenticator
from rehearsal.aws import EmulatedAws
from rehearsal.cluster import Cluster, running_cluster
from tests.flows.conftest import RunPython
from tests.flows.upkeep.conftest import Artifact, Finished, Flow

pytestmark = [pytest.mark.prefect_server, pytest.mark.terraform, pytest.mark.kubernetes]

NAME = "agentic-eks-dev"
CLUSTER_ROOT = """
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
locals {
  known   = jsondecode(file("${path.module}/addon-versions.json"))
  subnets = { for zone, subnet in aws_subnet.this : zone => subnet.id }
}
variable "cluster" { type = object({ kubernetes_version = string }) }
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
resource "aws_vpc" "this" { cidr_block = "10.0.0.0/16" }
resource "aws_subnet" "this" {
  for_each          = { a = 1, b = 2, c = 3 }
  vpc_id            = aws_vpc.this.id
  cidr_block        = "10.0.${each.value}.0/24"
  availability_zone = "${var.environment.region}${each.key}"
}
resource "aws_iam_role" "admin" {
  name = "agentic-eks-dev-cluster-admin"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { AWS = var.environment.account_id }, Action = "sts:AssumeRole" }]
  })
}
module "cluster" {
  source              = "./modules/cluster"
  name                = "agentic-eks-dev"
  partition           = "aws"
  account_id          = var.environment.account_id
  tags                = {}
  kubernetes_version  = var.cluster.kubernetes_version
  service_cidr        = "172.20.0.0/16"
  public_access_cidrs = ["203.0.113.0/24"]
  log_days            = 30
  system_nodes        = { instance_types = ["m7g.large"], minimum = 2, maximum = 4, disk_gib = 50 }
  addon_versions      = { for addon, versions in local.known[var.cluster.kubernetes_version] : addon => versions[0] }
  subnet_ids          = { intra = local.subnets, private = local.subnets }
  secrets_key_arn        = module.encryption.key_arns["kubernetes-secrets"]
  log_key_arn            = module.encryption.key_arns["logs"]
  access_entries = {
    admin = {
      principal_arn = aws_iam_role.admin.arn
      group         = "cluster-admins"
      policy        = "AmazonEKSClusterAdminPolicy"
      namespaces    = []
    }
  }
  pod_identities         = {}
  cached_repository_arns = []
}
output "cluster" { value = module.cluster }
resource "aws_s3_bucket" "models" { bucket = "agentic-eks-dev-models" }
output "data" { value = { buckets = { models = { name = aws_s3_bucket.models.bucket } } } }
output "identity" { value = { role_arns = { cluster_admin = aws_iam_role.admin.arn } } }
"""
PROVISION = """
from tasks.environment.variable_file import load_environment
from tasks.environment_outputs import publish_outputs
from tasks.terraform.commands import PlanKind, apply_plan, initialise, make_plan, read_outputs, refresh_state
from tasks.terraform.root import open_root
from tasks.terraform.state_bucket import ensure_state_bucket

settings = load_environment("dev")
ensure_state_bucket.fn(settings)
with open_root(settings) as root:
    initialise.fn(root)
    apply_plan.fn(root, make_plan.fn(root, PlanKind.NORMAL), lambda done, total: None)
    refresh_state.fn(root)
    publish_outputs.fn(settings.name, read_outputs.fn(root))
"""
GUARD = """
from tasks.cluster_upgrade.versions import require_running_minor
from tasks.environment.variable_file import load_environment

require_running_minor(load_environment("dev"))
"""


@pytest.fixture
def upgrade(aws: EmulatedAws, run_python: RunPython) -> Flow:
    """`python -m flows.upgrade --environment dev` with further options."""

    def run(*options: str) -> Finished:
        return run_python("-m", "flows.upgrade", "--environment", "dev", *options)

    return run


@pytest.fixture
def cluster(aws: EmulatedAws) -> Iterator[Cluster]:
    """What emulated EKS says is the cluster of dev."""
    with running_cluster() as cluster, running_authenticator(Authenticator(aws, NAME), cluster):
        yield cluster


@pytest.fixture
def variable_file(cluster: Cluster, checkout: Path, run_python: RunPython) -> Path:
    """That of dev, whose cluster is provisioned with Kubernetes 1.34."""
    directory = checkout / "infra"
    for path in directory.glob("*.tf"):
        path.unlink()
    for module in (directory / "modules").iterdir():
        if module.name not in ("encryption", "cluster"):
            shutil.rmtree(module)
    (directory / "main.tf").write_text(CLUSTER_ROOT, encoding="utf-8")
    file = directory / "environments" / "dev.tfvars"
    set_minor(file, "1.35", "1.34")
    done = run_python("-c", PROVISION)
    assert done.returncode == 0, done.stdout + done.stderr
    return file


def set_minor(file: Path, before: str, after: str) -> None:
    text = file.read_text(encoding="utf-8")
    old = f'kubernetes_version  = "{before}"'
    assert old in text
    file.write_text(text.replace(old, f'kubernetes_version  = "{after}"'), encoding="utf-8")


def versions() -> tuple[str, str, str]:
    """Of the control plane, the system node group and kube-proxy."""
    eks = boto3.client("eks")
    cluster = eks.describe_cluster(name=NAME)["cluster"]
    group = eks.describe_nodegroup(clusterName=NAME, nodegroupName="system")["nodegroup"]
    addon = eks.describe_addon(clusterName=NAME, addonName="kube-proxy")["addon"]
    return cluster.get("version", ""), group.get("version", ""), addon.get("addonVersion", "").partition("-")[0]


@pytest.mark.timeout(1200)
def test_a_cluster_moves_by_one_minor_is_compared_and_torn_down(
    variable_file: Path, upgrade: Flow, drift: Flow, teardown: Flow, run_python: RunPython, artifact: Artifact
) -> None:
    nothing = upgrade("--mode", "plan")
    assert nothing.returncode == 0, nothing.stdout + nothing.stderr
    assert "'agentic-eks-dev' is at Kubernetes 1.34 with all its nodes: nothing to upgrade" in said(nothing)

    set_minor(variable_file, "1.34", "1.35")
    guarded = run_python("-c", GUARD)
    assert "runs Kubernetes 1.34, and cluster.kubernetes_version is '1.35': run upgrade/dev" in guarded.stderr

    planned = upgrade("--mode", "plan")
    assert planned.returncode == 0, said(planned)
    assert "to move: control plane: 1.34 to 1.35" in said(planned)
    assert versions()[:2] == ("1.34", "1.34")
    digest = re.search(r"plan ([0-9a-f]{64})", said(planned))
    assert digest is not None

    moved = upgrade("--mode", "apply", "--plan", digest[1])
    assert moved.returncode == 0, said(moved)
    assert "'agentic-eks-dev' is at Kubernetes 1.35: 4 parts of EKS and 0 nodes moved" in said(moved)
    assert versions() == ("1.35", "1.35", "v1.35.3")
    assert "node group system: 1.34 to 1.35" in artifact("dev-upgrade-moved")

    compared = drift()
    assert compared.returncode == 0, said(compared)
    assert "and 0 releases and no Prefect objects compared, no differences" in said(compared)

    boto3.client("eks").update_cluster_version(name=NAME, version="1.33")
    skipped = upgrade("--mode", "plan")
    assert skipped.returncode == 2, said(skipped)
    assert "EKS goes one minor at a time, and never back. Set it to '1.34'" in said(skipped)

    gone = teardown()
    assert gone.returncode == 0, said(gone)
    assert '"what": "finalizers", "left": 0' in artifact("dev-teardown-cluster")
    assert boto3.client("eks").list_clusters()["clusters"] == []


def said(done: Finished) -> str:
    """All that a run printed."""
    return done.stdout + done.stderr
