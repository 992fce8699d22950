"""Driver of one supervisord: starts it detached, adds and removes programs while it runs, and stops it.

Source: http://supervisord.org/api.html (XML-RPC) and http://supervisord.org/configuration.html.
"""

import fcntl
import hashlib
import os
import stat
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from supervisor.states import RUNNING_STATES, ProcessStates
from supervisor.xmlrpc import Faults, SupervisorTransport

from tasks.platforms import owned_processes
from tasks.platforms.supervisor_files import listener_name, supervisor_file

START_SECONDS = 20
STOP_SECONDS = 15
# supervisord binds a scratch name, ".<pid>" longer, before it moves the socket in place; 104 bytes is macOS's limit.
LONGEST_SOCKET_PATH = 104 - len(".4194304") - 1


class SupervisorUnavailable(Exception):
    """supervisord did not start, or does not answer."""


@dataclass(frozen=True)
class ProgramState:
    """What supervisord knows of one program: `name`, its state's name (RUNNING, FATAL ...), process id and start."""

    name: str
    state: str
    pid: int | None
    started: datetime | None
    failure: str

    @property
    def alive(self) -> bool:
        """Whether supervisord runs it or is about to start it again."""
        return self.state in ("RUNNING", "STARTING", "BACKOFF")


class Supervisor:
    """The supervisord whose configuration lies in `directory`; its children inherit the secrets as variables.

    `read_secrets` is called when supervisord may have to be started, and not before.
    """

    def __init__(self, directory: Path, logs: Path, read_secrets: Callable[[], Mapping[str, str]]) -> None:
        self.directory = directory
        self.logs = logs
        self.programs_directory = directory / "conf.d"
        self.configuration = directory / "supervisord.conf"
        self.socket = _socket_path(directory)
        self._read_secrets = read_secrets

    @property
    def url(self) -> str:
        """The address that the children find in their environment."""
        return f"unix://{self.socket}"

    def running_pid(self) -> int | None:
        """The process id of the supervisord that answers at our socket, None when none does."""
        try:
            with self._rpc() as rpc:
                return int(rpc.getPID())
        except OSError:
            return None

    def ensure_running(self) -> None:
        """Start supervisord when it is not running; orphans of a killed one are stopped before.

        Raises:
            SupervisorUnavailable: it does not start.
        """
        self.programs_directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            secrets = self._read_secrets()
            pid = self.running_pid()
            if pid is not None and _has_in_environment(pid, secrets):
                return
            self.stop()
            self._start(secrets)

    def put(self, name: str, text: str) -> None:
        """Run program `name` as its configuration `text` says, in place of what ran under that name."""
        self.take_away(name)
        (self.programs_directory / f"{name}.conf").write_text(text, encoding="utf-8")
        with self._rpc() as rpc:
            rpc.reloadConfig()
            rpc.addProcessGroup(name)
            rpc.addProcessGroup(listener_name(name))

    def holds(self, name: str, text: str) -> bool:
        """Whether program `name` is known with exactly this configuration; its processes may be stopped."""
        path = self.programs_directory / f"{name}.conf"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            return False
        with self._rpc() as rpc:
            return any(info["group"] == name for info in rpc.getAllProcessInfo())

    def take_away(self, name: str) -> None:
        """Stop program `name` and forget it."""
        (self.programs_directory / f"{name}.conf").unlink(missing_ok=True)
        with self._rpc() as rpc:
            for group in (listener_name(name), name):
                # The listener goes first: it would take the program's end for an illness.
                try:
                    rpc.stopProcessGroup(group)
                    rpc.removeProcessGroup(group)
                except xmlrpc.client.Fault as fault:
                    if fault.faultCode != Faults.BAD_NAME:
                        raise

    def start(self, name: str) -> None:
        """Start program `name` (`<group>:<process>` for one of several), and return before it counts as started."""
        with self._rpc() as rpc:
            rpc.startProcess(name, False)

    def end(self, name: str) -> None:
        """Stop program `name`, which stays known, and wait until it has ended."""
        with self._rpc() as rpc:
            rpc.stopProcess(name, True)

    def state(self, name: str) -> ProgramState | None:
        """The state of program `name`, None when supervisord does not have it or does not run."""
        try:
            with self._rpc() as rpc:
                return _program_state(rpc.getProcessInfo(name))
        except OSError:
            return None
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == Faults.BAD_NAME:
                return None
            raise

    def stop(self) -> list[int]:
        """Stop supervisord with all its children, and what those left behind; returns the ended process ids."""
        servers = owned_processes.processes_with_argument(str(self.configuration))
        children = owned_processes.owned_processes(self.url)
        # A supervisord that is asked stops its children in order; the sweep is for those that left its groups.
        owned_processes.stop_processes(servers, grace_seconds=STOP_SECONDS)
        owned_processes.stop_processes(owned_processes.owned_processes(self.url), grace_seconds=STOP_SECONDS / 3)
        self.socket.unlink(missing_ok=True)
        return [process.pid for process in (*servers, *children)]

    def _start(self, secrets: Mapping[str, str]) -> None:
        for leftover in self.programs_directory.glob("*.conf"):
            # Programs are deployed anew: what they ran with may have changed since.
            leftover.unlink()
        self.logs.mkdir(parents=True, exist_ok=True)
        self.configuration.write_text(supervisor_file(self.directory, self.logs, self.socket), encoding="utf-8")
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self.configuration)]
        variables = _child_environment() | dict(secrets)
        # It leaves its caller's session and terminal by itself.
        started = subprocess.run(
            command, env=variables, capture_output=True, text=True, timeout=START_SECONDS, check=False
        )
        deadline = time.monotonic() + START_SECONDS
        while started.returncode == 0 and time.monotonic() < deadline:
            if self.running_pid() is not None:
                return
            time.sleep(0.05)
        raise SupervisorUnavailable(
            f"supervisord did not start with {str(self.configuration)!r} (exit code {started.returncode}): "
            f"{(started.stderr or started.stdout).strip()}; its log is {str(self.logs / 'supervisord.log')!r}"
        )

    @contextmanager
    def _rpc(self) -> Generator[Any]:
        transport = SupervisorTransport(None, None, self.url)
        try:
            yield xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor
        finally:
            transport.close()


def _child_environment() -> dict[str, str]:
    # Started from inside a flow run, the servers must not take that run's settings for their own.
    foreign = ("PREFECT_", "SUPERVISOR_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def _has_in_environment(pid: int, wanted: Mapping[str, str]) -> bool:
    known = psutil.Process(pid).environ()
    return all(known.get(name) == value for name, value in wanted.items())


def _program_state(info: Mapping[str, Any]) -> ProgramState:
    running = info["state"] in RUNNING_STATES and info["pid"]
    return ProgramState(
        name=info["name"],
        state=info["statename"],
        pid=info["pid"] if running else None,
        started=datetime.fromtimestamp(info["start"], tz=UTC) if running else None,
        failure=info["spawnerr"] if info["state"] != ProcessStates.RUNNING else "",
    )


def _socket_path(directory: Path) -> Path:
    beside = directory / "supervisor.sock"
    if len(os.fsencode(beside)) <= LONGEST_SOCKET_PATH:
        return beside
    # Not TMPDIR: the path must be the same from every shell, and short.
    private = Path("/tmp") / f"agentic-eks-{os.getuid()}"  # noqa: S108 - made private and checked below
    private.mkdir(mode=0o700, exist_ok=True)
    status = private.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise SupervisorUnavailable(f"{str(private)!r} must be a directory that only you can open; remove it")
    return private / f"{hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]}.sock"
