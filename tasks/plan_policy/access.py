"""Nobody is allowed everything, and nobody unnamed is allowed anything."""

from collections.abc import Iterator

from tasks.environment import Environment
from tasks.plan_policy.finding import Finding
from tasks.plan_policy.policy_documents import (
    PolicyText,
    Statement,
    UnreadablePolicy,
    policy_texts,
    statements,
)
from tasks.terraform.plan_document import PlanDocument
from tasks.terraform.planned_attributes import planned

RULE = "least-privilege"
ATTACHMENTS = ("aws_iam_role_policy_attachment", "aws_iam_policy_attachment", "aws_iam_user_policy_attachment")
# Managed policies of AWS that allow everything, or everything of what grants rights.
TOO_MUCH = ("AdministratorAccess", "PowerUserAccess", "IAMFullAccess")


def least_privilege(document: PlanDocument, settings: Environment) -> Iterator[Finding]:
    """No action with a wildcard on every resource, no resource open to every principal, no administrator policy.

    Policies that are known after the apply only are not judged: `unjudged_policies` names them.
    """
    for text in policy_texts(document):
        if text.json is None:
            continue
        try:
            for statement in statements(text.json):
                yield from _judged(text, statement)
        except UnreadablePolicy as error:
            yield Finding(RULE, text.address, f"{text.attribute} is not a policy: {error}", "write it with jsonencode")
    for change in document.changes:
        after = planned(change)
        if after is None or change.type not in ATTACHMENTS:
            continue
        name = str(after.at("policy_arn")).rpartition("/")[2]
        if name in TOO_MUCH or name.endswith("FullAccess"):
            yield Finding(RULE, change.address, f"attaches {name}", "grant the actions that are needed")


def unjudged_policies(document: PlanDocument) -> list[str]:
    """The addresses of policies that the plan sets, but whose text is known after the apply only."""
    return sorted({text.address for text in policy_texts(document) if text.json is None})


def _judged(text: PolicyText, statement: Statement) -> Iterator[Finding]:
    if statement.effect != "Allow":
        return
    if text.grants_identity:
        wide = [action for action in statement.actions if "*" in action]
        if statement.every_resource and wide:
            yield Finding(
                RULE,
                text.address,
                f"{_named(statement)} allows {', '.join(wide)} on every resource",
                "name the actions, or the resources",
            )
        if statement.excludes:
            yield Finding(
                RULE,
                text.address,
                f"{_named(statement)} allows all but what it names",
                "name what is allowed in place of NotAction and NotResource",
            )
    elif statement.everybody and not statement.conditional:
        yield Finding(
            RULE, text.address, f"{_named(statement)} allows every principal", "name the principal, or add a condition"
        )


def _named(statement: Statement) -> str:
    return f"statement {statement.sid!r}" if statement.sid else "a statement without Sid"
