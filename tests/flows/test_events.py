"""Changes of documents start refreshes: an emulated SQS and a real Prefect server, in which a test plays the worker."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import boto3
import pytest
from mypy_boto3_sqs import SQSClient
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Completed, Crashed, Pending, Running, Scheduled

from flows.events import EventsNotConfigured, events
from rehearsal.aws import EmulatedAws
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.knowledge.changed_documents import refresh_after_changes
from tasks.knowledge.document_events import queue_name
from tasks.runs.missed import BY_SCHEDULE
from tests.tasks.conftest import until

pytestmark = pytest.mark.prefect_server

DEV: Environment = load_environment(EnvironmentName.DEV)
RULES = DEV.knowledge.events
MINUTE = timedelta(minutes=1)


class Bucket:
    """The queue as EventBridge fills it."""

    def __init__(self, sqs: SQSClient, url: str) -> None:
        self._sqs, self._url = sqs, url

    def change(self, documents: int) -> datetime:
        """Have so many documents change; returns a moment after that."""
        for number in range(documents):
            self._sqs.send_message(
                QueueUrl=self._url, MessageBody=f'{{"detail-type": "Object Created", "id": {number}}}'
            )
        return datetime.now(UTC)

    @property
    def messages(self) -> int:
        """How many wait."""
        wanted = "ApproximateNumberOfMessages"
        answer = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=[wanted])
        return int(answer["Attributes"][wanted])


@pytest.fixture
def bucket(emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName=queue_name(DEV))["QueueUrl"]
    yield Bucket(sqs, url)
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def deployment(prefect_client: SyncPrefectClient) -> UUID:
    flow = prefect_client.create_flow_from_name("knowledge")
    return prefect_client.create_deployment(flow, "dev", entrypoint="flows.knowledge.knowledge")


def look(now: datetime) -> str:
    assert RULES is not None
    return refresh_after_changes(DEV, RULES, now)


def refreshes(client: SyncPrefectClient) -> list[FlowRun]:
    return sorted(client.read_flow_runs(), key=lambda run: run.created or datetime.min.replace(tzinfo=UTC))


def enter(client: SyncPrefectClient, run: FlowRun, state: State[None]) -> None:
    client.set_flow_run_state(run.id, state, force=True)


def test_each_burst_starts_one_refresh_that_sees_all_of_it(
    bucket: Bucket, deployment: UUID, prefect_client: SyncPrefectClient
) -> None:
    changed = bucket.change(25)
    assert "still changing" in look(changed)
    assert refreshes(prefect_client) == []

    assert "25 changes: asked for knowledge/dev" in look(changed + 11 * MINUTE)
    assert "under way" in look(changed + 12 * MINUTE)
    (first,) = refreshes(prefect_client)
    assert (first.deployment_id, first.tags) == (deployment, ["started-by:events"])
    assert bucket.messages == 25, "a run that was asked for has not seen anything yet"

    enter(prefect_client, first, Running())
    assert "under way" in look(changed + 20 * MINUTE)
    enter(prefect_client, first, Completed())
    assert "25 changes were seen" in look(changed + 20 * MINUTE)
    assert bucket.messages == 0
    assert len(refreshes(prefect_client)) == 1


def test_a_load_of_many_batches_that_was_seen_goes_at_one_look(
    bucket: Bucket, deployment: UUID, prefect_client: SyncPrefectClient
) -> None:
    assert RULES is not None
    changed = bucket.change(45)
    run = prefect_client.create_flow_run_from_deployment(deployment)
    enter(prefect_client, run, Running())
    enter(prefect_client, run, Completed())

    assert "45 changes were seen" in refresh_after_changes(DEV, RULES, changed + 10 * MINUTE, batch=10)
    assert bucket.messages == 0


def test_a_burst_during_a_refresh_starts_exactly_one_more(
    bucket: Bucket, deployment: UUID, prefect_client: SyncPrefectClient
) -> None:
    running = prefect_client.create_flow_run_from_deployment(deployment)
    enter(prefect_client, running, Running())
    changed = bucket.change(12)
    assert "12 changes wait: a refresh is under way" in look(changed + 30 * MINUTE)

    enter(prefect_client, running, Completed())
    later = [look(changed + minutes * MINUTE) for minutes in (31, 32, 33)]

    assert [text.split(":")[0] for text in later] == ["12 changes", "12 changes wait", "12 changes wait"]
    assert len(refreshes(prefect_client)) == 2


def test_a_refresh_that_is_lost_loses_no_change(
    bucket: Bucket, deployment: UUID, prefect_client: SyncPrefectClient
) -> None:
    changed = bucket.change(3)
    look(changed + 11 * MINUTE)
    (lost,) = refreshes(prefect_client)
    enter(prefect_client, lost, Running())
    enter(prefect_client, lost, Crashed())

    assert "3 changes wait: a refresh that saw them did not complete" in look(changed + 20 * MINUTE)
    assert "3 changes: asked for" in look(changed + 70 * MINUTE)
    assert len(refreshes(prefect_client)) == 2
    assert bucket.messages == 3


def test_a_refresh_that_never_began_holds_up_the_next_one_as_one_that_failed(
    bucket: Bucket, deployment: UUID, prefect_client: SyncPrefectClient
) -> None:
    changed = bucket.change(3)
    look(changed + 11 * MINUTE)
    (lost,) = refreshes(prefect_client)
    enter(prefect_client, lost, Pending())

    assert "under way" in look(changed + 40 * MINUTE)
    assert "3 changes wait: a refresh that saw them did not complete" in look(changed + 50 * MINUTE)
    assert "3 changes: asked for" in look(changed + 110 * MINUTE)
    assert len(refreshes(prefect_client)) == 2


def test_an_image_that_cannot_be_pulled_is_not_asked_for_at_every_look(
    bucket: Bucket, deployment: UUID, prefect_client: SyncPrefectClient
) -> None:
    changed = bucket.change(3)
    look(changed + 11 * MINUTE)
    (never,) = refreshes(prefect_client)
    enter(prefect_client, never, Pending())
    enter(prefect_client, never, Crashed())

    assert "3 changes wait: a refresh that saw them did not complete" in look(changed + 16 * MINUTE)
    assert len(refreshes(prefect_client)) == 1


def test_documents_that_never_stop_changing_are_refreshed_after_the_longest_wait(
    bucket: Bucket, deployment: UUID, prefect_client: SyncPrefectClient
) -> None:
    assert RULES is not None
    hasty = RULES.model_copy(update={"quiet_minutes": 600})
    changed = bucket.change(2)
    assert "still changing" in refresh_after_changes(DEV, hasty, changed + 59 * MINUTE)
    assert "asked for" in refresh_after_changes(DEV, hasty, changed + 61 * MINUTE)


def test_a_return_to_a_kept_generation_has_read_no_document(
    bucket: Bucket, deployment: UUID, prefect_client: SyncPrefectClient
) -> None:
    changed = bucket.change(1)
    rollback = prefect_client.create_flow_run_from_deployment(deployment, parameters={"rollback_to": "one"})
    enter(prefect_client, rollback, Running())
    enter(prefect_client, rollback, Completed())

    assert "1 changes: asked for" in look(changed + 12 * MINUTE)


def test_the_flow_looks_at_its_own_account_and_refuses_where_nobody_listens(
    bucket: Bucket, deployment: UUID, prefect_client: SyncPrefectClient
) -> None:
    assert "nothing changed" in events(EnvironmentName.DEV)
    with pytest.raises(EventsNotConfigured, match=r"knowledge\.events of 'local' is left out"):
        events(EnvironmentName.LOCAL)


def test_the_first_look_after_an_outage_cancels_those_that_nobody_took(
    bucket: Bucket, deployment: UUID, prefect_client: SyncPrefectClient
) -> None:
    flow = prefect_client.create_flow_from_name("events")
    looks = prefect_client.create_deployment(flow, "dev", entrypoint="flows.events.events")
    now = datetime.now(UTC)

    def due(at: datetime, *tags: str) -> UUID:
        """The id of a run as Prefect's scheduler makes it, with its tag, or a person without."""
        state = Scheduled(scheduled_time=at)
        return prefect_client.create_flow_run_from_deployment(looks, state=state, tags=tags).id

    missed = [due(now - number * 5 * MINUTE, BY_SCHEDULE) for number in range(1, 6)]
    until(lambda: state_of(prefect_client, missed[0]) == "Late")
    left = [due(now + 60 * MINUTE, BY_SCHEDULE), due(now - 5 * MINUTE)]

    assert "nothing changed" in events(EnvironmentName.DEV)

    assert {state_of(prefect_client, run) for run in missed} == {"Cancelled"}
    assert {state_of(prefect_client, run) for run in left} <= {"Scheduled", "Late"}


def state_of(client: SyncPrefectClient, run: UUID) -> str | None:
    state = client.read_flow_run(run).state
    return state.name if state else None
