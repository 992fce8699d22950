"""The stage `provision`: what the environment stands on. On a laptop that is the machine itself, elsewhere AWS."""

from dataclasses import asdict
from datetime import UTC, datetime

from prefect import flow, get_run_logger, suspend_flow_run
from prefect.runtime import flow_run

from flows import command_line
from flows.provision_request import Mode, Request
from tasks.artifacts import publish_markdown, publish_table
from tasks.cluster_upgrade.versions import require_running_minor
from tasks.environment import REPOSITORY, Environment, EnvironmentName
from tasks.environment.knowledge import LanceStore
from tasks.environment.variable_file import load_environment
from tasks.environment_outputs import publish_outputs
from tasks.gateway.clients import client_key_among, register_gateway_clients
from tasks.laptop.machine import check_machine, make_directories, require_fit
from tasks.plan_review import PlanReview, approval_form, publish_review
from tasks.plan_review.approval import Approval
from tasks.plan_review.provisioning import (
    apply_approved,
    judge_approval,
    judge_stored,
    plan_for_review,
    record_approval,
)
from tasks.plan_review.store import find_review
from tasks.plan_review.waiting import pause_key
from tasks.preflight import findings_page, preflight, require_ready
from tasks.runs.concurrency_limits import one_at_a_time
from tasks.runs.origin import record_origin
from tasks.runs.result_storage import ensure_result_storage
from tasks.secrets import publish_report, reconcile_secrets
from tasks.terraform.commands import initialise, read_outputs, refresh_state, validate
from tasks.terraform.failures import StalePlan
from tasks.terraform.lock_breaking import free_state
from tasks.terraform.root import TerraformRoot, open_root, require_terraform
from tasks.terraform.state_bucket import ensure_state_bucket
from tasks.terraform.unsaved_state import save_unsaved_state

# A plan that nobody answers for so long is stale anyway.
APPROVAL_WITHIN_SECONDS = 7 * 24 * 3600
# A state that changes again and again is somebody else's work, which has to end first.
ATTEMPTS = 2


@flow(name="provision", persist_result=True, on_running=[record_origin])
def provision(
    environment: EnvironmentName,
    mode: Mode = Mode.APPROVE,
    plan: str | None = None,
    auto_approve: bool = False,
    allow_data_loss: bool = False,
    break_lock: str | None = None,
    requested_by: str = "",
    signed_identity: str | None = None,
) -> str:
    """Make what the environment stands on: plan, review, approval, apply of exactly the approved plan, outputs.

    Args:
        environment: the environment to provision
        mode: approve plans, waits for a person, and applies; plan only plans; apply applies the stored plan of `plan`
        plan: the digest of a stored plan, at least its first 12 digits (mode apply)
        auto_approve: apply without a person, if nothing is destroyed or replaced and the policy finds nothing
        allow_data_loss: apply also what destroys or replaces resources that hold data
        break_lock: the id of a lock on the state, which is broken; the log says before who holds it
        requested_by: who asks for it; protected environments need it
        signed_identity: who approves the plan in mode apply of a protected environment, signed for its digest
    """
    settings = load_environment(environment)
    if settings.laptop is not None:
        return provision_laptop(settings)
    request = Request("provision", mode, plan, auto_approve, allow_data_loss, break_lock, requested_by, signed_identity)
    request.require_possible(settings)
    require_terraform()
    findings = preflight(settings)
    page = findings_page(environment, findings)
    publish_markdown(environment, "provision", "preflight", page, "What AWS has to grant before a plan")
    require_ready(findings)
    require_running_minor(settings)
    ensure_state_bucket(settings)
    with one_at_a_time(environment, "infrastructure"), open_root(settings) as root:
        initialise(root)
        validate(root)
        free_state(root, break_lock)
        save_unsaved_state(root)
        summary = (
            apply_stored(root, settings, request) if mode is Mode.APPLY else plan_and_apply(root, settings, request)
        )
        if mode is not Mode.PLAN:
            refresh_state(root)
            publish_outputs(environment, read_outputs(root))
            secrets = reconcile_secrets(settings, datetime.now(UTC))
            publish_report(environment, secrets)
            if client_key_among(secrets.renewed):
                register_gateway_clients(settings)
    get_run_logger().info(summary)
    return summary


def plan_and_apply(root: TerraformRoot, settings: Environment, request: Request, attempt: int = 1) -> str:
    """Plan, have the plan approved, and apply it; a plan that became stale meanwhile is made again, once."""
    storage = ensure_result_storage(settings.name, root.backend)
    review = plan_for_review.with_options(result_storage=storage)(root, settings, request.requested_by, attempt)
    publish_review.with_options(result_storage=storage)(review)
    if request.mode is Mode.PLAN or not review.changed:
        return f"plan {review.digest}: {review.summary()}"
    request.require_no_loss(review)
    if request.approves(review):
        record_approval(review, "the parameter auto_approve")
    else:
        approval = ask_for_approval(review)
        judge_approval.with_options(result_storage=storage)(approval, review, settings, request.flow)
    try:
        return apply_approved.with_options(result_storage=storage)(root, review)
    except StalePlan as error:
        if attempt == ATTEMPTS:
            raise
        get_run_logger().warning("%s; planning again, which needs a new approval", error)
        return plan_and_apply(root, settings, request, attempt + 1)


def ask_for_approval(review: PlanReview) -> Approval:
    """Suspend the run until a person has answered for exactly this plan."""
    run_id = flow_run.get_id()
    assert run_id is not None  # noqa: S101 - only the run of a deployment comes here
    form = Approval.with_initial_data(description=approval_form(review, run_id))
    return suspend_flow_run(wait_for_input=form, timeout=APPROVAL_WITHIN_SECONDS, key=pause_key(review.digest))


def apply_stored(root: TerraformRoot, settings: Environment, request: Request) -> str:
    """Apply the plan that an earlier run stored; nobody is asked."""
    storage = ensure_result_storage(settings.name, root.backend)
    review = find_review(root.backend, request.stored_plan)
    publish_review.with_options(result_storage=storage)(review)
    request.require_no_loss(review)
    judge_stored.with_options(result_storage=storage)(request.signed_identity, review, settings)
    return apply_approved.with_options(result_storage=storage)(root, review)


def provision_laptop(settings: Environment) -> str:
    """Check the machine and make the work directories; there is nothing to install on a laptop."""
    assert settings.laptop is not None  # noqa: S101 - the model guarantees it for local
    data = REPOSITORY / settings.laptop.data_directory
    checks = check_machine(data)
    publish_table(settings.name, "provision", "machine", [asdict(check) for check in checks], "What the machine has")
    require_fit(checks)
    store = settings.knowledge.store
    directories = [data, data / "models", *([data / store.directory] if isinstance(store, LanceStore) else [])]
    made = make_directories(directories)
    looked_at = ", ".join(f"{check.name} ({check.found})" for check in checks)
    summary = (
        f"Checked {looked_at}; made {len(made)} of {len(directories)} work directories. "
        "Nothing to provision: a laptop is its own infrastructure."
    )
    get_run_logger().info(summary)
    return summary


if __name__ == "__main__":
    command_line.run(provision)
