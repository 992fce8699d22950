"""The processes of a cluster: started with a log each, watched while others wait for them, and ended."""

import os
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.programs import end

# Seconds; it takes 3 on an idle machine, and the machine may be busy.
READY_WITHIN_SECONDS = 300
STOPPED_WITHIN_SECONDS = 15
_LOOK_AGAIN_SECONDS = 0.05


class ClusterFailed(Exception):
    """A part of the cluster did not start, or ended; says which, and how its log ends."""


@dataclass(frozen=True)
class Command:
    """A program with its arguments; `environment` is all that it sees beside PATH and HOME."""

    name: str
    program: Path
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class RunningProcess:
    """A process of the cluster, and where it logs."""

    name: str
    log: Path
    process: "subprocess.Popen[bytes]"

    def ending(self) -> str:
        """Its name, whether it runs, and how its log ends."""
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
        return f"{self.name!r} (exit code {self.process.poll()}), whose log ends:\n{tail}"


def wait_until(ready: Callable[[], bool], *processes: RunningProcess) -> None:
    """Wait until `ready` says so; it may take as long as all `processes` run.

    Raises:
        ClusterFailed: one of them ended, or it takes more than READY_WITHIN_SECONDS.
    """
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while not ready():
        for process in processes:
            if process.process.poll() is not None:
                raise ClusterFailed(f"a part of the cluster ended: {process.ending()}")
        if time.monotonic() > deadline:
            endings = "\n".join(process.ending() for process in processes)
            raise ClusterFailed(f"the cluster is not ready within {READY_WITHIN_SECONDS} s:\n{endings}")
        time.sleep(_LOOK_AGAIN_SECONDS)


@contextmanager
def running(command: Command, directory: Path) -> Generator[RunningProcess]:
    """Run a program in `directory` for the block; its log is <name>.log there."""
    log = directory / f"{command.name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [command.program, *command.arguments],
            cwd=directory,
            # Neither a person's kubeconfig nor a proxy takes part.
            env={"PATH": os.environ["PATH"], "HOME": str(directory), **command.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    with _ended_with_this_one(process.pid):
        try:
            yield RunningProcess(command.name, log, process)
        finally:
            end(process, STOPPED_WITHIN_SECONDS)


@contextmanager
def _ended_with_this_one(pid: int) -> Generator[None]:
    """For the block, have a process ended when this one is killed and cannot do it itself."""
    # A line in the pipe says that the block has ended; a pipe that is closed without one, that its writer has.
    guard = subprocess.Popen(
        ["/bin/sh", "-c", 'read -r done || kill "$1"', "guard", str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.communicate(b"done\n")
