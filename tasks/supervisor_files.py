"""The text of supervisord's configuration files: one for the daemon, one a component."""

import shlex
import sys
from pathlib import Path

from tasks.environment import REPOSITORY
from tasks.platforms import Component

LOG_BYTES = "5MB"
LOG_BACKUPS = 3


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
    url = component.address + component.health_path
    health = (
        *(sys.executable, "-u", "-m", "superlance.httpok", "-E"),
        *("-p", component.name, "-n", component.name, "-t", str(component.health_seconds), url),
    )
    variables = ",".join(f'{name}="{_quoted(value)}"' for name, value in sorted(component.environment.items()))
    return f"""[program:{component.name}]
command = {_quoted(shlex.join(component.command))}
directory = {_quoted(REPOSITORY)}
environment = {variables}
autostart = true
autorestart = true
startsecs = {component.ready_seconds}
startretries = 3
stopsignal = TERM
stopwaitsecs = {component.stop_seconds}
stopasgroup = true
killasgroup = true
redirect_stderr = true
stdout_logfile = {_quoted(logs / f"{component.name}.log")}
stdout_logfile_maxbytes = {LOG_BYTES}
stdout_logfile_backups = {LOG_BACKUPS}

[eventlistener:{listener_name(component.name)}]
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
