"""What Prefect does by itself, tried on a real server: its own triggers, a real webhook."""

import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import httpx
import pytest
import stamina
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.events import AutomationCore, Event
from prefect.states import Failed, Late, Pending, Running
from pydantic import SecretStr

from tasks.environment import REPOSITORY, Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.prefect_objects import PREFECT_FILE, Change, NotificationsBlockMissing, reconcile
from tasks.prefect_objects.automations import (
    DEAD_AFTER,
    HEARTBEAT,
    RUNBOOK_OF_OTHERS,
    RUNBOOK_OF_STUCK_RUNS,
    RUNBOOKS,
    RUNBOOKS_OF_LAPTOP,
    TOO_LONG,
)
from tasks.prefect_objects.desired import desired_objects
from tasks.runs.pending import BEGINS_WITHIN

pytestmark = pytest.mark.prefect_server

BLOCK = "agentic-eks-notifications"
# So much later a run becomes overdue than its events are sent, for a busy server takes them in one after the other.
MARGIN = timedelta(seconds=90)


@pytest.fixture
def local() -> Environment:
    return load_environment(EnvironmentName.LOCAL)


@pytest.fixture
def told(prefect_server: str) -> Iterator[list[dict[str, Any]]]:
    """What a webhook of the block was told; it listens as long as the test runs."""
    received: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    Webhook(url=SecretStr(f"http://127.0.0.1:{server.server_port}/")).save(BLOCK, overwrite=True)
    yield received
    server.shutdown()
    thread.join()
    server.server_close()


def with_notifications(environment: Environment) -> Environment:
    prefect = environment.environment.prefect.model_copy(update={"notifications": BLOCK})
    identity = environment.environment.model_copy(update={"prefect": prefect})
    return environment.model_copy(update={"environment": identity})


def running(client: SyncPrefectClient, deployment: str) -> FlowRun:
    run = client.create_flow_run_from_deployment(client.read_deployment_by_name(deployment).id)
    client.set_flow_run_state(run.id, Running(), force=True)
    return client.read_flow_run(run.id)


def sent(prefect_server: str, event_name: str, run: FlowRun, ago: timedelta) -> None:
    """An event of the run, as its own process or the server would have sent it so long ago."""
    event = Event(
        id=uuid4(),
        occurred=datetime.now(UTC) - ago,  # pyright: ignore[reportArgumentType]
        event=event_name,
        resource={"prefect.resource.id": f"prefect.flow-run.{run.id}"},  # pyright: ignore[reportArgumentType]
        related=[  # pyright: ignore[reportArgumentType]
            {"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"} for tag in run.tags
        ],
    )
    response = httpx.post(f"{prefect_server}/events", json=[event.model_dump(mode="json")], timeout=60)
    assert response.status_code == 204, response.text


def looked_at_anew(client: SyncPrefectClient) -> Iterator[stamina.Attempt]:
    """Attempts to see that a trigger fired which waits for something that stays away.

    The server looks at such a trigger when it loads it, and then not before as much time has gone as the trigger waits.
    Of events from long ago, which a busy server takes in after its first look, it would know that late: so each attempt
    has it load them anew.
    """
    waits = {"wait_initial": 10.0, "wait_max": 10.0, "wait_jitter": 0.0}
    for attempt in stamina.retry_context(on=AssertionError, timeout=600, attempts=None, **waits):
        if attempt.num > 1:
            for automation in client.read_automations():
                client.resume_automation(automation.id)
        yield attempt


def stuck(told: list[dict[str, Any]]) -> set[str]:
    """The runs that somebody was told to be stuck."""
    return {each["run"] for each in told if each["runbook"] == RUNBOOK_OF_STUCK_RUNS}


def changed(changes: list[Change]) -> list[Change]:
    return [change for change in changes if change.kind == "automation" and change.action != "unchanged"]


