"""A checkout of its own for a test that runs flows, which work in the checkout that they lie in."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.environment import REPOSITORY

RunPython = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of the test's own."""
    return checked_out(tmp_path / "checkout")


def checked_out(root: Path) -> Path:
    """A copy of the parts of the repository that flows need, at `root`."""
    ignored = shutil.ignore_patterns("__pycache__", ".terraform")
    for name in ("agents", "tasks", "flows", "console", "infra", "helm-values"):
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, root / name, ignore=ignored)
    shutil.copy(REPOSITORY / "prefect.yaml", root)
    return root


@pytest.fixture
def run_python(prefect_server: str, checkout: Path) -> RunPython:
    """Run `python <arguments>` in the checkout against the session's Prefect server, and wait for it."""

    def run(*arguments: str, seconds: float = 600) -> "subprocess.CompletedProcess[str]":
        environment = {
            **os.environ,
            "PREFECT_API_URL": prefect_server,
            "PREFECT_HOME": str(checkout.parent / "prefect"),
            "PWD": str(checkout),
            "DO_NOT_TRACK": "1",
        }
        command = [sys.executable, *arguments]
        return subprocess.run(
            command,
            cwd=checkout,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    return run
