"""The IAM policy documents of a plan.

See "IAM JSON policy element reference" in the IAM User Guide.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tasks.terraform.plan_document import PlanDocument
from tasks.terraform.plan_references import is_configured
from tasks.terraform.planned_attributes import UNTIL_APPLY, planned

# What a principal may do: a resource here is any in AWS.
IDENTITY_TYPES = ("aws_iam_group_policy", "aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy")
# Who may do something to a resource, by attribute: in these, the resource "*" is the one that carries the policy.
ATTRIBUTES = ("access_policies", "assume_role_policy", "policy", "policy_document", "repository_policy")
# `policy` of the first is no IAM policy; that of an endpoint grants nothing, it only narrows what passes.
NOT_JUDGED = ("aws_ecr_lifecycle_policy", "aws_vpc_endpoint")


class UnreadablePolicy(Exception):
    """The text is no policy document; says why."""


@dataclass(frozen=True)
class PolicyText:
    """A policy of a resource; `json` is None when only the apply will tell it.

    `grants_identity` is true for what a principal may do, false for who may do something to a resource.
    """

    address: str
    attribute: str
    json: str | None
    grants_identity: bool


def policy_texts(document: PlanDocument) -> Iterator[PolicyText]:
    """Every policy that exists after the apply and that the configuration sets."""
    for change in document.changes:
        after = planned(change)
        if after is None or change.type in NOT_JUDGED:
            continue
        identity = change.type in IDENTITY_TYPES
        for attribute in ATTRIBUTES:
            text = after.at(attribute)
            if text is UNTIL_APPLY:
                if is_configured(document, change, attribute):
                    yield PolicyText(change.address, attribute, None, identity)
            elif text:
                yield PolicyText(change.address, attribute, text, identity)


class Statement(BaseModel):
    """One statement, with its elements as lists whether they were written as one value or many."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sid: str | None = Field(default=None, alias="Sid")
    effect: str = Field(alias="Effect")
    actions: tuple[str, ...] = Field(default=(), alias="Action")
    not_actions: tuple[str, ...] = Field(default=(), alias="NotAction")
    resources: tuple[str, ...] = Field(default=(), alias="Resource")
    not_resources: tuple[str, ...] = Field(default=(), alias="NotResource")
    principal: str | Mapping[str, Any] | None = Field(default=None, alias="Principal")
    not_principal: str | Mapping[str, Any] | None = Field(default=None, alias="NotPrincipal")
    condition: Mapping[str, Any] = Field(default={}, alias="Condition")

    @field_validator("actions", "not_actions", "resources", "not_resources", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @property
    def every_resource(self) -> bool:
        """Whether it names all resources: `*`, or an ARN whose every part is a wildcard."""
        return any(set(resource.removeprefix("arn:")) <= set("*:/") for resource in self.resources)

    @property
    def excludes(self) -> bool:
        """Whether it says what is not meant, and so means all the rest."""
        return bool(self.not_actions or self.not_resources)

    @property
    def everybody(self) -> bool:
        """Whether it speaks of every principal."""
        if self.not_principal is not None:
            return True
        named = self.principal.values() if isinstance(self.principal, Mapping) else [self.principal]
        return any(value == "*" or (isinstance(value, list) and "*" in value) for value in named)

    @property
    def conditional(self) -> bool:
        """Whether it holds under a condition only."""
        return bool(self.condition)


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    statements: tuple[Statement, ...] = Field(alias="Statement")

    @field_validator("statements", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, dict) else value


def statements(text: str) -> tuple[Statement, ...]:
    """The statements of a policy document.

    Raises:
        UnreadablePolicy: it is not JSON, or has elements that IAM does not know.
    """
    try:
        return _Document.model_validate(json.loads(text)).statements
    except (json.JSONDecodeError, ValidationError) as error:
        raise UnreadablePolicy(str(error)) from error
