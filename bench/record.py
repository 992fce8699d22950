"""The results of a bench, kept as JSON with the machine and the moment they belong to."""

import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Generic, TypeVar

import psutil
from pydantic import TypeAdapter

PACKAGES = ("ray", "lancedb", "xllamacpp", "litellm", "prefect")
CPU_INFO = Path("/proc/cpuinfo")

Result = TypeVar("Result")


@dataclass(frozen=True)
class Machine:
    """Where a bench ran. `load` is the load average of one minute when it started; memory is in GiB."""

    cores: int
    memory_gib: float
    cpu: str
    load: float
    versions: dict[str, str]


@dataclass(frozen=True)
class Measured(Generic[Result]):
    """What a bench found, when, and where."""

    measured_at: datetime
    machine: Machine
    result: Result


def present_machine() -> Machine:
    """This machine, as it is now."""
    return Machine(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        cpu=_cpu_model(),
        load=round(os.getloadavg()[0], 2),
        versions={"Python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    )


def write_record(path: Path, machine: Machine, result: Any) -> None:
    """Keep the result of a bench (a dataclass), measured just now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {"measured_at": datetime.now(UTC).isoformat(), "machine": asdict(machine), "result": asdict(result)}
    path.write_text(json.dumps(record, indent=2), encoding="utf-8")


def read_record(path: Path, record: TypeAdapter[Measured[Result]]) -> Measured[Result]:
    """Read what `write_record` wrote. Raises FileNotFoundError when the bench never ran."""
    return record.validate_json(path.read_bytes())


def _cpu_model() -> str:
    if not CPU_INFO.exists():
        return platform.machine()
    lines = CPU_INFO.read_text(encoding="utf-8").splitlines()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()
