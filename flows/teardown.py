"""The stage `teardown`: remove all that the other stages made, and prove it."""

from dataclasses import asdict

from prefect import flow, get_run_logger

from flows import command_line
from flows.cluster_teardown import empty_cluster
from tasks.agent_service.changes import changing_agents
from tasks.artifacts import begin_progress, publish_table
from tasks.aws_session import require_account
from tasks.aws_teardown.buckets import empty_bucket
from tasks.aws_teardown.data_stores import (
    delete_secrets,
    empty_backup_vault,
    empty_image_repository,
    lift_protection,
)
from tasks.aws_teardown.doomed import Doomed, doomed
from tasks.aws_teardown.forgotten_releases import forget_releases
from tasks.aws_teardown.proof import look_for_leftovers, require_nothing_left
from tasks.aws_teardown.sweep import sweep_up
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.environment_outputs import last_outputs
from tasks.evaluation.kept_reports import reports_directory
from tasks.laptop.data_directory import (
    agent_candidate_file,
    agent_settings_file,
    agents_directory,
    copies_directory,
    lifecycle_summary_file,
    models_directory,
)
from tasks.laptop.leftovers import delete, remove_component, require_gone
from tasks.laptop.web_search import web_search_file
from tasks.platforms.component_names import AGENTS, AGENTS_CANDIDATE, GATEWAY, MODEL_SERVERS, WEB_SEARCH
from tasks.platforms.local_components import LocalComponents
from tasks.restore_drill.rds_restoring import remove_server
from tasks.runs.concurrency_limits import one_at_a_time
from tasks.runs.origin import record_origin
from tasks.terraform.commands import PlanKind, apply_plan, initialise, make_plan, read_outputs, state_addresses
from tasks.terraform.lock_breaking import free_state
from tasks.terraform.root import TerraformRoot, open_root
from tasks.terraform.state_bucket import state_bucket_exists, state_location
from tasks.terraform.unsaved_state import save_unsaved_state
from tasks.wrong_input import WrongInput


class NotConfirmed(WrongInput):
    """The name that confirms the teardown is not the environment's."""


class ProtectedEnvironment(WrongInput):
    """People rely on the environment: its variable file says that it is protected."""


@flow(name="teardown", persist_result=True, on_running=[record_origin])
def teardown(environment: EnvironmentName, confirm: str, break_lock: str | None = None) -> list[str]:
    """Stop and delete what the environment's stages made. Prefect itself lives outside the environment and stays.

    Args:
        environment: the environment to remove
        confirm: the name of the environment once more
        break_lock: on AWS, the id of a lock on Terraform's state whose holder is gone for good
    """
    if confirm != environment.value:
        raise NotConfirmed(f"confirm = {confirm!r} must be {environment.value!r}; nothing was removed")
    settings = load_environment(environment)
    if settings.environment.protected:
        raise ProtectedEnvironment(
            f"{environment.value!r} is protected; nothing was removed. Set environment.protected = false in its "
            f"variable file, have that approved and applied by provision/{environment.value}, and run teardown again"
        )
    with (
        one_at_a_time(environment, "lifecycle"),
        # It would make another server beside while this deletes them.
        one_at_a_time(environment, "drill"),
        one_at_a_time(environment, "refresh"),
    ):
        if settings.laptop is not None:
            return tear_down_laptop(settings)
        with (
            one_at_a_time(environment, "infrastructure"),
            one_at_a_time(environment, "addons"),
            one_at_a_time(environment, "models"),
            one_at_a_time(environment, "agents"),
        ):
            return tear_down_cloud(settings, break_lock)


