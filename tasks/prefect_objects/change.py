"""What a deploy would do to one object, as it is shown and applied."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table

Kind = Literal["work pool", "concurrency limit", "deployment", "schedule", "automation", "variable", "block"]
Action = Literal["create", "update", "delete", "unchanged"]
SWITCHED_OFF = "switched off by a person"


@dataclass(frozen=True)
class Change:
    """What becomes of one object; `fields` names what differs, for an update only.

    `switched_off` says that a person paused or disabled the object, which a deploy leaves as it is.
    """

    kind: Kind
    name: str
    action: Action
    fields: tuple[str, ...] = ()
    switched_off: bool = False


def change_of(kind: Kind, name: str, exists: bool, differing: tuple[str, ...], switched_off: bool = False) -> Change:
    """What becomes of a desired object that `exists` or not, and that differs in the fields `differing`."""
    if not exists:
        return Change(kind, name, "create")
    return Change(kind, name, "update" if differing else "unchanged", differing, switched_off)


def print_changes(changes: Sequence[Change]) -> None:
    """Show the changes as a table on standard output."""
    table = Table("action", "kind", "name", "differs in", "state", title="Prefect objects")
    for change in changes:
        state = SWITCHED_OFF if change.switched_off else ""
        table.add_row(change.action, change.kind, change.name, ", ".join(change.fields), state)
    Console().print(table)
