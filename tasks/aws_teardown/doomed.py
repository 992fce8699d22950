"""What a destroy plan removes: the rows that people see, and the names that must be emptied first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.terraform.plan_document import Action, PlanDocument

# How a resource is called in AWS, by the first of these attributes that it has.
_NAMES = ("name", "bucket", "identifier", "replication_group_id", "domain_name")


@dataclass(frozen=True)
class Doomed:
    """One resource that goes: its address, its type, its name and id in AWS, and whether it is guarded against that."""

    address: str
    type: str
    name: str
    identifier: str
    guarded: bool


def doomed(document: PlanDocument) -> list[Doomed]:
    """All that the plan deletes, in the order of the addresses."""
    gone = [change for change in document.planned() if change.action is Action.DELETE]
    return sorted(
        (_doomed(change.address, change.type, change.before or {}) for change in gone), key=lambda each: each.address
    )


def _doomed(address: str, kind: str, attributes: Mapping[str, Any]) -> Doomed:
    identifier = str(attributes.get("id") or "")
    name = next((str(attributes[key]) for key in _NAMES if attributes.get(key)), identifier)
    return Doomed(address, kind, name, identifier, _guarded(attributes))


def _guarded(attributes: Mapping[str, Any]) -> bool:
    """`deletion_protection` is a flag of databases, and a word of user pools."""
    return attributes.get("deletion_protection") in (True, "ACTIVE")
