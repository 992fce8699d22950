"""Helm as a process: what is left of it when a deadline passes, or when the worker is killed."""

import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tasks.helm.command import DeadlinePassed, Helm
from tests.tasks.conftest import until

SLEEP = Path(shutil.which("sleep") or "/bin/sleep")
WORKER = f"""
from pathlib import Path
from tasks.helm.command import Helm
Helm(Path({str(SLEEP)!r}), None).run("sleep", ["600"], 600)
"""


def running(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_a_command_that_takes_too_long_is_stopped() -> None:
    before = set(psutil.Process().children())
    with pytest.raises(DeadlinePassed, match="sleep: helm did not end within 1 s and was stopped"):
        Helm(SLEEP, None).run("sleep", ["600"], 1)
    assert not [process for process in psutil.Process().children() if process not in before and running(process)]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_helm_ends_with_a_worker_that_is_killed() -> None:
    def sleeping() -> list[psutil.Process]:
        return [child for child in psutil.Process(worker.pid).children() if child.name() == SLEEP.name]

    with subprocess.Popen([sys.executable, "-c", WORKER]) as worker:
        until(lambda: bool(sleeping()))
        (helm,) = sleeping()
        worker.kill()
        until(lambda: not running(helm))
    assert worker.returncode == -9
