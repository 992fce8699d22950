"""`python -m console approve`, with runs that a real Prefect server has as waiting."""

from uuid import UUID, uuid4

import pytest
import typer
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.states import Running, Suspended
from typer.testing import CliRunner, Result

from console.approve import approve
from console.sign import sign
from tasks.plan_review.waiting import pause_key

DIGEST = "ab" * 32

approving = typer.Typer()
approving.command()(approve)
signing = typer.Typer()
signing.command()(sign)


@flow(name="waiting")
def waiting(environment: str) -> None:
    """A flow of which only runs are made."""


@pytest.fixture
def run(prefect_client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch) -> UUID:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    made = prefect_client.create_flow_run(waiting, parameters={"environment": "dev"})
    state = Suspended(timeout_seconds=600, pause_key=pause_key(DIGEST))
    prefect_client.set_flow_run_state(made.id, state, force=True)
    return made.id


def answer(*arguments: object) -> Result:
    return CliRunner().invoke(approving, [str(argument) for argument in arguments])


@pytest.mark.prefect_server
def test_answer_that_the_server_refuses_is_no_success(run: UUID, prefect_server: str) -> None:
    # Its answer is 200 all the same: without a deployment, nobody could begin the run again.
    outcome = answer(run, "--yes", "--approver", "bob", "--api-url", prefect_server)

    assert outcome.exit_code == 1
    assert "recorded as unverified" in outcome.output
    assert (
        "the run did not accept the answer: Cannot reschedule a resuming flow run without a deployment"
        in outcome.output
    )


@pytest.mark.prefect_server
def test_nobody_is_asked_where_nobody_sits(run: UUID, prefect_client: SyncPrefectClient) -> None:
    outcome = answer(run)

    assert outcome.exit_code == 2
    assert "give --yes or --reject" in outcome.output
    state = prefect_client.read_flow_run(run).state
    assert state is not None
    assert state.is_paused()


@pytest.mark.prefect_server
def test_run_that_works_takes_no_answer(run: UUID, prefect_client: SyncPrefectClient) -> None:
    prefect_client.set_flow_run_state(run, Running(), force=True)
    outcome = answer(run, "--yes")
    assert outcome.exit_code == 1
    assert "its state is 'Running'" in outcome.output


@pytest.mark.prefect_server
def test_unknown_run_is_said(run: UUID) -> None:
    unknown = uuid4()
    outcome = answer(unknown, "--yes")
    assert outcome.exit_code == 1
    assert f"has no run '{unknown}'" in outcome.output


def test_wrong_options_exit_with_2() -> None:
    assert answer("the-last-one").exit_code == 2
    assert answer(uuid4(), "--yes", "--reject").exit_code == 2
    assert CliRunner().invoke(signing, ["--environment", "dev", "--plan", "0123456789ab"]).exit_code == 2
    assert CliRunner().invoke(signing, ["--environment", "local", "--plan", DIGEST]).exit_code == 2


def test_signature_is_for_one_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "an example")
    outcome = CliRunner().invoke(signing, ["--environment", "dev", "--plan", DIGEST])
    assert outcome.exit_code == 0, outcome.output
    assert "Action=GetCallerIdentity" in outcome.output
    assert "an example" not in outcome.output
