"""Which types of resources the emulated AWS cannot create, and how they are left out of plans.

`not_creatable.json` is the reviewed list; a test compares it with what the emulators answer and with the plans.
"""

import functools
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

LIST = Path(__file__).with_name("not_creatable.json")
_RESOURCE = re.compile(r'^resource "(\w+)" "(\w+)"', re.MULTILINE)


class MissingOperation(BaseModel):
    """The operation of an AWS API that no emulator answers; `parameters` are some that AWS would take."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: str
    operation: str
    parameters: dict[str, Any]


class NotCreatable(BaseModel):
    """A type of resource that a rehearsal leaves out; without a `missing` operation for another reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    reason: str
    missing: MissingOperation | None = None


_LIST = TypeAdapter(tuple[NotCreatable, ...])


@functools.cache
def not_creatable() -> tuple[NotCreatable, ...]:
    """The reviewed list."""
    return _LIST.validate_json(LIST.read_bytes())


def plan_arguments(infra: Path) -> str:
    """The value of TF_CLI_ARGS_plan that plans all of the Terraform root `infra` but what cannot be created.

    Terraform can only be told what to plan, not what to leave out. Every resource belongs to a module
    `modules/<name>` that the root calls by the same name, with a count of 1 on AWS.
    """
    left_out = {entry.type for entry in not_creatable()}
    return " ".join(
        f"-target=module.{file.parent.name}[0].{resource_type}.{name}"
        for file in sorted(infra.glob("modules/*/*.tf"))
        for resource_type, name in _RESOURCE.findall(file.read_text(encoding="utf-8"))
        if resource_type not in left_out
    )
