"""What Prefect does by itself when a run of the environment dies, is late, takes too long or fails."""

import json
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events import AutomationCore, EventTrigger, Posture, ResourceSpecification
from prefect.events.actions import CallWebhook, ChangeFlowRunState
from prefect.exceptions import ObjectNotFound

from tasks.environment import Environment, EnvironmentName
from tasks.prefect_objects.tags import managed_tags
from tasks.runs.pending import BEGINS_WITHIN

# Prefect's own heartbeat comes every 180 seconds: with less than three of them a live run would be called dead.
DEAD_AFTER = timedelta(seconds=600)
HEARTBEAT = "prefect.flow-run.heartbeat"
ANY_RUN = ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"})
# `events` looks every few minutes, and the next look sees what a late one would have: nobody is told of 288 a day.
NOT_OF_EVENTS = ResourceSpecification({"prefect.resource.role": "flow", "prefect.resource.name": "!events"})
# Longer than a refresh of a hundred thousand passages by the laptop's model; what takes longer somebody should look at.
TOO_LONG = timedelta(hours=12)
# A run that waits for an approval is suspended, and has no process that could send a heartbeat.
NO_LONGER_RUNNING = ("Completed", "Failed", "TimedOut", "Crashed", "Cancelled", "Cancelling", "Paused", "Suspended")
# All names of Prefect's own states in which a worker has a run that has not begun, and of those that follow.
PENDING = ("Pending", "Submitting", "InfrastructurePending")
SCHEDULED_AGAIN = ("Scheduled", "Late", "AwaitingRetry", "AwaitingConcurrencySlot", "Resuming")
NO_LONGER_PENDING = ("Running", "Retrying", *NO_LONGER_RUNNING, *SCHEDULED_AGAIN)
_MINUTE = timedelta(minutes=1)
MESSAGE_OF_DEAD = f"Its process sent no sign of life for {DEAD_AFTER // _MINUTE} minutes; the flow can be run again."
MESSAGE_OF_PENDING = (
    f"A worker took it and it did not begin within {BEGINS_WITHIN // _MINUTE} minutes; the flow can be run again."
)
# Headings of docs/operations.md: what to do when a run of the flow failed, and when one is late.
RUNBOOKS: Mapping[str, str] = {
    "knowledge": "A knowledge refresh failed",
    "evaluation": "The evaluation fails because a threshold is missed",
    "traces": "The flow traces fails",
    "events": "Documents changed and no refresh started",
    "drift": "Drift was found on AWS",
    "cost": "The bill goes over the budget",
    "drill": "The restore drill fails",
    "secrets": "A secret has no value",
    "provision": "Provision fails while it applies",
    "addons": "A rollout of add-ons or models fails",
    "models": "A rollout of add-ons or models fails",
    "images": "The images of a commit are not recorded",
    "agents": "A release of the agents fails its gate",
    "lifecycle": "A lifecycle on AWS stopped half-way",
    "upgrade": "An upgrade does not go on",
    "teardown": "Teardown leaves something behind",
}
RUNBOOKS_OF_LAPTOP: Mapping[str, str] = {**RUNBOOKS, "drift": "How do I find out what drifted?"}
RUNBOOK_OF_OTHERS = "What do I look at first when something is wrong?"
RUNBOOK_OF_STUCK_RUNS = "A flow run is stuck"
PAYLOAD = """{
  "environment": "%s",
  "flow": "{{ flow.name }}",
  "run": "{{ flow_run.name }}",
  "state": "{{ flow_run.state.name }}",
  "message": {{ (flow_run.state.message or "") | truncate(500) | tojson }},
  "runbook": {{ %s.get(flow.name, "%s") | tojson }},
  "id": "{{ flow_run.id }}"
}"""


class NotificationsBlockMissing(Exception):
    """The block through which runs are told of is not on the server; says how to make it."""


def notifications_block(client: SyncPrefectClient, environment: Environment) -> UUID | None:
    """The id of the `Webhook` block that environment.prefect.notifications names; None where it names none.

    The block is made by a person: its address is a secret, which no file of the repository may hold.

    Raises:
        NotificationsBlockMissing: there is no such block on the server.
    """
    name = environment.environment.prefect.notifications
    if name is None:
        return None
    try:
        return client.read_block_document_by_name(name, "webhook").id
    except ObjectNotFound as error:
        raise NotificationsBlockMissing(
            f"environment.prefect.notifications = {name!r}, but the Prefect server has no Webhook block of that name: "
            "make it in the UI under Blocks, with the address that shall be called"
        ) from error


