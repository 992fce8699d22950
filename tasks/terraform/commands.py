"""The terraform commands of a flow run. python-terraform builds the command lines; `process` runs them."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ConfigDict, TypeAdapter
from python_terraform import IsFlagged, Terraform

from tasks.aws_session import HOW_TO_GET, REFUSED_CREDENTIALS, MissingCredentials
from tasks.file_lock import file_lock
from tasks.run_log import run_log
from tasks.terraform.lock import recorded_holder, refuse_held
from tasks.terraform.messages import MessageStream
from tasks.terraform.plan_document import Action, PlanDocument, read_plan_document
from tasks.terraform.process import Finished, masking, plugin_cache, run
from tasks.terraform.root import TERRAFORM, TerraformRoot
from tasks.terraform.stored_objects import read_object

# `plan -detailed-exitcode`: 0 is a plan without changes, 2 one with changes.
_PLANNED = (0, 2)
_STALE = re.compile(r"Saved plan (is stale|does not match the given state)")
_LOCKED = re.compile(r"Error acquiring the state lock")
_CREDENTIALS = re.compile(rf"No valid credential sources|{'|'.join(sorted(REFUSED_CREDENTIALS))}")


class TerraformFailed(Exception):
    """A terraform command failed; says which, and what Terraform says."""


class StalePlan(TerraformFailed):
    """The state changed after the plan was made: it cannot be applied any more."""


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


@dataclass(frozen=True)
class SavedPlan:
    """A plan file. `digest` is its SHA-256 as hex; `serial` and `lineage` are those of the state it was made from.

    `changed` says whether an apply would change anything, be it an output.
    """

    path: Path
    digest: str
    serial: int
    lineage: str
    document: PlanDocument
    changed: bool


class _StateVersion(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    serial: int
    lineage: str


class _Applyable(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    applyable: bool


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
        _plain(root, "init", input=False, no_color=IsFlagged, backend_config=backend)


@task(task_run_name="terraform-validate", cache_policy=NO_CACHE, persist_result=False)
def validate(root: TerraformRoot) -> None:
    """`terraform validate`: whether the configuration is sound by itself. Raises `TerraformFailed`."""
    _plain(root, "validate", no_color=IsFlagged)


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


def read_saved_plan(root: TerraformRoot, path: Path) -> SavedPlan:
    """Read a plan file with `terraform show`; nothing of it is printed, because it holds secrets.

    Raises:
        TerraformFailed: it is no plan of this version of Terraform.
    """
    finished = _quiet(root, "show", path.name, json=IsFlagged)
    content = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as plan:
        state = _StateVersion.model_validate_json(plan.read("tfstate"))
    return SavedPlan(
        path=path,
        digest=hashlib.sha256(content).hexdigest(),
        serial=state.serial,
        lineage=state.lineage,
        document=read_plan_document(finished.output),
        changed=_Applyable.model_validate_json(finished.output).applyable,
    )


@task(task_run_name="terraform-apply", cache_policy=NO_CACHE, persist_result=False)
def apply_plan(root: TerraformRoot, saved: SavedPlan, on_progress: Callable[[int, int], None]) -> None:
    """`terraform apply` of exactly this plan file; `on_progress` takes the changes done and their number.

    Raises:
        StalePlan: the state changed after the plan was made; nothing was changed.
        StateLocked: somebody else holds the state; nothing was changed.
        MissingCredentials: AWS refuses the credentials, perhaps in the middle of the work.
        TerraformFailed: with what Terraform says; what was made until then is in the state.
    """
    stream = MessageStream(run_log(), masking(), on_progress, steps(saved.document))
    with recorded_holder(root):
        _streamed(root, stream, (0,), "apply", saved.path.name)


def steps(document: PlanDocument) -> int:
    """The single changes that an apply consists of: replacing destroys and creates."""
    return sum(2 if change.action is Action.REPLACE else 1 for change in document.planned())


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
        _streamed(root, MessageStream(run_log(), masking()), (0,), "apply", path.name)


@task(task_run_name="terraform-output", cache_policy=NO_CACHE, persist_result=False)
def read_outputs(root: TerraformRoot) -> dict[str, object]:
    """The outputs that hold no secret, by name. Raises `TerraformFailed`."""
    outputs = _OUTPUTS.validate_json(_quiet(root, "output", json=IsFlagged, no_color=IsFlagged).output)
    return {name: output.value for name, output in outputs.items() if not output.sensitive}


@task(task_run_name="terraform-state-list", cache_policy=NO_CACHE, persist_result=False)
def state_addresses(root: TerraformRoot) -> list[str]:
    """The addresses of all that the state holds; empty where there is no state. Raises `TerraformFailed`."""
    if read_object(root.backend, root.backend.key) is None:
        return []
    return _quiet(root, "state list").output.splitlines()


def force_unlock(root: TerraformRoot, identifier: str) -> None:
    """`terraform force-unlock` of exactly this lock. Raises `TerraformFailed`."""
    _plain(root, "force-unlock", identifier, force=IsFlagged)


def _plan(root: TerraformRoot, path: Path, kind: PlanKind, *, lock: bool = True) -> None:
    options = {"out": path.name, "var_file": root.variable_file.name, "lock": lock, "detailed_exitcode": IsFlagged}
    _streamed(root, MessageStream(run_log(), masking()), _PLANNED, "plan", **options, **_KIND_OPTIONS[kind])


def _streamed(
    root: TerraformRoot, stream: MessageStream, accepted: tuple[int, ...], name: str, *arguments: str, **options: object
) -> None:
    finished = run(
        root,
        _command(name, *arguments, input=False, no_color=IsFlagged, json=IsFlagged, **options),
        stream.take,
    )
    if finished.exit_code not in accepted:
        raise _failure(root, name, finished, stream.errors)


def _plain(root: TerraformRoot, name: str, *arguments: str, **options: object) -> None:
    lines: list[str] = []
    mask = masking()

    def take(line: str) -> None:
        if line.strip():
            lines.append(mask(line))
            run_log().info("%s", lines[-1])

    finished = run(root, _command(name, *arguments, **options), take)
    if finished.exit_code != 0:
        raise _failure(root, name, finished, lines)


def _quiet(root: TerraformRoot, name: str, *arguments: str, **options: object) -> Finished:
    finished = run(root, _command(name, *arguments, **options), None)
    if finished.exit_code != 0:
        raise _failure(root, name, finished, [masking()(finished.complaint)])
    return finished


def _command(name: str, *arguments: str, **options: object) -> list[str]:
    return Terraform(terraform_bin_path=TERRAFORM).generate_cmd_string(name, *arguments, **options)


def _failure(root: TerraformRoot, name: str, finished: Finished, lines: list[str]) -> Exception:
    said = "\n".join(lines)
    if _CREDENTIALS.search(said):
        return MissingCredentials(
            f"terraform {name}: AWS refuses the credentials; {HOW_TO_GET}. Terraform says:\n{said}"
        )
    if _LOCKED.search(said):
        refuse_held(root.backend)
    failed = StalePlan if _STALE.search(said) else TerraformFailed
    return failed(f"terraform {name} of {root.environment.value!r} ended with {finished.exit_code}:\n{said}")
