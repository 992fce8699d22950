"""An apply whose process is interrupted or killed while terraform is at work."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tasks.environment import REPOSITORY
from tasks.terraform.commands import PlanKind, apply_plan, make_plan, state_addresses
from tasks.terraform.lock import StateLocked, current_holder, current_lock
from tasks.terraform.lock_breaking import free_state
from tasks.terraform.root import TerraformRoot
from tests.tasks.conftest import until
from tests.tasks.terraform.conftest import MakeRoot

pytestmark = pytest.mark.terraform

# The second resource is being made until somebody writes into the pipe.
BLOCKING_ROOT = """
terraform {
  backend "s3" {
    use_lockfile = true
  }
}
variable "word" { type = string }
resource "terraform_data" "first" {}
resource "terraform_data" "second" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = "touch begun; read line < pipe" }
}
"""

APPLY = """
import sys
from pathlib import Path
from tasks.environment import EnvironmentName
from tasks.terraform.commands import PlanKind, apply_plan, make_plan
from tasks.terraform.lock_breaking import free_state
from tasks.terraform.root import TerraformRoot
from tasks.terraform.state_bucket import StateLocation
directory = Path(sys.argv[1])
root = TerraformRoot(directory, EnvironmentName.DEV, directory / "dev.tfvars", StateLocation(*sys.argv[2:]))
apply_plan.fn(root, make_plan.fn(root, PlanKind.NORMAL), print)
"""


@contextmanager
def applying(root: TerraformRoot) -> "Generator[subprocess.Popen[bytes]]":
    """A process that is in the middle of an apply."""
    os.mkfifo(root.directory / "pipe")
    backend = root.backend
    command = [sys.executable, "-c", APPLY, str(root.directory)]
    command += [backend.bucket, backend.key, backend.region, backend.account_id]
    with (root.directory / "output").open("wb") as output:
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=output, stderr=subprocess.STDOUT)
    try:
        until((root.directory / "begun").exists)
        yield process
    finally:
        process.kill()
        process.wait()


def goes_on(root: TerraformRoot) -> None:
    """Let the second resource be made."""
    (root.directory / "pipe").write_text("go on\n", encoding="utf-8")


def test_interrupted_apply_saves_its_state_and_frees_its_lock(make_root: MakeRoot) -> None:
    root = make_root(BLOCKING_ROOT)
    with applying(root) as process:
        assert current_lock(root.backend) is not None

        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=240) != 0
    assert current_lock(root.backend) is None
    assert "terraform_data.first" in state_addresses.fn(root)


def test_killed_flow_leaves_terraform_to_finish_the_approved_plan(make_root: MakeRoot) -> None:
    root = make_root(BLOCKING_ROOT)
    with applying(root) as process:
        process.kill()
        process.wait()

    holder, lock = current_holder(root.backend), current_lock(root.backend)
    assert holder is not None
    assert lock is not None
    assert holder.took(lock)
    assert holder.still_works()
    with pytest.raises(StateLocked, match=rf"{lock.identifier}.*OperationTypeApply"):
        make_plan.fn(root, PlanKind.NORMAL)

    goes_on(root)

    until(lambda: current_lock(root.backend) is None)
    until(lambda: not holder.still_works())
    assert state_addresses.fn(root) == ["terraform_data.first", "terraform_data.second"]
    assert not make_plan.fn(root, PlanKind.NORMAL).changed


def test_lock_of_a_killed_terraform_is_broken_by_its_name_and_the_next_apply_converges(make_root: MakeRoot) -> None:
    root = make_root(BLOCKING_ROOT)
    with applying(root) as process:
        os.killpg(terraform_in(root.directory), signal.SIGKILL)
        assert process.wait(timeout=240) != 0
    holder, lock = current_holder(root.backend), current_lock(root.backend)
    assert holder is not None
    assert lock is not None
    assert not holder.still_works()
    (root.directory / "main.tf").write_text(BLOCKING_ROOT.replace("read line < pipe", "true"), encoding="utf-8")

    free_state.fn(root, lock.identifier)
    apply_plan.fn(root, make_plan.fn(root, PlanKind.NORMAL), lambda done, total: None)

    assert state_addresses.fn(root) == ["terraform_data.first", "terraform_data.second"]


def terraform_in(directory: Path) -> int:
    """The process id of the terraform that works in `directory`; it leads its own group."""
    # psutil leaves out what ends while it is looked at.
    running = psutil.process_iter(["name", "cwd"])
    (found,) = [each for each in running if (each.info["name"], each.info["cwd"]) == ("terraform", str(directory))]
    return found.pid
