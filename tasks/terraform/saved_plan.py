"""A plan file, and the state that it was made from."""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from python_terraform import IsFlagged

from tasks.terraform.invocation import read_command
from tasks.terraform.plan_document import Action, PlanDocument, read_plan_document
from tasks.terraform.root import TerraformRoot


class StateVersion(BaseModel):
    """Which state it is (`lineage`, empty before the first apply), and how often it was written (`serial`)."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    serial: int
    lineage: str


NO_STATE = StateVersion(serial=0, lineage="")


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


class _Applyable(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    applyable: bool


def read_saved_plan(root: TerraformRoot, path: Path) -> SavedPlan:
    """Read a plan file with `terraform show`; nothing of it is printed, because it holds secrets.

    Raises:
        TerraformFailed: it is no plan of this version of Terraform.
    """
    finished = read_command(root, "show", path.name, json=IsFlagged)
    content = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as plan:
        state = StateVersion.model_validate_json(plan.read("tfstate"))
    return SavedPlan(
        path=path,
        digest=hashlib.sha256(content).hexdigest(),
        serial=state.serial,
        lineage=state.lineage,
        document=read_plan_document(finished.output),
        changed=_Applyable.model_validate_json(finished.output).applyable,
    )


def steps(document: PlanDocument) -> int:
    """The single changes that an apply consists of: replacing destroys and creates."""
    return sum(2 if change.action is Action.REPLACE else 1 for change in document.planned())
