"""The text of supervisord's configuration files: one for the daemon, one a component."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tasks.environment import REPOSITORY
from tasks.platforms import Component

LOG_BYTES = "5MB"
LOG_BACKUPS = 3
# One process serves, the other is free for the next version.
SLOTS = (0, 1)


def listener_name(name: str) -> str:
    """The name of the event listener that watches over program `name`."""
    return f"{name}-health"


def supervisor_file(directory: Path, logs: Path, socket: Path) -> str:
    """The daemon's own file; it includes `conf.d/*.conf` beside it and speaks on the UNIX socket `socket` only."""
    return f"""[unix_http_server]
file = {_quoted(socket)}
chmod = 0600

[supervisord]
logfile = {_quoted(logs / "supervisord.log")}
logfile_maxbytes = {LOG_BYTES}
logfile_backups = {LOG_BACKUPS}
childlogdir = {_quoted(logs)}
pidfile = {_quoted(directory / "supervisord.pid")}
directory = {_quoted(REPOSITORY)}
umask = 077
strip_ansi = true

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[include]
files = conf.d/*.conf
"""


def program_file(component: Component, logs: Path) -> str:
    """One component's file: the program, and the listener that restarts it when its health path fails.

    While the component is younger than its `ready_seconds` the listener lets it be.
    """
    head = f"[program:{component.name}]\nautostart = true"
    variables = {name: _quoted(value) for name, value in component.environment.items()}
    program = _program(component, variables, _quoted(logs / f"{component.name}.log"))
    return f"{head}\n{program}\n{_listener(component, [component.name], logs)}"


def switched_program_file(component: Component, logs: Path, ready: Path) -> str:
    """The file of a component with two processes of which one serves, on a socket that supervisord keeps open.

    Neither starts by itself. Each gets the socket as its descriptor 0, and says in a file of its own in the directory
    `ready` when it accepts requests.
    """
    name = component.name
    head = (
        f"[fcgi-program:{name}]\n"
        f"socket = tcp://{component.host}:{component.port}\n"
        f"numprocs = {len(SLOTS)}\n"
        f"process_name = {name}-%(process_num)d\n"
        "autostart = false"
    )
    # supervisord puts the number of the slot in.
    variables = {
        **{variable: _quoted(value) for variable, value in component.environment.items()},
        "AGENTS_LISTEN_FD": "0",
        "AGENTS_READY_FILE": f"{_quoted(ready / name)}-%(process_num)d.ready",
    }
    program = _program(component, variables, f"{_quoted(logs / name)}-%(process_num)d.log")
    return f"{head}\n{program}\n{_listener(component, [slot_name(name, slot) for slot in SLOTS], logs)}"


def slot_name(name: str, slot: int) -> str:
    """The name of one of the processes of a component that is switched."""
    return f"{name}-{slot}"


def _program(component: Component, variables: Mapping[str, str], log: str) -> str:
    """`variables` and `log` are quoted already: they may hold expansions of supervisord's own."""
    environment = ",".join(f'{name}="{value}"' for name, value in sorted(variables.items()))
    return f"""command = {_quoted(shlex.join(component.command))}
directory = {_quoted(REPOSITORY)}
environment = {environment}
autorestart = true
startsecs = {component.ready_seconds}
startretries = 3
stopsignal = TERM
stopwaitsecs = {component.stop_seconds}
stopasgroup = true
killasgroup = true
redirect_stderr = true
stdout_logfile = {log}
stdout_logfile_maxbytes = {LOG_BYTES}
stdout_logfile_backups = {LOG_BACKUPS}
"""


def _listener(component: Component, processes: Sequence[str], logs: Path) -> str:
    url = component.address + component.health_path
    watched = (option for process in processes for option in ("-p", process))
    health = (
        *(sys.executable, "-u", "-m", "superlance.httpok", "-E", *watched),
        *("-n", component.name, "-t", str(component.health_seconds), url),
    )
    return f"""[eventlistener:{listener_name(component.name)}]
command = {_quoted(shlex.join(health))}
directory = {_quoted(REPOSITORY)}
events = TICK_5
autostart = true
autorestart = true
startsecs = 0
stopwaitsecs = 2
stopasgroup = true
killasgroup = true
stdout_logfile = NONE
stderr_logfile = {_quoted(logs / f"{listener_name(component.name)}.log")}
stderr_logfile_maxbytes = {LOG_BYTES}
stderr_logfile_backups = {LOG_BACKUPS}
"""


def _quoted(value: Path | str) -> str:
    # supervisord expands %(...)s everywhere, also inside quotes.
    return str(value).replace("%", "%%")
