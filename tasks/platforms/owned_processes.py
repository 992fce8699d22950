"""Which processes of this machine belong to one supervisor, and how to end them.

supervisord gives every child the variable SUPERVISOR_SERVER_URL, and children hand it on. Whatever a component
started therefore carries the address of its supervisor, also after that supervisor was killed, and no
other process does: unlike a recorded process id, it cannot point at somebody else's process.
"""

import os
from collections.abc import Iterable, Iterator

import psutil

MARKER = "SUPERVISOR_SERVER_URL"


def owned_processes(supervisor_url: str) -> list[psutil.Process]:
    """The running processes below the supervisor at `supervisor_url`, without this one and those that lead to it."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [process for process in psutil.process_iter() if process.pid not in own and _marked(process, supervisor_url)]


def is_owned(pid: int, supervisor_url: str) -> bool:
    """Whether process `pid` was started, directly or not, by the supervisor at `supervisor_url`."""
    return psutil.pid_exists(pid) and _marked(psutil.Process(pid), supervisor_url)


def processes_with_argument(argument: str) -> list[psutil.Process]:
    """The processes of this user whose command line has exactly `argument` in it."""
    return [process for process in psutil.process_iter() if argument in _command_line(process)]


def stop_processes(processes: Iterable[psutil.Process], grace_seconds: float) -> None:
    """End `processes`: asked at first, killed when they still run after `grace_seconds`."""
    asked = list(processes)
    for process in _living(asked):
        process.terminate()
    _, left = psutil.wait_procs(asked, timeout=grace_seconds)
    for process in _living(left):
        process.kill()
    psutil.wait_procs(left, timeout=grace_seconds)


def _living(processes: Iterable[psutil.Process]) -> Iterator[psutil.Process]:
    for process in processes:
        try:
            if process.is_running():
                yield process
        except psutil.NoSuchProcess:
            continue


def _marked(process: psutil.Process, supervisor_url: str) -> bool:
    try:
        return process.environ().get(MARKER) == supervisor_url
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        # Gone meanwhile, or of another user, whose environment is not ours to see and which is not ours to end.
        return False


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return []
