"""Which resource of a plan refers to which, also where the value that joins them is known after the apply only.

A plan holds the configuration with the references of every expression. See Terraform's documentation,
"JSON Output Format", "Configuration Representation".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.terraform.plan_document import PlanDocument, ResourceChange

_STEP = re.compile(r'([A-Za-z0-9_-]+)(\[(?:\d+|"(?:[^"\\]|\\.)*")\])?(?:\.|$)')


@dataclass(frozen=True)
class _Address:
    """`module.data[0].aws_s3_bucket.this["a"]` is resource `aws_s3_bucket.this`, index `["a"]`, in module `data`."""

    modules: tuple[str, ...]
    resource: str
    index: str


def _parse(address: str) -> _Address:
    steps = [(name, index) for name, index in _STEP.findall(address)]
    modules: list[str] = []
    while steps[0][0] == "module":
        modules.append(steps[1][0])
        steps = steps[2:]
    (kind, _), (name, index) = steps
    return _Address(tuple(modules), f"{kind}.{name}", index)


def is_configured(document: PlanDocument, change: ResourceChange, attribute: str) -> bool:
    """Whether the configuration sets the attribute; one that it leaves out is the provider's to fill in."""
    return attribute in _expressions(document, change)


def refers_to(document: PlanDocument, change: ResourceChange, attribute: str, target: ResourceChange) -> bool:
    """Whether the attribute of `change` is taken from `target`, which lies in the same module.

    Where both are made by `for_each`, from the instance with the same key.
    """
    here, there = _parse(change.address), _parse(target.address)
    if change.module != target.module:
        return False
    references = _references(_expressions(document, change).get(attribute))
    return there.resource in references and there.index in ("", here.index, "[0]")


def _references(expression: Any) -> list[str]:
    """All references of an expression, or of the expressions of a block and of the blocks in it."""
    if isinstance(expression, list):
        return [reference for part in expression for reference in _references(part)]
    if isinstance(expression, Mapping):
        own = expression.get("references")
        if isinstance(own, list):
            return own
        return [reference for part in expression.values() for reference in _references(part)]
    return []


def _expressions(document: PlanDocument, change: ResourceChange) -> Mapping[str, Any]:
    address = _parse(change.address)
    module: Mapping[str, Any] = document.configuration.get("root_module", {})
    for name in address.modules:
        module = module.get("module_calls", {}).get(name, {}).get("module", {})
    for resource in module.get("resources", []):
        if resource.get("address") == address.resource:
            return resource.get("expressions", {})
    return {}
