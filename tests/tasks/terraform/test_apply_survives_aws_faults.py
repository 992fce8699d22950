"""What happens on the wire, and to the credentials, while the real Terraform and its AWS provider apply a plan."""

import json
import shlex
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import boto3
import pytest

from rehearsal.aws import EmulatedAws
from rehearsal.provider_mirror import cli_configuration
from tasks.aws_session import MissingCredentials
from tasks.environment import Environment
from tasks.terraform.commands import PlanKind, apply_plan, initialise, make_plan, state_addresses
from tasks.terraform.failures import AlreadyExists, TerraformFailed
from tasks.terraform.lock import current_lock
from tasks.terraform.lock_breaking import free_state
from tasks.terraform.root import UNSAVED_STATE, TerraformRoot, open_root
from tasks.terraform.stored_objects import read_object
from tasks.terraform.unsaved_state import UnsavedStateRefused, save_unsaved_state
from tests.aws_faults import FaultyAws, Rule, aws_with_faults
from tests.tasks.terraform.conftest import MakeRoot

pytestmark = [pytest.mark.terraform, pytest.mark.timeout(1200)]

# COMMAND runs between the two resources.
ROOT = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
  backend "s3" {
    use_lockfile = true
  }
}
variable "word" { type = string }
provider "aws" {}
resource "aws_cloudwatch_log_group" "first" { name = "/NAME/first" }
resource "terraform_data" "between" {
  depends_on = [aws_cloudwatch_log_group.first]
  provisioner "local-exec" { command = "COMMAND" }
}
resource "aws_cloudwatch_log_group" "second" {
  depends_on = [terraform_data.between]
  name       = "/NAME/second"
}
"""
NO_PROVIDER = """
terraform {
  backend "s3" {
    use_lockfile = true
  }
}
variable "word" { type = string }
"""
ADDRESSES = ["aws_cloudwatch_log_group.first", "aws_cloudwatch_log_group.second", "terraform_data.between"]
CREATE: Rule = {"service": "logs", "operation": "CreateLogGroup"}
EXPIRED = {"error": {"code": "ExpiredTokenException", "message": "The security token is expired", "status": 400}}
SET_RULES = """
import sys, urllib.request
urllib.request.urlopen(urllib.request.Request(sys.argv[1] + "/_microburst/rules", sys.argv[2].encode(),
    {"content-type": "application/json"}))
"""


@pytest.fixture
def faulty(
    make_root: MakeRoot, emulated_aws: EmulatedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultyAws]:
    """The account, without faults yet; this process and its children reach it through microburst."""
    for name, value in cli_configuration(tmp_path).items():
        monkeypatch.setenv(name, value)
    with aws_with_faults(emulated_aws, []) as faulty:
        monkeypatch.setenv("AWS_ENDPOINT_URL", faulty.address)
        yield faulty


@pytest.fixture
def name() -> str:
    """What the names of the test's log groups begin with."""
    return f"faults-{uuid4().hex}"


def apply(root: TerraformRoot) -> None:
    apply_plan.fn(root, make_plan.fn(root, PlanKind.NORMAL), lambda done, total: None)


def log_groups(name: str) -> list[str]:
    found = boto3.client("logs").describe_log_groups(logGroupNamePrefix=f"/{name}/")["logGroups"]
    return [group.get("logGroupName", "") for group in found]


def test_calls_that_fail_on_the_way_are_made_again(make_root: MakeRoot, faulty: FaultyAws, name: str) -> None:
    root = make_root(ROOT.replace("NAME", name).replace("COMMAND", "true"))
    throttled: Rule = {
        "times": 3,
        "error": {"code": "ThrottlingException", "message": "Rate exceeded", "status": 400},
    }
    timed_out: Rule = {"times": 2, "timeout_ms": 200}
    connection_lost: Rule = {"times": 2, "reset": True}
    faulty.set_rules([{**CREATE, **fault} for fault in (throttled, timed_out, connection_lost)])

    apply(root)

    assert len(faulty.fired()) == 7
    assert state_addresses.fn(root) == ADDRESSES
    assert not make_plan.fn(root, PlanKind.NORMAL).changed


