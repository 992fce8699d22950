"""Two versions of a resource's attributes, as a plan has them, and where they differ."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ABSENT = "absent"
SENSITIVE = "(sensitive)"
LONGEST = 160


@dataclass(frozen=True)
class AttributeDifference:
    """One attribute, by its path such as `tags.Owner` or `rule[0].bucket_key_enabled`, in both versions as text."""

    path: str
    wanted: str
    found: str

    @property
    def attribute(self) -> str:
        """The attribute of the resource that the path begins with."""
        return self.path.partition(".")[0].partition("[")[0]


def attribute_differences(
    wanted: Mapping[str, Any], found: Mapping[str, Any], unknown: Mapping[str, Any], sensitive: Mapping[str, Any]
) -> list[AttributeDifference]:
    """The attributes that differ, JSON inside of strings (policies) compared by content.

    null, "", [] and {} are the same: a provider reads back one for the other. What `unknown` marks is left out, because
    only the apply tells it, and the value of what `sensitive` marks is not shown. Tags are listed once, not a second
    time under `tags_all`.
    """
    found_ones = list(_differences("", wanted, found, unknown, sensitive))
    tags = {difference.path for difference in found_ones if difference.attribute == "tags"}
    return [each for each in found_ones if each.path.replace("tags_all", "tags", 1) not in tags or each.path in tags]


def _differences(path: str, wanted: Any, found: Any, unknown: Any, sensitive: Any) -> Iterator[AttributeDifference]:
    if unknown is True:
        return
    if sensitive is True:
        if _filled(wanted) != _filled(found):
            yield AttributeDifference(path, SENSITIVE, SENSITIVE)
        return
    wanted, found = _parsed(wanted), _parsed(found)
    if isinstance(wanted, Mapping | None) and isinstance(found, Mapping | None):
        wanted, found = wanted or {}, found or {}
        for key in sorted({*wanted, *found}):
            below = f"{path}.{key}" if path else str(key)
            yield from _differences(below, wanted.get(key), found.get(key), _at(unknown, key), _at(sensitive, key))
    elif (blocks := _blocks(wanted, found)) is not None:
        for index, (one, other) in enumerate(blocks):
            yield from _differences(f"{path}[{index}]", one, other, _at(unknown, index), _at(sensitive, index))
    elif _filled(wanted) != _filled(found):
        hidden = _marked(sensitive)
        wanted, found = _without_common(wanted, found)
        yield AttributeDifference(path, SENSITIVE if hidden else shown(wanted), SENSITIVE if hidden else shown(found))


def shown(value: Any) -> str:
    """A value as a cell of a table: text as it is, the rest as JSON, shortened."""
    if _filled(value) is None:
        return ABSENT
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _filled(value: Any) -> Any:
    """The value without what is empty in it; None when nothing is left."""
    if isinstance(value, Mapping):
        return {key: kept for key, part in value.items() if (kept := _filled(part)) is not None} or None
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [kept for part in value if (kept := _filled(part)) is not None] or None
    return None if value == "" else value


def _parsed(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith("{"):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value  # a string that only looks like JSON


def _blocks(one: Any, other: Any) -> list[tuple[Any, Any]] | None:
    """The repeated blocks of both versions side by side; None where they are no blocks, or not as many."""
    if not isinstance(one, list) or not isinstance(other, list) or len(one) != len(other):
        return None
    pairs = list(zip(one, other, strict=True))
    return pairs if all(isinstance(part, Mapping) for pair in pairs for part in pair) else None


def _without_common(one: Any, other: Any) -> tuple[Any, Any]:
    """Of two sets, what only one of them has; other values, and lists in another order, as they are."""
    if not isinstance(one, list) or not isinstance(other, list):
        return one, other
    only_one, only_other = [part for part in one if part not in other], [part for part in other if part not in one]
    return (only_one, only_other) if only_one or only_other else (one, other)


def _at(marks: Any, step: str | int) -> Any:
    """The marks below one step; what lies below a list in another order of a set is marked as a whole."""
    if isinstance(marks, Mapping) and isinstance(step, str):
        return marks.get(step)
    if isinstance(marks, list) and isinstance(step, int) and step < len(marks):
        return marks[step]
    return marks if marks is True else None


def _marked(marks: Any) -> bool:
    parts = marks.values() if isinstance(marks, Mapping) else marks if isinstance(marks, list) else ()
    return marks is True or any(_marked(part) for part in parts)
