"""A Terraform plan as JSON (`terraform show -json`), read into what the flows ask of it.

The format is described in Terraform's documentation, "JSON Output Format", version 1.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

SUPPORTED_MAJOR = "1"
ROOT_MODULE = "root"


class InvalidPlanDocument(Exception):
    """The text is no plan that this version can read; says what is wrong with it."""


class Action(StrEnum):
    """What a plan does to one resource."""

    NOTHING = "no-op"
    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    FORGET = "forget"


@dataclass(frozen=True)
class ResourceChange:
    """One resource, and what is planned for it or what happened to it behind Terraform's back.

    `before` and `after` are its attributes, None where it does not exist; `unknown` marks, in the same
    shape, what is known after the apply only; `sensitive` marks what must not be shown.
    """

    address: str
    module: str
    type: str
    name: str
    action: Action
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    unknown: Mapping[str, Any]
    sensitive: Mapping[str, Any]


@dataclass(frozen=True)
class PlanDocument:
    """A plan. `complete` is false when it covers a part of the configuration only, such as `-target`.

    `drift` holds what the refresh found different from the state; `variables` are the values of the
    environment file; `configuration` is the configuration as Terraform wrote it.
    """

    terraform_version: str
    changes: tuple[ResourceChange, ...]
    drift: tuple[ResourceChange, ...]
    variables: Mapping[str, Any]
    configuration: Mapping[str, Any]
    complete: bool

    def planned(self) -> tuple[ResourceChange, ...]:
        """The changes that an apply would make."""
        return tuple(change for change in self.changes if change.action not in (Action.NOTHING, Action.READ))


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Change(_Part):
    actions: tuple[str, ...]
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    after_unknown: dict[str, Any] | bool = False
    before_sensitive: dict[str, Any] | bool = False
    after_sensitive: dict[str, Any] | bool = False


class _Resource(_Part):
    address: str
    module_address: str | None = None
    mode: str
    type: str
    name: str
    change: _Change


class _Variable(_Part):
    value: Any = None


class _Plan(_Part):
    format_version: str
    terraform_version: str
    resource_changes: tuple[_Resource, ...] = ()
    resource_drift: tuple[_Resource, ...] = ()
    variables: dict[str, _Variable] = Field(default={})
    configuration: dict[str, Any] = Field(default={})
    complete: bool


def read_plan_document(text: str) -> PlanDocument:
    """Read what `terraform show -json <plan>` prints.

    Raises:
        InvalidPlanDocument: it is not JSON, not a plan, or of a format that this version does not know.
    """
    try:
        plan = _Plan.model_validate_json(text)
    except ValidationError as error:
        raise InvalidPlanDocument(f"this is not a Terraform plan as JSON: {error}") from error
    if plan.format_version.partition(".")[0] != SUPPORTED_MAJOR:
        raise InvalidPlanDocument(
            f"the plan's format is {plan.format_version!r}, and only {SUPPORTED_MAJOR}.x is understood; "
            f"it was written by Terraform {plan.terraform_version!r}"
        )
    return PlanDocument(
        terraform_version=plan.terraform_version,
        changes=tuple(_resource_change(resource) for resource in plan.resource_changes if resource.mode == "managed"),
        drift=tuple(_resource_change(resource) for resource in plan.resource_drift if resource.mode == "managed"),
        variables={name: variable.value for name, variable in plan.variables.items()},
        configuration=plan.configuration,
        complete=plan.complete,
    )


def _resource_change(resource: _Resource) -> ResourceChange:
    change = resource.change
    return ResourceChange(
        address=resource.address,
        module=resource.module_address or ROOT_MODULE,
        type=resource.type,
        name=resource.name,
        action=_action(change.actions),
        before=change.before,
        after=change.after,
        unknown=_marks(change.after_unknown),
        sensitive=_either(_marks(change.before_sensitive), _marks(change.after_sensitive)),
    )


def _action(actions: tuple[str, ...]) -> Action:
    if set(actions) == {"create", "delete"}:
        return Action.REPLACE
    (action,) = actions
    return Action(action)


def _marks(marks: dict[str, Any] | bool) -> Mapping[str, Any]:
    return marks if isinstance(marks, dict) else {}


def _either(one: Any, other: Any) -> Any:
    """What is marked in one of two marks of the same shape: a secret that goes away stays a secret."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: _either(one.get(key), other.get(key)) for key in {*one, *other}}
    if isinstance(one, list) and isinstance(other, list):
        return [_either(*pair) for pair in zip_longest(one, other)]
    return True if one is True or other is True else one or other
