"""The attributes of a resource in a plan, where a value may be known after the apply only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from tasks.terraform.plan_document import ResourceChange


class Unknown(Enum):
    """Stands for a value that only the apply will tell."""

    UNTIL_APPLY = "known after the apply"


UNTIL_APPLY: Final = Unknown.UNTIL_APPLY


@dataclass(frozen=True)
class Attributes:
    """`values` as a plan has them; `unknown` marks, in the same shape, those that the apply will tell."""

    values: Mapping[str, Any]
    unknown: Mapping[str, Any]

    def at(self, *path: str | int) -> Any:
        """The value at a path such as `"encryption_config", 0, "resources"`.

        None where there is nothing, UNTIL_APPLY where it, or what it lies in, is not known yet.
        """
        value: Any = self.values
        mark: Any = self.unknown
        for step in path:
            value, mark = _step(value, step), _step(mark, step)
            if mark is True:
                return UNTIL_APPLY
        return value

    def blocks(self, *path: str | int) -> list["Attributes"]:
        """The repeated blocks at a path, each as attributes of its own; empty where there are none or unknown ones."""
        value, mark = self.at(*path), Attributes(self.unknown, {}).at(*path)
        if not isinstance(value, list):
            return []
        marks = mark if isinstance(mark, list) else []
        return [
            Attributes(block, marks[index] if index < len(marks) and isinstance(marks[index], dict) else {})
            for index, block in enumerate(value)
            if isinstance(block, dict)
        ]


def planned(change: ResourceChange) -> Attributes | None:
    """The attributes after the apply; None for what will not exist then."""
    return None if change.after is None else Attributes(change.after, change.unknown)


def present(change: ResourceChange) -> Attributes | None:
    """The attributes before the apply; None for what does not exist yet."""
    return None if change.before is None else Attributes(change.before, {})


def _step(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return value.get(step) if isinstance(value, Mapping) else None
    if isinstance(value, Sequence) and not isinstance(value, str) and step < len(value):
        return value[step]
    return None