def tear_down_cloud(settings: Environment, break_lock: str | None) -> list[str]:
    """Empty the cluster, destroy what Terraform made, sweep up what services made, and prove that nothing is left."""
    require_account(settings)
    log, location, addresses = get_run_logger(), state_location(settings), list[str]()
    inside, gone = list[str](), list[Doomed]()
    if state_bucket_exists(settings):
        with open_root(settings) as root:
            initialise(root)
            free_state(root, break_lock)
            save_unsaved_state(root)
            if state_addresses(root):
                inside, gone = destroy(settings, root)
                addresses = state_addresses(root)
            else:
                log.info("%r is torn down already: its state holds nothing", settings.name.value)
    else:
        log.info("%r was never provisioned: there is no bucket %r for its state", settings.name.value, location.bucket)
    swept = [*delete_secrets(settings), *sweep_up(settings)]
    remains = look_for_leftovers(settings, addresses)
    went = [
        *({"address": each.address, "name": each.name} for each in gone),
        *({"address": "", "name": what} for what in (*inside, *swept)),
    ]
    publish_table(settings.name, "teardown", "gone", went, "What was removed")
    publish_table(settings.name, "teardown", "remains", remains.rows(), remains.describe(location.bucket))
    require_nothing_left(settings, remains)
    forget_releases(settings.name)
    log.info(remains.describe(location.bucket))
    return [row["address"] or row["name"] for row in went]


def destroy(settings: Environment, root: TerraformRoot) -> tuple[list[str], list[Doomed]]:
    """Plan first, so that nothing is emptied for a plan that cannot be made; then apply exactly that plan.

    Returns what went from the cluster, and what went from AWS.
    """
    saved = make_plan(root, PlanKind.DESTROY)
    going = doomed(saved.document)
    publish_table(settings.name, "teardown", "plan", [asdict(each) for each in going], "What is going to be removed")
    inside = empty_cluster(settings, last_outputs(settings.name, read_outputs(root)))
    make_deletable(settings, going)
    progress = begin_progress(settings.name, "teardown", "progress", "Resources removed")
    apply_plan(root, saved, progress.update)
    return inside, going


def make_deletable(settings: Environment, going: list[Doomed]) -> None:
    """Lift what guards against deletion, and empty what AWS deletes only when it is empty."""
    for resource in going:
        if resource.guarded:
            lift_protection(settings, resource)
    for resource in going:
        match resource.type:
            case "aws_db_instance":
                # One that a restore drill left would hold the subnet group.
                remove_server(settings, resource.name)
            case "aws_s3_bucket":
                empty_bucket(settings, resource.name)
            case "aws_ecr_repository":
                empty_image_repository(settings, resource.name)
            case "aws_backup_vault":
                empty_backup_vault(settings, resource.name)
            case _:
                pass


def tear_down_laptop(settings: Environment) -> list[str]:
    """Stop the components, delete their files, and look for both."""
    with changing_agents(settings):
        components, gone = remove(settings)
    rows = [{"what": what} for what in (*components, *gone)]
    publish_table(settings.name, "teardown", "gone", rows, "What was removed; nothing is left of it")
    stopped = ", ".join(components) or "none"
    get_run_logger().info("components removed: %s; paths deleted: %d; nothing is left", stopped, len(gone))
    return gone


def remove(settings: Environment) -> tuple[list[str], list[str]]:
    """Stop and delete what the stages made, and look for it; returns the components and the paths that are gone."""
    platform = LocalComponents.of(settings).platform
    data = platform.data_directory
    names = [AGENTS, AGENTS_CANDIDATE, WEB_SEARCH, GATEWAY, *MODEL_SERVERS]
    deployed = {state.name for state in platform.list_components()}
    removed = {name: remove_component(platform, name) for name in names}
    store = settings.knowledge.store
    paths = [
        agent_settings_file(settings),
        agent_candidate_file(settings),
        agents_directory(settings),
        web_search_file(settings),
        reports_directory(settings),
        models_directory(settings),
        copies_directory(settings),
        lifecycle_summary_file(settings),
        data / "gateway.yaml",
        *([data / store.directory] if store.engine == "lancedb" else []),
        *(path for name in names for path in sorted(platform.logs.glob(f"{name}*.log*"))),
    ]
    gone = delete(paths)
    require_gone(platform, removed, paths)
    return [name for name in names if name in deployed], gone


if __name__ == "__main__":
    command_line.run(teardown)
