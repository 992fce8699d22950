"""Starts the child program, which runs a flow with one fault in it, or with none."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tasks.environment import REPOSITORY
from tests.crash.faults import Case

RUN_SECONDS = 240


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
    return ended(start_child(flow, case, environ, cwd=cwd, given=given))


def ended(child: "subprocess.Popen[str]") -> tuple[int, str]:
    """The exit code and output of a child, once it has ended; raises as `run_child` does."""
    with child as process:
        try:
            output, _ = process.communicate(timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return process.returncode, output


def in_checkout(checkout: Path, api_url: str) -> dict[str, str]:
    """The variables of a child that works in a copy of the repository, with the faults of this one."""
    return {**os.environ, "PREFECT_API_URL": api_url, "PYTHONPATH": f"{checkout}:{REPOSITORY}"}
