"""The laptop as a platform: components are processes that supervisord starts, watches and restarts."""

import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import httpx
import psutil

from tasks.environment import REPOSITORY, Environment
from tasks.environment.identity import Laptop
from tasks.laptop.secret_file import read_or_create_secrets
from tasks.platforms import Component, ComponentState, NotReady, State, UnknownComponent
from tasks.platforms.component_records import ComponentRecords
from tasks.platforms.owned_processes import is_owned
from tasks.platforms.ports import choose_ports
from tasks.platforms.processes import ProgramState, Supervisor
from tasks.platforms.supervisor_files import program_file
from tasks.platforms.switching import Switch

TAIL_BYTES = 3000


def laptop_of(environment: Environment) -> Laptop:
    """The laptop section. Raises `ValueError` for an environment that is not on a laptop."""
    if environment.laptop is None:
        raise ValueError(f"environment {environment.name.value!r} does not run on a laptop")
    return environment.laptop


class LocalPlatform:
    """Components as supervised processes, all they leave below the laptop's data directory."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.data_directory = (REPOSITORY / laptop.data_directory).resolve()
        self.logs = self.data_directory / "logs"
        self._records = ComponentRecords(self.data_directory / "supervisor" / "components")
        self._port_record = self.data_directory / "ports.json"

    @cached_property
    def secrets(self) -> Mapping[str, str]:
        """The environment's own secrets by variable name, generated at first use."""
        return read_or_create_secrets(self.data_directory / "secrets.env")

    @cached_property
    def supervisor(self) -> Supervisor:
        """The driver of this data directory's supervisord."""
        return Supervisor(self.data_directory / "supervisor", self.logs, lambda: self.secrets)

    def choose_ports(self, wanted: Mapping[str, int]) -> dict[str, int]:
        """The ports for the components named in `wanted`. Raises `tasks.platforms.ports.PortTaken`."""
        laptop, supervisor = self.laptop, self.supervisor

        def owns(pid: int) -> bool:
            # supervisord itself keeps the sockets of components that are switched.
            return is_owned(pid, supervisor.url) or pid == supervisor.running_pid()

        return choose_ports(wanted, laptop.listen_host, laptop.when_port_taken, self._port_record, owns)

    def deploy(self, component: Component) -> bool:
        """See `Platform.deploy`. Raises also `tasks.platforms.processes.SupervisorUnavailable`."""
        self.supervisor.ensure_running()
        if self.serves(component.name) and self.runs_as_described(component):
            return False
        self._records.begin_change(component.name)
        for path, text in component.files.items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(text, encoding="utf-8")
        if component.switched:
            self._switch(component).to_new_process()
        else:
            self.supervisor.put(component.name, program_file(component, self.logs))
        self._records.write(component)
        return True

    def serves(self, name: str) -> bool:
        """Whether a process of the component runs, or is about to be started again."""
        component = self._records.read(name)
        program = self._program(component) if component else None
        return program is not None and program.alive

    def runs_as_described(self, component: Component) -> bool:
        """See `Platform.runs_as_described`."""
        return self._records.read(component.name) == component and all(
            Path(path).exists() and Path(path).read_text(encoding="utf-8") == text
            for path, text in component.files.items()
        )

    def wait_until_ready(self, name: str) -> None:
        """See `Platform.wait_until_ready`."""
        component = self._deployed(name)
        deadline = time.monotonic() + component.ready_seconds
        state: State = "starting"
        while time.monotonic() < deadline:
            state = self._state(component).state
            if state == "ready":
                return
            if state in ("failed", "stopped"):
                break
            time.sleep(0.1)
        raise NotReady(
            f"{name!r} at {component.address}{component.health_path} is {state} after at most "
            f"{component.ready_seconds} s; the end of {str(self.log_path(name))!r}:\n{self.log_tail(name)}"
        )

    def address(self, name: str) -> str:
        """See `Platform.address`."""
        return self._deployed(name).address

    def remove(self, name: str) -> None:
        """See `Platform.remove`."""
        if self.supervisor.running_pid() is not None:
            self.supervisor.take_away(name)
        self._records.forget(name)

    def list_components(self) -> list[ComponentState]:
        """See `Platform.list_components`."""
        return [self._state(self._deployed(name)) for name in self._records.names()]

    def stop(self) -> list[int]:
        """Stop all components, supervisord and whatever they started; returns the ids of the ended processes.

        The ports are chosen anew next time: the ones that the variable file asks for may be free by then.
        """
        ended = self.supervisor.stop()
        self._port_record.unlink(missing_ok=True)
        return ended

    def log_path(self, name: str) -> Path:
        """Where the output of component `name` goes."""
        component = self._records.read(name)
        if component is not None and component.switched:
            return self._switch(component).log
        return self.logs / f"{name}.log"

    def log_tail(self, name: str) -> str:
        """The last lines of the component's output."""
        path = self.log_path(name)
        if not path.exists():
            return "(it wrote nothing)"
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            return file.read().decode("utf-8", errors="replace")

    def _state(self, component: Component) -> ComponentState:
        program = self._program(component)
        pid = program.pid if program else None
        if program is None or program.state in ("STOPPED", "STOPPING"):
            state: State = "stopped"
        elif program.state in ("FATAL", "EXITED", "UNKNOWN"):
            state = "failed"
        elif pid is not None and _answers(component) and _listens(pid, component.port):
            state = "ready"
        else:
            state = "unhealthy" if program.state == "RUNNING" else "starting"
        return ComponentState(
            component.name, state, component.address, component.fingerprint, pid, program.started if program else None
        )

    def _program(self, component: Component) -> ProgramState | None:
        return self._switch(component).serving if component.switched else self.supervisor.state(component.name)

    def _switch(self, component: Component) -> Switch:
        return Switch(component, self.supervisor, self.logs)

    def _deployed(self, name: str) -> Component:
        component = self._records.read(name)
        if component is None:
            raise UnknownComponent(f"component {name!r} is not deployed; deployed are {self._records.names()!r}")
        return component


def _answers(component: Component) -> bool:
    try:
        # The proxy of the surroundings, if there is one, does not lead to this machine's loopback.
        with httpx.Client(trust_env=False, timeout=2) as client:
            return client.get(component.address + component.health_path).is_success
    except httpx.TransportError:
        return False


def _listens(pid: int, port: int) -> bool:
    """Whether the answer came from our process, not from another that was quicker to take the port."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        connections = [connection for member in family for connection in member.net_connections(kind="tcp")]
    except psutil.NoSuchProcess:
        return False
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in connections)
