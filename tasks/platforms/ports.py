"""Which TCP ports the local components listen on, kept from one run to the next."""

import errno
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import psutil
from pydantic import BaseModel, TypeAdapter, ValidationError

WhenTaken = Literal["pick_free", "refuse"]
Owns = Callable[[int], bool]
HIGHEST = 65535


class PortTaken(Exception):
    """Another process listens on a port that is wanted: says which process, and what to do."""


class ChosenPort(BaseModel):
    """A port that was wanted, and the one that was taken instead of it or equal to it."""

    wanted: int
    chosen: int


_RECORD = TypeAdapter(dict[str, ChosenPort])


def choose_ports(
    wanted: Mapping[str, int], host: str, when_taken: WhenTaken, record: Path, owns: Owns
) -> dict[str, int]:
    """A port for each name in `wanted`: the recorded one, else the wanted one, else the next that is free.

    No two names get the same port. One on which one of our own processes listens (`owns(pid)`) is not taken. The
    choice is written to `record` (JSON), so that later runs and other processes keep it.

    Raises:
        PortTaken: a port is in use or wanted twice and `when_taken` is "refuse", or no port above it is free.
    """
    kept = _read(record)
    choice: dict[str, ChosenPort] = {}
    for name, port in wanted.items():
        before = kept.get(name)
        first = before.chosen if before is not None and before.wanted == port else port
        given = {other.chosen: other_name for other_name, other in choice.items()}
        reserved = {*given, *(p for n, p in wanted.items() if n != name)}
        if first in given and when_taken == "refuse":
            raise PortTaken(f"port {first} for {name!r} is that of {given[first]!r}, too; change laptop.ports")
        chosen = first if first not in given and _is_ours(first, host, owns) else None
        choice[name] = ChosenPort(wanted=port, chosen=chosen or _other(name, first, host, when_taken, reserved))
    if choice != kept:
        record.parent.mkdir(parents=True, exist_ok=True)
        scratch = record.with_suffix(".new")
        scratch.write_bytes(_RECORD.dump_json(choice, indent=2))
        scratch.replace(record)
    return {name: port.chosen for name, port in choice.items()}


def free_port(host: str) -> int:
    """A port that nobody listens on now, for what is needed for a moment only."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:
        return int(server.getsockname()[1])


def listener(port: int) -> psutil.Process | None:
    """The process that listens on TCP `port`, or None when there is none or the system does not tell."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        # macOS tells it to root only.
        return None
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,) and connection.pid:
            return psutil.Process(connection.pid)
    return None


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen on `host`:`port` now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections are still winding down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def _is_ours(port: int, host: str, owns: Owns) -> bool:
    if is_free(host, port):
        return True
    holder = listener(port)
    return holder is not None and owns(holder.pid)


def _other(name: str, taken: int, host: str, when_taken: WhenTaken, reserved: set[int]) -> int:
    if when_taken == "pick_free":
        for port in range(taken + 1, HIGHEST + 1):
            if port not in reserved and is_free(host, port):
                return port
    raise PortTaken(
        f"port {taken} for {name!r} is taken by {_describe(listener(taken))}; stop that process, or change "
        f'laptop.ports or laptop.when_port_taken = "pick_free" in the variable file'
    )


def _describe(process: psutil.Process | None) -> str:
    if process is None:
        return "another process (of another user: `sudo lsof -i` names it)"
    try:
        return f"process {process.pid} ({' '.join(process.cmdline())[:120] or process.name()!r})"
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return f"process {process.pid}"


def _read(record: Path) -> dict[str, ChosenPort]:
    if not record.exists():
        return {}
    try:
        return _RECORD.validate_json(record.read_bytes())
    except ValidationError:
        # A convenience of the last run, not a decision: without it the wanted ports are tried first.
        return {}
