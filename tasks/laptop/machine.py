"""What a laptop must have before the platform starts on it, and the directories that the platform works in."""

import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

GIBIBYTE = 1024**3
PYTHON = ((3, 11), (3, 14))
# Models, packages' caches and a few generations of a small knowledge base.
DISK_GIB = 2
# The Prefect server, two model servers, the gateway, the service and Ray at rest, with room for a refresh.
MEMORY_GIB = 4


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what was found, and what is needed."""

    name: str
    found: str
    needed: str
    passed: bool


class MachineUnfit(Exception):
    """The machine lacks something that the platform needs: says what, and how much of it."""


def check_machine(data_directory: Path) -> list[Check]:
    """Look at the Python version, memory, free disk and the data directory, and change nothing."""
    ancestor = _nearest_existing(data_directory)
    memory = psutil.virtual_memory().total / GIBIBYTE
    disk = shutil.disk_usage(ancestor).free / GIBIBYTE
    oldest, newest = (".".join(map(str, version)) for version in PYTHON)
    refusal = _write_refusal(ancestor)
    return [
        Check(
            "Python",
            f"{sys.version_info.major}.{sys.version_info.minor}",
            f"{oldest} to {newest}",
            PYTHON[0] <= sys.version_info[:2] <= PYTHON[1],
        ),
        Check("memory", f"{memory:.1f} GiB", f"{MEMORY_GIB} GiB", memory >= MEMORY_GIB),
        Check("free disk", f"{disk:.1f} GiB at {ancestor}", f"{DISK_GIB} GiB", disk >= DISK_GIB),
        Check("data directory", refusal or f"{data_directory} can be written", "writable", refusal is None),
    ]


def require_fit(checks: Sequence[Check]) -> None:
    """Stop when a check did not pass.

    Raises:
        MachineUnfit: names every check that did not pass, with what was found and what is needed.
    """
    failed = [f"{check.name}: {check.found}, needed {check.needed}" for check in checks if not check.passed]
    if failed:
        raise MachineUnfit("this machine cannot run the platform: " + "; ".join(failed))


def make_directories(directories: Sequence[Path]) -> list[Path]:
    """Make the directories that are missing, and return those."""
    missing = [directory for directory in directories if not directory.is_dir()]
    for directory in missing:
        directory.mkdir(parents=True)
    return missing


def _nearest_existing(path: Path) -> Path:
    return next(candidate for candidate in (path, *path.parents) if candidate.exists())


def _write_refusal(directory: Path) -> str | None:
    try:
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(b"written by the machine check")
    except OSError as error:
        return f"{directory} cannot be written: {error.strerror}"
    return None
