"""What is known of the instance types that node pools choose from: size, accelerators and list price."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

INSTANCE_TYPES = Path(__file__).resolve().parents[2] / "infra" / "instance-types.json"

AcceleratorKind = Literal["gpu", "neuron"]
Architecture = Literal["arm64", "amd64"]
Count = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Accelerator(_Part):
    """A kind of GPU or Neuron device; `memory_mib` and `cores` (NeuronCores, none for a GPU) are of one device."""

    kind: AcceleratorKind
    name: str
    manufacturer: str
    memory_mib: Count
    cores: Count | None = None


class Size(_Part):
    """One size of a family; `usd_hour` is the list price on demand, `accelerators` how many devices it has."""

    vcpu: Count
    memory_gib: Count
    usd_hour: Annotated[float, Field(gt=0)]
    accelerators: Annotated[int, Field(ge=0)] = 0


class Family(_Part):
    """Instance types that differ in size only."""

    architecture: Architecture
    cpu_manufacturer: str
    sizes: Annotated[Mapping[str, Size], Field(min_length=1)]
    accelerator: Accelerator | None = None


class InstanceType(_Part):
    """One instance type, such as g6.12xlarge, with what its family has in common."""

    family: str
    size: str
    architecture: Architecture
    cpu_manufacturer: str
    vcpu: int
    memory_gib: int
    accelerator: Accelerator | None
    accelerators: int
    usd_hour: float

    @property
    def name(self) -> str:
        """What EC2 calls it."""
        return f"{self.family}.{self.size}"


class _Table(_Part):
    as_of: date
    note: str
    source: tuple[str, ...]
    families: Mapping[str, Family]


@cache
def _table() -> _Table:
    return _Table.model_validate_json(INSTANCE_TYPES.read_bytes())


def known_families() -> Mapping[str, Family]:
    """The families of `infra/instance-types.json`, by name."""
    return _table().families


@cache
def types_of(family: str) -> tuple[InstanceType, ...]:
    """The instance types of a family, the cheapest first.

    Raises:
        KeyError: the family is not in `infra/instance-types.json`.
    """
    facts = known_families()[family]
    types = [
        InstanceType(
            family=family,
            size=name,
            architecture=facts.architecture,
            cpu_manufacturer=facts.cpu_manufacturer,
            accelerator=facts.accelerator,
            **dict(size),
        )
        for name, size in facts.sizes.items()
    ]
    return tuple(sorted(types, key=lambda each: each.usd_hour))
