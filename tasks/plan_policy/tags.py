"""Whatever can carry tags says whose it is: costs are billed, and leftovers found, by them."""

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.environment import Environment
from tasks.plan_policy.finding import Finding
from tasks.terraform.plan_document import PlanDocument
from tasks.terraform.planned_attributes import UNTIL_APPLY, planned

RULE = "tagged"
# What EC2 makes from a launch template inherits nothing from the provider's default tags.
LAUNCHED = ("instance", "volume", "network-interface")


def tagged(document: PlanDocument, settings: Environment) -> Iterator[Finding]:
    """Every taggable resource carries Project, Environment and ManagedBy."""
    needed = {"Project": "agentic-eks", "Environment": settings.name.value, "ManagedBy": "terraform"}
    for change in document.changes:
        after = planned(change)
        if after is None:
            continue
        if "tags_all" in after.values or "tags_all" in after.unknown:
            yield from _lacking(change.address, "it", after.at("tags_all"), needed)
        if change.type == "aws_launch_template":
            by_type = {block.at("resource_type"): block.at("tags") for block in after.blocks("tag_specifications")}
            for kind in LAUNCHED:
                yield from _lacking(change.address, f"each {kind} it launches", by_type.get(kind), needed)
        if change.type == "aws_ecr_repository_creation_template":
            yield from _lacking(change.address, "each repository it makes", after.at("resource_tags"), needed)


def _lacking(address: str, what: str, tags: Any, needed: Mapping[str, str]) -> Iterator[Finding]:
    if tags is UNTIL_APPLY:
        return
    lacking = [f"{key}={value}" for key, value in needed.items() if (tags or {}).get(key) != value]
    if lacking:
        yield Finding(
            RULE, address, f"{what} lacks {', '.join(lacking)}", "leave the provider's default_tags as they are"
        )
