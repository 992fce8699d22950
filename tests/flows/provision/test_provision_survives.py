"""A run whose process is killed, or that a person cancels, in the middle of an apply."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import psutil
import pytest
from prefect.states import Cancelling

from tests.flows.provision.conftest import STATE_BUCKET, Provisioning, SmallRoot, state_of_dev
from tests.tasks.conftest import until

pytestmark = [pytest.mark.terraform, pytest.mark.prefect_server, pytest.mark.timeout(1800)]

SECONDS = 400
# `slow` is being made until somebody writes into the pipe.
SLOW_ROOT = """
terraform {
  backend "s3" {
    use_lockfile = true
  }
}
resource "terraform_data" "quick" {}
resource "terraform_data" "slow" {
  depends_on = [terraform_data.quick]
  provisioner "local-exec" { command = "touch DIRECTORY/begun; read line < DIRECTORY/pipe" }
}
"""


@pytest.fixture
def worker_log(provisioning: Provisioning, checkout: Path, prefect_server: str) -> Iterator[Path]:
    """The log of a worker that takes the runs of `provision/dev` while the test runs."""
    log = checkout.parent / "worker.log"
    environment = {**os.environ, "PREFECT_API_URL": prefect_server, "PREFECT_HOME": str(checkout.parent / "prefect")}
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "management"]
    with log.open("wb") as output:
        worker = subprocess.Popen(command, cwd=checkout, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield log
    finally:
        worker.terminate()
        worker.wait(timeout=240)


def test_killed_run_lets_terraform_finish_and_the_next_run_converges(
    small_root: SmallRoot, provisioning: Provisioning, worker_log: Path, tmp_path: Path
) -> None:
    small_root.holds(SLOW_ROOT.replace("DIRECTORY", str(tmp_path)))
    os.mkfifo(tmp_path / "pipe")
    killed = provisioning.ask(auto_approve=True)
    until((tmp_path / "begun").exists, SECONDS)

    os.kill(process_of(str(killed)), signal.SIGKILL)
    until(lambda: provisioning.state(killed).is_crashed(), SECONDS)
    next_one = provisioning.ask(auto_approve=True)
    until(lambda: "still works; waiting for its end" in worker_log.read_text(encoding="utf-8"), SECONDS)
    (tmp_path / "pipe").write_text("go on\n", encoding="utf-8")
    until(lambda: provisioning.state(next_one).is_final(), SECONDS)

    assert provisioning.state(next_one).is_completed(), worker_log.read_text(encoding="utf-8")
    assert [resource["name"] for resource in state_of_dev()["resources"]] == ["quick", "slow"]
    assert "Nothing to change" in provisioning.page(next_one, "dev-provision-plan")


def test_cancelled_run_saves_what_it_made_and_the_next_run_converges(
    small_root: SmallRoot, provisioning: Provisioning, worker_log: Path, tmp_path: Path
) -> None:
    small_root.holds(SLOW_ROOT.replace("DIRECTORY", str(tmp_path)))
    os.mkfifo(tmp_path / "pipe")
    cancelled = provisioning.ask(auto_approve=True)
    until((tmp_path / "begun").exists, SECONDS)

    provisioning.client.set_flow_run_state(cancelled, Cancelling())
    until(lambda: provisioning.state(cancelled).is_cancelled(), SECONDS)

    assert "quick" in [resource["name"] for resource in state_of_dev()["resources"]]
    assert not is_locked()

    small_root.holds(SLOW_ROOT.replace("touch DIRECTORY/begun; read line < DIRECTORY/pipe", "true"))
    next_one = provisioning.ask()
    until(lambda: provisioning.state(next_one).is_paused(), SECONDS)
    answer = {"decision": "approve", "plan": provisioning.waiting_digest(next_one), "approver": "bob"}
    provisioning.client.resume_flow_run(next_one, answer)
    until(lambda: provisioning.state(next_one).is_final(), SECONDS)

    assert provisioning.state(next_one).is_completed(), worker_log.read_text(encoding="utf-8")
    assert [resource["name"] for resource in state_of_dev()["resources"]] == ["quick", "slow"]
    assert "quick" not in provisioning.page(next_one, "dev-provision-plan")


def is_locked() -> bool:
    listed = boto3.client("s3").list_objects_v2(Bucket=STATE_BUCKET).get("Contents", [])
    return any(str(found.get("Key")).endswith(".tflock") for found in listed)


def process_of(run: str) -> int:
    """The process that a worker of ours started for a run."""
    # psutil leaves out what ends while it is looked at, as processes of other tests do.
    (found,) = [
        each
        for each in psutil.process_iter(["name", "environ"])
        if each.info["name"].startswith("python") and (each.info["environ"] or {}).get("PREFECT__FLOW_RUN_ID") == run
    ]
    return found.pid
