"""A small Terraform root that keeps its state on the emulated AWS, and needs no provider."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from rehearsal.aws import EmulatedAws
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.terraform.commands import initialise
from tasks.terraform.root import TerraformRoot
from tasks.terraform.state_bucket import StateLocation, ensure_state_bucket

SMALL_ROOT = """
terraform {
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}
variable "word" { type = string }
resource "terraform_data" "first" { input = var.word }
resource "terraform_data" "second" { input = terraform_data.first.output }
output "word" { value = terraform_data.second.output }
output "password" {
  value     = "a password: ${var.word}"
  sensitive = true
}
"""

MakeRoot = Callable[[str], TerraformRoot]


@pytest.fixture
def dev_on_emulated_aws(emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """The environment `dev`, whose account this process reaches on the emulated AWS."""
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    return load_environment(EnvironmentName.DEV)


@pytest.fixture
def make_root(dev_on_emulated_aws: Environment, tmp_path: Path) -> MakeRoot:
    """Roots with a state of their own, by what is in their only file; they are initialised."""
    bucket = ensure_state_bucket.fn(dev_on_emulated_aws)

    def make(content: str = SMALL_ROOT) -> TerraformRoot:
        name = uuid4().hex
        directory = tmp_path / name / "infra"
        directory.mkdir(parents=True)
        (directory / "main.tf").write_text(content, encoding="utf-8")
        variable_file = directory / "dev.tfvars"
        variable_file.write_text('word = "hello"\n', encoding="utf-8")
        location = StateLocation(bucket.bucket, f"dev/{name}.tfstate", bucket.region, bucket.account_id)
        root = TerraformRoot(directory, EnvironmentName.DEV, variable_file, location)
        initialise.fn(root)
        return root

    return make


@pytest.fixture
def root(make_root: MakeRoot) -> TerraformRoot:
    """A small root with a state of its own."""
    return make_root(SMALL_ROOT)
