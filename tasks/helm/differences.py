"""What an upgrade would change, as a unified diff of each object; the contents of Secrets never show."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from tasks.helm.rendering import Manifest

HIDDEN = "(hidden)"
HIDDEN_CHANGED = "(hidden, changed)"
Key = tuple[str, str, str]


def manifest_difference(before: Iterable[Manifest], after: Iterable[Manifest]) -> str:
    """The unified diff from the objects of `before` to those of `after`; empty when they are the same."""
    old, new = ({_key(manifest): manifest for manifest in manifests} for manifests in (before, after))
    parts = [_object_difference(key, old.get(key), new.get(key)) for key in sorted({*old, *new})]
    return "\n".join(filter(None, parts))


def _key(manifest: Manifest) -> Key:
    metadata = manifest["metadata"]
    return (str(manifest["kind"]), str(metadata.get("namespace", "")), str(metadata["name"]))


def _object_difference(key: Key, old: Manifest | None, new: Manifest | None) -> str:
    if old == new:
        return ""
    hidden_old, hidden_new = _without_secrets(old, None), _without_secrets(new, old)
    name = "/".join(part for part in key if part)
    lines = difflib.unified_diff(
        _lines(hidden_old),
        _lines(hidden_new),
        "not there" if old is None else f"now: {name}",
        "removed" if new is None else f"then: {name}",
        lineterm="",
    )
    return "\n".join(lines)


def _lines(manifest: Manifest | None) -> list[str]:
    return yaml.safe_dump(dict(manifest), sort_keys=True).splitlines() if manifest is not None else []


def _without_secrets(manifest: Manifest | None, old: Manifest | None) -> Manifest | None:
    if manifest is None or manifest["kind"] != "Secret":
        return manifest
    hidden: dict[str, Any] = dict(manifest)
    for part in ("data", "stringData"):
        values: Mapping[str, Any] = manifest.get(part) or {}
        known: Mapping[str, Any] = (old or {}).get(part) or {}
        if part in manifest:
            hidden[part] = {
                key: HIDDEN_CHANGED if key in known and known[key] != value else HIDDEN for key, value in values.items()
            }
    return hidden
