"""The terraform commands of a flow run, as tasks."""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ConfigDict, TypeAdapter
from python_terraform import IsFlagged

from tasks.file_lock import file_lock
from tasks.runs.log import run_log
from tasks.terraform.invocation import log_command, read_command, stream_command
from tasks.terraform.lock import recorded_holder
from tasks.terraform.messages import MessageStream
from tasks.terraform.process import masking, plugin_cache
from tasks.terraform.root import TerraformRoot
from tasks.terraform.saved_plan import SavedPlan, read_saved_plan, steps
from tasks.terraform.stored_objects import read_object

# `plan -detailed-exitcode`: 0 is a plan without changes, 2 one with changes.
_PLANNED = (0, 2)


class PlanKind(StrEnum):
    """What a plan is made for."""

    NORMAL = "normal"
    REFRESH_ONLY = "refresh-only"
    DESTROY = "destroy"


_KIND_OPTIONS: Mapping[PlanKind, Mapping[str, object]] = {
    PlanKind.NORMAL: {},
    PlanKind.REFRESH_ONLY: {"refresh_only": IsFlagged},
    PlanKind.DESTROY: {"destroy": IsFlagged},
}


class _Output(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    sensitive: bool
    value: object


_OUTPUTS = TypeAdapter(dict[str, _Output])


@task(task_run_name="terraform-init", cache_policy=NO_CACHE, persist_result=False)
def initialise(root: TerraformRoot) -> None:
    """`terraform init`: modules, provider, and the state in its bucket.

    Raises:
        TerraformFailed: with what Terraform says.
        MissingCredentials: AWS refuses the credentials.
    """
    backend = {
        "bucket": root.backend.bucket,
        "key": root.backend.key,
        "region": root.backend.region,
        "allowed_account_ids": json.dumps([root.backend.account_id]),
    }
    # The cache of providers is not made for two that fill it at the same time.
    with file_lock(plugin_cache() / ".lock"):
        log_command(root, "init", input=False, no_color=IsFlagged, backend_config=backend)


@task(task_run_name="terraform-validate", cache_policy=NO_CACHE, persist_result=False)
def validate(root: TerraformRoot) -> None:
    """`terraform validate`: whether the configuration is sound by itself. Raises `TerraformFailed`."""
    log_command(root, "validate", no_color=IsFlagged)


@task(task_run_name="terraform-plan-{kind}", cache_policy=NO_CACHE, persist_result=False)
def make_plan(root: TerraformRoot, kind: PlanKind) -> SavedPlan:
    """`terraform plan` into a file in the root's directory.

    Raises:
        StateLocked: somebody else holds the state.
        MissingCredentials: AWS refuses the credentials.
        TerraformFailed: with what Terraform says.
    """
    path = root.directory / f"{kind.value}.tfplan"
    with recorded_holder(root):
        _plan(root, path, kind)
    return read_saved_plan(root, path)


@task(task_run_name="terraform-compare-{kind}", cache_policy=NO_CACHE, persist_result=False)
def make_plan_to_read(root: TerraformRoot, kind: PlanKind) -> SavedPlan:
    """As `make_plan`, for a reader who applies nothing: neither takes the lock on the state, nor minds who has it.

    So it writes nothing into the state bucket, cannot leave a lock behind, and keeps nobody from working. Plans that
    are read together must have the same `serial`, or somebody changed the state in between.

    Raises:
        MissingCredentials: AWS refuses the credentials.
        TerraformFailed: with what Terraform says.
    """
    path = root.directory / f"{kind.value}.tfplan"
    _plan(root, path, kind, lock=False)
    return read_saved_plan(root, path)


@task(task_run_name="terraform-apply", cache_policy=NO_CACHE, persist_result=False)
def apply_plan(root: TerraformRoot, saved: SavedPlan, on_progress: Callable[[int, int], None]) -> None:
    """`terraform apply` of exactly this plan file; `on_progress` takes the changes done and their number.

    Raises:
        StalePlan: the state changed after the plan was made; nothing was changed.
        StateLocked: somebody else holds the state; nothing was changed.
        MissingCredentials: AWS refuses the credentials, perhaps in the middle of the work.
        AlreadyExists: AWS has what was to be made, and the state does not know of it.
        TerraformFailed: with what Terraform says; what was made until then is in the state.
    """
    stream = MessageStream(run_log(), masking(), on_progress, steps(saved.document))
    with recorded_holder(root):
        stream_command(root, stream, (0,), "apply", saved.path.name)


@task(task_run_name="terraform-refresh", cache_policy=NO_CACHE, persist_result=False)
def refresh_state(root: TerraformRoot) -> None:
    """Write into the state what AWS has now, so that a later refresh finds only what changed since.

    Raises:
        StateLocked: somebody else holds the state.
        MissingCredentials: AWS refuses the credentials.
        TerraformFailed: with what Terraform says.
    """
    path = root.directory / "refresh.tfplan"
    with recorded_holder(root):
        # Not `apply -refresh-only`: what is kept out of plans has to be kept out of this one too.
        _plan(root, path, PlanKind.REFRESH_ONLY)
        stream_command(root, MessageStream(run_log(), masking()), (0,), "apply", path.name)


@task(task_run_name="terraform-output", cache_policy=NO_CACHE, persist_result=False)
def read_outputs(root: TerraformRoot) -> dict[str, object]:
    """The outputs that hold no secret, by name. Raises `TerraformFailed`."""
    outputs = _OUTPUTS.validate_json(read_command(root, "output", json=IsFlagged, no_color=IsFlagged).output)
    return {name: output.value for name, output in outputs.items() if not output.sensitive}


@task(task_run_name="terraform-state-list", cache_policy=NO_CACHE, persist_result=False)
def state_addresses(root: TerraformRoot) -> list[str]:
    """The addresses of all that the state holds; empty where there is no state. Raises `TerraformFailed`."""
    if read_object(root.backend, root.backend.key) is None:
        return []
    return read_command(root, "state list").output.splitlines()


def force_unlock(root: TerraformRoot, identifier: str) -> None:
    """`terraform force-unlock` of exactly this lock. Raises `TerraformFailed`."""
    log_command(root, "force-unlock", identifier, force=IsFlagged)


def _plan(root: TerraformRoot, path: Path, kind: PlanKind, *, lock: bool = True) -> None:
    options = {"out": path.name, "var_file": root.variable_file.name, "lock": lock, "detailed_exitcode": IsFlagged}
    stream = MessageStream(run_log(), masking())
    stream_command(root, stream, _PLANNED, "plan", **options, **_KIND_OPTIONS[kind])
