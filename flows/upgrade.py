"""The stage `upgrade`: a cluster moves by one Kubernetes minor, to that of its variable file."""

from prefect import flow, get_run_logger

from flows import command_line
from flows.provision import apply_stored, plan_and_apply
from flows.provision_request import Mode, Request
from tasks.artifacts import publish_markdown, publish_table
from tasks.aws_session import require_account
from tasks.cluster_upgrade.nodes import blocked_system_nodes, replace_karpenter_nodes
from tasks.cluster_upgrade.obstacles import look_for_obstacles, order_of, require_none, rows
from tasks.cluster_upgrade.versions import parts_behind, settled_cluster, wanted_minor
from tasks.eks_cluster import EksCluster
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.environment_outputs import load_outputs, publish_outputs
from tasks.helm.target import open_target
from tasks.helm.upgrade import Target
from tasks.kubernetes.environment_cluster import open_environment_cluster
from tasks.runs.concurrency_limits import one_at_a_time
from tasks.runs.origin import record_origin
from tasks.terraform.commands import initialise, read_outputs, refresh_state, validate
from tasks.terraform.failures import TerraformFailed
from tasks.terraform.lock_breaking import free_state
from tasks.terraform.root import open_root, require_terraform
from tasks.terraform.unsaved_state import save_unsaved_state
from tasks.wrong_input import WrongInput


class ImpossibleUpgrade(WrongInput):
    """EKS moves a control plane by one minor, and never back; nothing was changed."""


class DrainBlocked(Exception):
    """AWS could not replace the system nodes, because a pod does not leave one; says which, and why."""


@flow(name="upgrade", persist_result=True, on_running=[record_origin])
def upgrade(
    environment: EnvironmentName,
    mode: Mode = Mode.APPROVE,
    plan: str | None = None,
    auto_approve: bool = False,
    accept_obstacles: bool = False,
    break_lock: str | None = None,
    requested_by: str = "",
    signed_identity: str | None = None,
) -> str:
    """Move the cluster to the Kubernetes minor of the variable file, one above its own: control plane, add-ons, nodes.

    Args:
        environment: the environment whose cluster is upgraded
        mode: approve plans, waits for a person, and applies; plan only checks and plans; apply applies the stored plan
        plan: the digest of a stored plan, at least its first 12 digits (mode apply)
        auto_approve: apply without a person, if nothing is destroyed or replaced and the policy finds nothing
        accept_obstacles: go on although an API that the next minor lacks is in use, or EKS advises against it
        break_lock: the id of a lock on the state, which is broken; the log says before who holds it
        requested_by: who asks for it; protected environments need it
        signed_identity: who approves the plan in mode apply of a protected environment, signed for its digest
    """
    settings = load_environment(environment)
    if settings.laptop is not None:
        return nothing_to_upgrade(settings, "A laptop has no cluster")
    request = Request("upgrade", mode, plan, auto_approve, False, break_lock, requested_by, signed_identity)
    request.require_possible(settings)
    require_terraform()
    require_account(settings)
    with (
        one_at_a_time(environment, "infrastructure"),
        one_at_a_time(environment, "addons"),
        one_at_a_time(environment, "models"),
    ):
        cluster = settled_cluster(settings)
        require_next_minor(cluster, settings)
        outputs = load_outputs(environment)
        with open_environment_cluster(settings, outputs) as destination, open_target(settings, destination) as target:
            return move(settings, cluster, target, request, accept_obstacles)


def require_next_minor(cluster: EksCluster, settings: Environment) -> None:
    """Refuse a minor that EKS does not move to from the cluster's own.

    Raises:
        ImpossibleUpgrade: it is an older one, or one is left out.
    """
    (major, own), wanted = order_of(cluster.version), order_of(wanted_minor(settings))
    if wanted not in ((major, own), (major, own + 1)):
        raise ImpossibleUpgrade(
            f"cluster.kubernetes_version = {wanted_minor(settings)!r}, but the cluster {cluster.name!r} runs "
            f"{cluster.version}: EKS goes one minor at a time, and never back. Set it to '{major}.{own + 1}' and run "
            "upgrade again; nothing was changed"
        )


def move(settings: Environment, cluster: EksCluster, target: Target, request: Request, accept_obstacles: bool) -> str:
    """What is not there yet: control plane, add-ons and system nodes by Terraform, then the nodes of Karpenter."""
    minor, log = wanted_minor(settings), get_run_logger()
    if cluster.version != minor:
        obstacles = look_for_obstacles(settings, cluster, target, minor)
        publish_table(settings.name, "upgrade", "obstacles", rows(obstacles), f"What is in the way of {minor}")
        if not accept_obstacles:
            require_none(obstacles, minor)
    behind = parts_behind(settings, cluster)
    for part in behind:
        log.info("to move: %s", part)
    if behind:
        done = move_by_terraform(settings, target, request)
        log.info(done)
        if request.mode is Mode.PLAN:
            return done
    replaced = replace_karpenter_nodes(target.connection, minor)
    if not behind and not replaced:
        return nothing_to_upgrade(settings, f"The cluster {cluster.name!r} is at Kubernetes {minor} with all its nodes")
    moved = [*behind, *(f"node {name}: replaced" for name in replaced)]
    publish_table(settings.name, "upgrade", "moved", [{"what": each} for each in moved], f"Moved to Kubernetes {minor}")
    summary = f"{cluster.name!r} is at Kubernetes {minor}: {len(behind)} parts of EKS and {len(replaced)} nodes moved"
    log.info(summary)
    return summary


def move_by_terraform(settings: Environment, target: Target, request: Request) -> str:
    """The same plan, approval and apply as of `provision`: Terraform's dependencies give the order."""
    with open_root(settings) as root:
        initialise(root)
        validate(root)
        free_state(root, request.break_lock)
        save_unsaved_state(root)
        try:
            if request.mode is Mode.APPLY:
                done = apply_stored(root, settings, request)
            else:
                done = plan_and_apply(root, settings, request)
        except TerraformFailed as error:
            if blocked := blocked_system_nodes(target.connection, wanted_minor(settings)):
                raise DrainBlocked(
                    f"the system nodes were not replaced: {'; '.join(blocked)}. Unblock the drain, and run upgrade "
                    f"again. Terraform says: {error}"
                ) from error
            raise
        if request.mode is not Mode.PLAN:
            refresh_state(root)
            publish_outputs(settings.name, read_outputs(root))
    return done


def nothing_to_upgrade(settings: Environment, why: str) -> str:
    """Say so."""
    summary = f"{why}: nothing to upgrade."
    publish_markdown(settings.name, "upgrade", "moved", summary, "Kubernetes versions")
    get_run_logger().info(summary)
    return summary


if __name__ == "__main__":
    command_line.run(upgrade)