def test_automations_are_made_once_kept_off_and_removed(
    prefect_server: str, prefect_client: SyncPrefectClient, local: Environment, told: list[dict[str, Any]]
) -> None:
    by_hand = AutomationCore.model_validate(
        {
            "name": "by hand",
            # One that matches every event would match those of its own actions, too, and never rest.
            "trigger": {"type": "event", "posture": "Reactive", "expect": ["somebody.whistled"]},
            "actions": [{"type": "do-nothing"}],
        }
    )
    prefect_client.create_automation(by_hand)
    created = changed(reconcile(with_notifications(local), prefect_server, dry_run=False))
    assert [each.action for each in created] == ["create"] * 5
    pending, dead, failed, *_ = sorted(
        (each for each in prefect_client.read_automations() if each.name != "by hand"), key=lambda each: each.name
    )
    prefect_client.pause_automation(dead.id)
    assert changed(reconcile(with_notifications(local), prefect_server, dry_run=False)) == []
    mine = AutomationCore.model_validate({**failed.model_dump(exclude={"id", "owner_resource"}), "description": "mine"})
    prefect_client.update_automation(failed.id, mine)
    assert changed(reconcile(with_notifications(local), prefect_server, dry_run=False)) == [
        Change("automation", failed.name, "update", ("description",))
    ]
    assert {each.action for each in changed(reconcile(local, prefect_server, dry_run=False))} == {"delete"}
    assert {(each.name, each.enabled) for each in prefect_client.read_automations()} == {
        (pending.name, True),
        (dead.name, False),
        ("by hand", True),
    }


def test_a_block_that_is_not_there_is_said(
    prefect_server: str, prefect_client: SyncPrefectClient, local: Environment
) -> None:
    prefect = local.environment.prefect.model_copy(update={"notifications": "nowhere"})
    identity = local.environment.model_copy(update={"prefect": prefect})
    with pytest.raises(NotificationsBlockMissing, match="no Webhook block of that name: make it in the UI"):
        reconcile(local.model_copy(update={"environment": identity}), prefect_server, dry_run=False)


@pytest.mark.timeout(900)
def test_a_run_without_a_sign_of_life_is_crashed_and_a_suspended_one_is_not(
    prefect_server: str, prefect_client: SyncPrefectClient, local: Environment
) -> None:
    reconcile(local, prefect_server, dry_run=False)
    dead, lives, waits = (running(prefect_client, "drift/local") for _ in range(3))
    sent(prefect_server, HEARTBEAT, waits, DEAD_AFTER - MARGIN)
    sent(prefect_server, "prefect.flow-run.Suspended", waits, DEAD_AFTER / 2)
    sent(prefect_server, HEARTBEAT, lives, timedelta(0))
    sent(prefect_server, HEARTBEAT, dead, DEAD_AFTER - MARGIN)
    for attempt in looked_at_anew(prefect_client):
        with attempt:
            assert prefect_client.read_flow_run(dead.id).state_type is StateType.CRASHED
    crashed = prefect_client.read_flow_run(dead.id).state
    assert crashed is not None
    assert "no sign of life" in (crashed.message or "")
    for other in (lives, waits):
        assert prefect_client.read_flow_run(other.id).state_type is StateType.RUNNING


@pytest.mark.timeout(900)
def test_a_run_that_never_began_is_crashed_and_one_that_waits_again_or_began_is_not(
    prefect_server: str, prefect_client: SyncPrefectClient, local: Environment
) -> None:
    reconcile(local, prefect_server, dry_run=False)
    deployment = prefect_client.read_deployment_by_name("knowledge/local").id
    # By another name, for the server's own event of it would begin the time anew.
    lost, waits, suspended, taken_again = (
        prefect_client.create_flow_run_from_deployment(deployment, state=Pending(name="Taken")) for _ in range(4)
    )
    began = BEGINS_WITHIN - MARGIN
    for run, after in ((waits, "AwaitingRetry"), (suspended, "Suspended"), (taken_again, "InfrastructurePending")):
        sent(prefect_server, "prefect.flow-run.Pending", run, began)
        sent(prefect_server, f"prefect.flow-run.{after}", run, BEGINS_WITHIN / 2)
    sent(prefect_server, "prefect.flow-run.Pending", lost, began)
    for attempt in looked_at_anew(prefect_client):
        with attempt:
            assert prefect_client.read_flow_run(lost.id).state_type is StateType.CRASHED
    crashed = prefect_client.read_flow_run(lost.id).state
    assert crashed is not None
    assert "did not begin within 45 minutes" in (crashed.message or "")
    for other in (waits, suspended, taken_again):
        assert prefect_client.read_flow_run(other.id).state_type is StateType.PENDING


