"""Real plans of the environment files, for an account that is empty."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tasks.environment import EnvironmentName
from tasks.terraform.plan_document import PlanDocument, ResourceChange
from tests.terraform import run_terraform

Plan = Callable[[EnvironmentName], PlanDocument]
PlanFile = Callable[[EnvironmentName], Path]


def plan_for(root: Path, name: EnvironmentName, account_id: str, environment: Mapping[str, str]) -> Path:
    """What Terraform would make of an environment file in `account_id`, as JSON.

    `root` is an initialised copy of infra/; the file is written there.
    """
    text = (root / "environments" / f"{name.value}.tfvars").read_text(encoding="utf-8")
    own = next(line.split('"')[1] for line in text.splitlines() if line.strip().startswith("account_id"))
    variables = root / f"{name.value}-there.tfvars"
    variables.write_text(text.replace(own, account_id), encoding="utf-8")
    saved, shown = root / f"{name.value}.tfplan", root / f"{name.value}.json"
    run_terraform(root, "plan", "-input=false", f"-out={saved}", f"-var-file={variables}", environment=environment)
    shown.write_text(run_terraform(root, "show", "-json", str(saved), environment=environment), encoding="utf-8")
    return shown


def the_change(document: PlanDocument, address: str) -> ResourceChange:
    """The change of one resource."""
    (change,) = [change for change in document.changes if change.address == address]
    return change


def with_change(document: PlanDocument, change: ResourceChange) -> PlanDocument:
    """The plan with one resource planned differently, or one more resource."""
    others = [other for other in document.changes if other.address != change.address]
    return replace(document, changes=(*others, change))


def without(document: PlanDocument, address: str) -> PlanDocument:
    """The plan with one resource less."""
    return replace(document, changes=tuple(other for other in document.changes if other.address != address))


def doctored(document: PlanDocument, address: str, **attributes: Any) -> PlanDocument:
    """The plan with other attributes for one resource: each of them known."""
    change = the_change(document, address)
    known = {name: mark for name, mark in change.unknown.items() if name not in attributes}
    return with_change(document, replace(change, after={**(change.after or {}), **attributes}, unknown=known))