def automations(environment: EnvironmentName, webhook: UUID | None) -> tuple[AutomationCore, ...]:
    """The automations of an environment; those that tell somebody need the id of a `Webhook` block.

    They look at the runs of deployments that carry the environment's tag, and at no others.
    See https://docs.prefect.io/v3/concepts/automations and .../advanced/detect-zombie-flows.
    """
    crashes = (
        _crash(
            environment,
            "crash runs that never began",
            "A run whose worker died before it made the pod stays Pending otherwise.",
            # Each of them begins the time anew, also the next one of a run that waited or was suspended in between.
            _missing(_entering(*PENDING), _entering(*PENDING, *NO_LONGER_PENDING), environment, BEGINS_WITHIN),
            MESSAGE_OF_PENDING,
        ),
        _crash(
            environment,
            "crash runs whose process is gone",
            "A run whose process was killed stays Running otherwise.",
            _missing({HEARTBEAT}, {HEARTBEAT} | _entering(*NO_LONGER_RUNNING), environment, DEAD_AFTER),
            MESSAGE_OF_DEAD,
        ),
    )
    if webhook is None:
        return crashes
    return (
        *crashes,
        _notification(
            environment,
            "tell of runs that failed",
            _reactive(_entering("Failed", "TimedOut", "Crashed"), [_tagged(environment)]),
            webhook,
            RUNBOOKS_OF_LAPTOP if environment is EnvironmentName.LOCAL else RUNBOOKS,
            RUNBOOK_OF_OTHERS,
        ),
        _notification(
            environment,
            "tell of runs that are late",
            _reactive(_entering("Late"), [_tagged(environment), NOT_OF_EVENTS]),
            webhook,
            {},
            RUNBOOK_OF_STUCK_RUNS,
        ),
        _notification(
            environment,
            "tell of runs that take too long",
            _missing(_entering("Running"), _entering(*NO_LONGER_RUNNING), environment, TOO_LONG),
            webhook,
            {},
            RUNBOOK_OF_STUCK_RUNS,
        ),
    )


def _crash(
    environment: EnvironmentName, purpose: str, description: str, trigger: EventTrigger, message: str
) -> AutomationCore:
    return AutomationCore(
        name=f"{environment.value}: {purpose}",
        description=description,
        tags=list(managed_tags(environment)),
        trigger=trigger,
        actions=[ChangeFlowRunState(name="Crashed", state=StateType.CRASHED, message=message, force=False)],
    )


def _notification(
    environment: EnvironmentName,
    purpose: str,
    trigger: EventTrigger,
    webhook: UUID,
    runbooks: Mapping[str, str],
    runbook_of_others: str,
) -> AutomationCore:
    payload = PAYLOAD % (environment.value, json.dumps(runbooks), runbook_of_others)
    return AutomationCore(
        name=f"{environment.value}: {purpose}",
        description="Calls the webhook that environment.prefect.notifications names.",
        tags=list(managed_tags(environment)),
        trigger=trigger,
        actions=[CallWebhook(block_document_id=webhook, payload=payload)],
    )


def _missing(after: set[str], expected: set[str], environment: EnvironmentName, within: timedelta) -> EventTrigger:
    """For a run of which none of the `expected` events came in time, `after` one that was the last."""
    return EventTrigger(
        after=after,
        expect=expected,
        match=ANY_RUN,
        match_related=_tagged(environment),
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=within,
    )


def _reactive(states: set[str], related: list[ResourceSpecification | dict[str, str | list[str]]]) -> EventTrigger:
    return EventTrigger(
        expect=states,
        match=ANY_RUN,
        match_related=related,
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
    )


def _entering(*states: str) -> set[str]:
    return {f"prefect.flow-run.{state}" for state in states}


def _tagged(environment: EnvironmentName) -> ResourceSpecification:
    tag = f"prefect.tag.environment:{environment.value}"
    return ResourceSpecification({"prefect.resource.role": "tag", "prefect.resource.id": tag})
