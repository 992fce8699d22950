"""Programs that run beside the rehearsal, on loopback, and end with it."""

import os
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

# Seconds; each takes 2 to 10 on an idle machine, and the machine may be busy.
READY_WITHIN_SECONDS = 300
STOPPED_WITHIN_SECONDS = 30
REPOSITORY = Path(__file__).parents[1]
# What would take a program to somebody's own account, server or plan.
_NOT_INHERITED = ("AWS_", "MOTO_", "MINISTACK_", "PREFECT_", "TF_CLI_ARGS", "TF_VAR_", "AGENTIC_EKS_")


class ProgramFailed(Exception):
    """A program did not start; says which, and how its log ends."""


@dataclass(frozen=True)
class Program:
    """A Python module that is run: its arguments, its environment beside the inherited one, and where it answers."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    health: str | None = None

    @contextmanager
    def running(self, logs: Path) -> Generator["subprocess.Popen[bytes]"]:
        """Run it for the block; its output goes to a file in `logs`."""
        with self.log(logs).open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *self.arguments],
                cwd=REPOSITORY,
                env={**inherited(), **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield process
        finally:
            end(process, STOPPED_WITHIN_SECONDS)

    def wait_until_ready(self, process: "subprocess.Popen[bytes]", logs: Path) -> None:
        """Wait until it answers.

        Raises:
            ProgramFailed: it ended, or does not answer in time.
        """
        if self.health:
            wait_until_healthy(process, self.name, self.health, self.log(logs))

    def log(self, logs: Path) -> Path:
        """The file that holds its output."""
        return logs / f"{self.name}.log"


def wait_until_healthy(
    process: "subprocess.Popen[bytes]", name: str, health: str, log: Path, seconds: float = READY_WITHIN_SECONDS
) -> None:
    """Wait until `process`, which writes into `log`, answers at the URL `health`.

    Raises:
        ProgramFailed: it ended, or does not answer in time; says how its log ends.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(health, timeout=30).is_success:
                return
        except httpx.TransportError:
            pass  # nothing listens yet
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
    raise ProgramFailed(f"{name!r} is not ready at {health} (exit code {process.poll()}): {tail(log)}")


def tail(log: Path) -> str:
    """How a program's log ends."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "its log ends:\n" + "\n".join(lines[-30:])


def end(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Ask a process to end, and kill it when it has not after so many seconds."""
    process.terminate()
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def inherited() -> dict[str, str]:
    """This process's environment without what would lead a program out of the rehearsal."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
