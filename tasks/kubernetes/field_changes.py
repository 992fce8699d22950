"""What would change if the release's owner applied an object again: the fields that somebody else set meanwhile."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from tasks.kubernetes.connection import Connection
from tasks.kubernetes.objects import Document, try_apply

# What the API server keeps for itself, and what controllers report.
OF_THE_SERVER = frozenset({"managedFields", "resourceVersion", "generation", "creationTimestamp", "uid"})
HIDDEN = "(hidden)"
ABSENT = "absent"
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class FieldChange:
    """One field that is not as it was applied; `manager` is who set it, by the name it gave the API."""

    path: str
    wanted: str
    found: str
    manager: str


def changed_fields(
    connection: Connection, path: str, live: Document, applied: Document, owner: str
) -> list[FieldChange]:
    """The fields of `live`, at the API `path`, that `owner` would set back by applying `applied` again.

    The API server itself decides, in a dry run: it knows defaults, quantities and merged lists. Nothing is changed.

    Raises:
        ClusterFault: the API refuses or does not answer.
    """
    wanted = try_apply(connection, path, applied, owner)
    secret = live["kind"] == "Secret"
    return [
        FieldChange(_dotted(where), _shown(before, secret), _shown(now, secret), _manager(live, where, owner))
        for where, before, now in _differences(_comparable(wanted), _comparable(live), ())
    ]


def _comparable(document: Document) -> Document:
    metadata = {key: value for key, value in document["metadata"].items() if key not in OF_THE_SERVER}
    return {**{key: value for key, value in document.items() if key != "status"}, "metadata": metadata}


def _differences(wanted: object, found: object, path: Path) -> Iterator[tuple[Path, object, object]]:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        left, right = cast("Mapping[str, object]", wanted), cast("Mapping[str, object]", found)
        for key in sorted({*left, *right}):
            yield from _differences(left.get(key), right.get(key), (*path, key))
    elif _lists(wanted, found):
        for index, (one, other) in enumerate(zip(cast(Any, wanted), cast(Any, found), strict=True)):
            yield from _differences(one, other, (*path, index))
    elif wanted != found:
        yield path, wanted, found


def _lists(wanted: object, found: object) -> bool:
    return (
        isinstance(wanted, list)
        and isinstance(found, list)
        and len(cast("list[object]", wanted)) == len(cast("list[object]", found))
    )


def _manager(live: Document, path: Path, owner: str) -> str:
    """Who owns the field; where nobody does, as of one that was taken out, who changed the object last."""
    entries: list[Mapping[str, Any]] = [
        entry
        for entry in live["metadata"].get("managedFields") or ()
        if entry["manager"] != owner and entry.get("subresource") != "status"
    ]
    for entry in entries:
        if _owns(entry.get("fieldsV1") or {}, live, path):
            return str(entry["manager"])
    newest = max(entries, key=lambda entry: str(entry.get("time")), default=None)
    return str(newest["manager"]) if newest else "unknown"


def _owns(fields: Mapping[str, Any], part: Any, path: Path) -> bool:
    """Whether `fields` (FieldsV1) hold `path` of the object, of which `part` is what is left to go through.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/#System (managedFields)
    """
    if not path:
        return True
    head, *rest = path
    if isinstance(head, str):
        inner = fields.get(f"f:{head}")
        below = part.get(head) if isinstance(part, Mapping) else None
    else:
        below = cast("Sequence[Any]", part)[head] if isinstance(part, list) else None
        inner = next((value for key, value in fields.items() if _is_element(key, below)), None)
    # An empty set means that the whole field is owned, whatever lies below.
    return inner is not None and (not inner or _owns(inner, below, tuple(rest)))


def _is_element(key: str, element: object) -> bool:
    if not key.startswith("k:") or not isinstance(element, Mapping):
        return False
    return all(element.get(name) == value for name, value in json.loads(key[2:]).items())


def _dotted(path: Path) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _shown(value: object, secret: bool) -> str:
    if value is None:
        return ABSENT
    return HIDDEN if secret else str(value)
