"""`python -m console approve`: look at the plan that a run of `provision` waits with, and answer for it."""

import sys
from typing import Annotated
from uuid import UUID

import typer
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL, temporary_settings
from rich.console import Console
from rich.markdown import Markdown

from console.failures import INPUT_WRONG, WORK_FAILED, explained
from tasks.aws_session import MissingCredentials
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.plan_review.approval import Approval, Decision
from tasks.plan_review.signed_identity import sign_identity
from tasks.plan_review.waiting import NoPendingApproval, WaitingPlan, read_waiting_plan
from tasks.runs.origin import process_user


def approve(
    run: Annotated[UUID, typer.Argument(help="The id of the run that waits.", show_default=False)],
    reject: Annotated[bool, typer.Option("--reject", help="Answer no.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Answer yes without being asked.")] = False,
    approver: Annotated[str, typer.Option(help="Your name.")] = "",
    reason: Annotated[str, typer.Option(help="Why; who asked for the change reads it.")] = "",
    environment: Annotated[
        EnvironmentName | None, typer.Option(help="Ask the Prefect API of this environment, not the active profile's.")
    ] = None,
    api_url: Annotated[str | None, typer.Option(help="The Prefect API, if it is another one.")] = None,
) -> None:
    """Show the plan that a run waits with, and answer for it; AWS credentials, if there are any, prove who you are.

    Exits with 1 when the run does not accept the answer, and with 2 when nothing was answered.
    """
    with explained((NoPendingApproval, MissingCredentials)):
        url = api_url or (load_environment(environment).environment.prefect.api_url if environment else None)
        with temporary_settings({PREFECT_API_URL: url} if url else {}), get_client(sync_client=True) as client:
            _answer(client, run, _fixed(reject, yes), approver or process_user(), reason)


def _answer(client: SyncPrefectClient, run: UUID, fixed: Decision | None, approver: str, reason: str) -> None:
    try:
        waiting = read_waiting_plan(client, run)
    except ObjectNotFound as error:
        raise NoPendingApproval(f"the Prefect API at {client.api_url} has no run {str(run)!r}") from error
    console = Console()
    console.print(Markdown(waiting.page))
    decision = fixed or _asked(waiting)
    approval = Approval(
        decision=decision,
        plan=waiting.digest,
        approver=approver,
        reason=reason,
        signed_identity=_signed(load_environment(waiting.environment), waiting, decision, console),
    )
    # The answer's code is 200 also when it is refused.
    outcome = client.resume_flow_run(run, run_input=approval.model_dump(mode="json"))
    if outcome.status is not SetStateStatus.ACCEPT:
        raise NoPendingApproval(f"the run did not accept the answer: {outcome.details.model_dump().get('reason')}")
    console.print(f"{decision.value}: plan {waiting.digest[:12]} of {waiting.environment}, by {approver}", markup=False)


def _fixed(reject: bool, yes: bool) -> Decision | None:
    if reject and yes:
        raise typer.BadParameter("--reject and --yes are two answers; give one")
    return Decision.REJECT if reject else Decision.APPROVE if yes else None


def _asked(waiting: WaitingPlan) -> Decision:
    if not sys.stdin.isatty():
        typer.echo("there is no terminal to ask at: give --yes or --reject", err=True)
        raise typer.Exit(INPUT_WRONG)
    typed = typer.prompt(f"Plan {waiting.digest[:12]} for {waiting.environment}: type approve or reject").strip()
    try:
        return Decision(typed.lower())
    except ValueError as error:
        typer.echo(f"{typed!r} is neither approve nor reject; nothing was answered", err=True)
        raise typer.Exit(INPUT_WRONG) from error


def _signed(settings: Environment, waiting: WaitingPlan, decision: Decision, console: Console) -> str:
    region = settings.environment.region
    if decision is Decision.REJECT or region is None:
        return ""
    try:
        return sign_identity(waiting.digest, region)
    except MissingCredentials as error:
        if settings.environment.protected:
            typer.echo(f"{waiting.environment} is protected, and its approver must be known to AWS: {error}", err=True)
            raise typer.Exit(WORK_FAILED) from error
        console.print("Without AWS credentials the approval is recorded as unverified.")
        return ""