def test_what_a_lost_machine_made_is_named_with_the_way_to_take_it_over(
    make_root: MakeRoot, faulty: FaultyAws, name: str
) -> None:
    # Terraform and its provider end at once, as with their machine: nobody saved that the first one was made.
    root = make_root(ROOT.replace("NAME", name).replace("COMMAND", "kill -9 0"))
    with pytest.raises(TerraformFailed, match="terraform apply of 'dev' ended with -9"):
        apply(root)
    lock = current_lock(root.backend)
    assert lock is not None
    assert log_groups(name) == [f"/{name}/first"]

    free_state.fn(root, lock.identifier)
    (root.directory / "main.tf").write_text(ROOT.replace("NAME", name).replace("COMMAND", "true"), encoding="utf-8")
    with pytest.raises(AlreadyExists, match=r"AWS already has aws_cloudwatch_log_group\.first, and the") as caught:
        apply(root)
    follow(str(caught.value), root, f"/{name}/first")
    apply(root)

    assert state_addresses.fn(root) == ADDRESSES
    assert log_groups(name) == [f"/{name}/first", f"/{name}/second"]


def follow(advice: str, root: TerraformRoot, identifier: str) -> None:
    """Do in a checkout what the error says."""
    (root.directory / "environments").mkdir()
    (root.directory / "environments" / "dev.tfvars").write_bytes(root.variable_file.read_bytes())
    commands = [line.strip() for line in advice.splitlines() if line.startswith("  terraform ")]
    assert len(commands) == 2, advice
    for command in commands:
        arguments = shlex.split(command.replace("<id>", identifier))
        done = subprocess.run(arguments, cwd=root.directory.parent, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def opened(settings: Environment, content: str, key: str) -> Generator[TerraformRoot]:
    """The environment's root as a flow opens it, with one small file in it, and a state of its own."""
    with open_root(settings) as whole:
        root = replace(whole, backend=replace(whole.backend, key=key))
        for path in root.directory.glob("*.tf"):
            path.unlink()
        (root.directory / "main.tf").write_text(content, encoding="utf-8")
        root.variable_file.write_text('word = "hello"\n', encoding="utf-8")
        initialise.fn(root)
        yield root


def ends_credentials(faulty: FaultyAws) -> str:
    """A command after which AWS refuses every call; escaped for HCL."""
    rules = json.dumps([{"service": service, **EXPIRED} for service in ("logs", "s3", "sts")])
    words = (sys.executable, "-c", SET_RULES, faulty.address, rules)
    return json.dumps(shlex.join(words))[1:-1]


def test_credentials_that_end_in_the_middle_are_one_error_and_the_next_run_goes_on(
    dev_on_emulated_aws: Environment, faulty: FaultyAws, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ending, key = ROOT.replace("NAME", name).replace("COMMAND", ends_credentials(faulty)), f"dev/{name}.tfstate"

    refused = pytest.raises(MissingCredentials, match=r"terraform apply: AWS refuses the credentials; give the .*again")
    with opened(dev_on_emulated_aws, ending, key) as root, refused:
        apply(root)
    assert log_groups_without_faults(faulty, name) == [f"/{name}/first"]

    with opened(dev_on_emulated_aws, ROOT.replace("NAME", name).replace("COMMAND", "true"), key) as root:
        lock = current_lock(root.backend)
        assert lock is not None
        free_state.fn(root, lock.identifier)
        save_unsaved_state.fn(root)
        assert state_addresses.fn(root) == ["aws_cloudwatch_log_group.first", "terraform_data.between"]
        apply(root)
        assert state_addresses.fn(root) == ADDRESSES

    assert not list(tmp_path.glob("agentic-eks-terraform-*"))


def log_groups_without_faults(faulty: FaultyAws, name: str) -> list[str]:
    faulty.set_rules([])
    return log_groups(name)


def test_what_was_left_is_taken_only_where_it_belongs_and_follows(
    dev_on_emulated_aws: Environment, make_root: MakeRoot, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    content, key = f'{NO_PROVIDER}resource "terraform_data" "a" {{}}\n', f"dev/{name}.tfstate"
    with opened(dev_on_emulated_aws, content, key) as root:
        apply(root)
        state = read_object(root.backend, key)
        assert state is not None
        left, foreign = root.directory / UNSAVED_STATE, json.loads(state) | {"lineage": "another"}
        left.write_text(json.dumps(foreign), encoding="utf-8")
    with opened(dev_on_emulated_aws, content, key) as root:
        apply(root)

        save_unsaved_state.fn(root)
        assert left.exists()
        left.write_text(json.dumps(json.loads(state) | {"serial": 0}), encoding="utf-8")
        with pytest.raises(UnsavedStateRefused, match=rf"'{left}'[\s\S]*serial"):
            save_unsaved_state.fn(root)

    assert left.exists()