def test_a_failed_run_is_told_of_and_one_of_another_environment_is_not(
    prefect_server: str, prefect_client: SyncPrefectClient, local: Environment, told: list[dict[str, Any]]
) -> None:
    reconcile(with_notifications(local), prefect_server, dry_run=False)
    other = load_environment(EnvironmentName.DEV)
    reconcile(other, prefect_server, dry_run=False)
    prefect_client.set_flow_run_state(running(prefect_client, "drift/dev").id, Failed(message="elsewhere"))
    run = running(prefect_client, "knowledge/local")
    prefect_client.set_flow_run_state(run.id, Failed(message='the gate says "no"'))
    for attempt in stamina.retry_context(on=AssertionError, timeout=600, attempts=None, wait_max=1):
        with attempt:
            assert told
    # A webhook may be called twice for one event, as when the server is slow to note that it was called.
    assert {(each["environment"], each["flow"], each["run"], each["state"], each["message"]) for each in told} == {
        ("local", "knowledge", run.name, "Failed", 'the gate says "no"')
    }
    assert told[0]["id"] == str(run.id)
    assert told[0]["runbook"] == "A knowledge refresh failed"


def test_a_late_look_for_changes_is_told_to_nobody(
    prefect_server: str, prefect_client: SyncPrefectClient, told: list[dict[str, Any]]
) -> None:
    reconcile(with_notifications(load_environment(EnvironmentName.DEV)), prefect_server, dry_run=False)
    for deployment in ("events/dev", "traces/dev"):
        run = prefect_client.create_flow_run_from_deployment(prefect_client.read_deployment_by_name(deployment).id)
        prefect_client.set_flow_run_state(run.id, Late(), force=True)
    for attempt in stamina.retry_context(on=AssertionError, timeout=600, attempts=None, wait_max=1):
        with attempt:
            assert told
    assert {(each["flow"], each["state"], each["runbook"]) for each in told} == {
        ("traces", "Late", RUNBOOK_OF_STUCK_RUNS)
    }


@pytest.mark.timeout(900)
def test_a_run_that_takes_too_long_is_told_of_and_one_that_ended_is_not(
    prefect_server: str, prefect_client: SyncPrefectClient, local: Environment, told: list[dict[str, Any]]
) -> None:
    reconcile(with_notifications(local), prefect_server, dry_run=False)
    # Pending, for one that is scheduled becomes late, which is told of too.
    hangs, ended = (
        prefect_client.create_flow_run_from_deployment(
            prefect_client.read_deployment_by_name(deployment).id, state=Pending()
        )
        for deployment in ("knowledge/local", "drift/local")
    )
    sent(prefect_server, "prefect.flow-run.Running", ended, TOO_LONG - MARGIN)
    sent(prefect_server, "prefect.flow-run.TimedOut", ended, TOO_LONG / 2)
    sent(prefect_server, "prefect.flow-run.Running", hangs, TOO_LONG - MARGIN)
    for attempt in looked_at_anew(prefect_client):
        with attempt:
            assert hangs.name in stuck(told)
    assert ended.name not in stuck(told)


def test_runs_are_told_of_with_runbooks_that_exist() -> None:
    text = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    deployed = {
        deployment.flow
        for environment in EnvironmentName
        for deployment in desired_objects(load_environment(environment), PREFECT_FILE, {}, None).deployments
    }
    assert deployed == set(RUNBOOKS)
    named = {*RUNBOOKS.values(), *RUNBOOKS_OF_LAPTOP.values(), RUNBOOK_OF_OTHERS, RUNBOOK_OF_STUCK_RUNS}
    assert named - set(re.findall("^## (.+)$", text, re.MULTILINE)) == set()
