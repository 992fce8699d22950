"""Starts the child program, which runs a flow with one fault in it, or with none."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from tasks.environment import REPOSITORY
from tests.crash.faults import STRUCK, Case

RUN_SECONDS = 600


def start_child(
    flow: str,
    case: Case | None,
    environ: Mapping[str, str],
    *,
    cwd: Path = REPOSITORY,
    given: Mapping[str, object] | None = None,
) -> "subprocess.Popen[str]":
    """The flow in a process of its own, which is told what else is `given`; its output is one stream."""
    told = {"flow": flow, "case": case.as_arguments() if case else None, **(given or {})}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.crash.child", json.dumps(told)],
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run_child(
    flow: str,
    case: Case | None,
    environ: Mapping[str, str],
    *,
    cwd: Path = REPOSITORY,
    given: Mapping[str, object] | None = None,
) -> tuple[int, str]:
    """Run the flow as `start_child` does; returns its exit code and output.

    Raises:
        TimeoutExpired: it did not end in time; it was killed.
    """
    return ended(start_child(flow, case, environ, cwd=cwd, given=given), case)


def ended(child: "subprocess.Popen[str]", case: Case | None = None) -> tuple[int, str]:
    """The exit code and output of a child, once it has ended; raises as `run_child` does.

    A child that never came to the point of its `case` proves nothing, whatever its exit code is.
    """
    with child as process:
        try:
            output, _ = process.communicate(timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert case is None or STRUCK in output, f"the run never came to {case}:\n{output}"
    return process.returncode, output


def in_checkout(checkout: Path, api_url: str) -> dict[str, str]:
    """The variables of a child that works in a copy of the repository, with the faults of this one."""
    return {**os.environ, "PREFECT_API_URL": api_url, "PYTHONPATH": f"{checkout}:{REPOSITORY}"}


def title_of(process: psutil.Process) -> str:
    """Its command line; empty when it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""
