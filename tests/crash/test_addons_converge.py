"""Whatever happens at a commit point of a rollout, running it again converges, and a release is not made twice."""

import signal
import subprocess
from pathlib import Path

import pytest

from tasks.helm.records import DEPLOYED
from tasks.helm.rollout import Action
from tests.crash.children import in_checkout, run_child, start_child
from tests.crash.faults import Case, Fault
from tests.tasks.conftest import until
from tests.tasks.helm.conftest import Rollout
from tests.tasks.helm.test_rollout import UNSCHEDULABLE, greeting

pytestmark = [pytest.mark.prefect_server, pytest.mark.kubernetes, pytest.mark.timeout(1200)]


def start(checkout: Path, api_url: str, case: Case | None = None) -> "subprocess.Popen[str]":
    """The flow `addons` for `dev` in a process of its own."""
    return start_child("addons", case, in_checkout(checkout, api_url), cwd=checkout)


def run(checkout: Path, api_url: str, case: Case | None = None) -> tuple[int, str]:
    """Run the flow; returns its exit code and output."""
    return run_child("addons", case, in_checkout(checkout, api_url), cwd=checkout)


@pytest.fixture
def changed(rollout: Rollout, provisioned: None) -> Rollout:
    """A cluster with two releases of an earlier rollout: one is to be upgraded, one removed, and one is new."""
    rollout.described.add("widgets", "widgets")
    rollout.described.add("former", "dependant", needs=["widgets"])
    rollout.run()
    rollout.described.drop("former")
    rollout.described.values("widgets", {"greeting": "whole"})
    rollout.described.add("user", "dependant", needs=["widgets"])
    return rollout


def test_a_rollout_converges_after_a_fault(
    changed: Rollout, checkout: Path, prefect_server: str, addons_case: Case
) -> None:
    code, output = run(checkout, prefect_server, addons_case)
    assert (code == 0) == (addons_case.fault is Fault.SLOW), output

    code, output = run(checkout, prefect_server)
    assert code == 0, output

    assert greeting(changed) == "whole"
    records = {name: changed.record(name) for name in ("widgets", "user", "former")}
    assert {name: record and (record.revision, record.status) for name, record in records.items()} == {
        "widgets": (2, DEPLOYED),
        "user": (1, DEPLOYED),
        "former": None,
    }
    assert {result.action for result in changed.run().values()} == {Action.UNCHANGED}


def test_a_rollout_that_is_killed_while_helm_waits_is_put_right(
    changed: Rollout, checkout: Path, prefect_server: str
) -> None:
    changed.described.values("widgets", {"greeting": "half", **UNSCHEDULABLE})
    changed.described.change("widgets", deadline_seconds=120)

    def upgrading() -> bool:
        record = changed.record("widgets")
        return record is not None and record.status == "pending-upgrade"

    with start(checkout, prefect_server) as process:
        until(upgrading, seconds=400)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=180)
    assert upgrading()
    changed.described.values("widgets", {"greeting": "whole"})

    code, output = run(checkout, prefect_server)
    assert code == 0, output
    assert "widgets: found pending-upgrade since" in output
    assert greeting(changed) == "whole"
    assert {result.action for result in changed.run().values()} == {Action.UNCHANGED}
