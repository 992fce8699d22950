"""A laptop of the tests' own: a copy of the checkout, brought up once by the command that a person types."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tasks.environment import REPOSITORY
from tasks.environment.variable_file import DIRECTORY_VARIABLE, read_variable_file
from tasks.platforms.local import LocalPlatform, laptop_of
from tasks.platforms.owned_processes import owned_processes
from tests.local_environment import write_local_environment

PARTS = ("agents", "console", "flows", "golden", "helm-values", "infra", "tasks")
UP_SECONDS = 900
HARBOUR = """# Harbour rules

## When does the harbour open?

The harbour of Lindesnes opens at six in the morning and closes at ten in the evening.

## Who pays the mooring fee?

Every vessel longer than eight metres pays a mooring fee of forty crowns a night.
"""

Outcome = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Laptop:
    """A checkout with its data beside it; `first_up` is how bringing it up from nothing went."""

    checkout: Path
    corpus: Path
    variables: Mapping[str, str]
    platform: LocalPlatform
    first_up: Outcome

    def run(self, *command: str, seconds: float = UP_SECONDS) -> Outcome:
        """Run a command in the root of the checkout, as a person would."""
        return _run(self.checkout, self.variables, *command, seconds=seconds)

    def console(self, *arguments: str) -> Outcome:
        """One of the commands that `make` wraps."""
        return self.run(sys.executable, "-m", "console", *arguments)

    def prefect(self, *arguments: str) -> Outcome:
        """The prefect command, which finds the server by the file that `up` leaves in the checkout."""
        return self.run(str(Path(sys.executable).with_name("prefect")), *arguments)

    def status(self) -> dict[str, dict[str, Any]]:
        """The components by name."""
        return {
            component["name"]: component for component in json.loads(self.console("status", "--format", "json").stdout)
        }

    def pids(self) -> dict[str, int]:
        """The process of each component."""
        return {name: component["pid"] for name, component in self.status().items()}

    def processes(self) -> list[psutil.Process]:
        """Everything that the laptop's supervisor started, directly or not."""
        return owned_processes(self.platform.supervisor.url)


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory, model_files: Path) -> Iterator[Laptop]:
    """The local platform, up on a small corpus; model files are those of the session."""
    root = tmp_path_factory.mktemp("laptop")
    checkout, data, corpus = root / "checkout", root / "state", root / "corpus"
    ignored = shutil.ignore_patterns("__pycache__", ".terraform")
    for name in PARTS:
        shutil.copytree(REPOSITORY / name, checkout / name, ignore=ignored)
    shutil.copy(REPOSITORY / "prefect.yaml", checkout)
    corpus.mkdir()
    (corpus / "harbour.md").write_text(HARBOUR, encoding="utf-8")
    data.mkdir()
    (data / "models").symlink_to(model_files)
    environments = write_local_environment(root / "environments", data)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    variables = {**inherited, DIRECTORY_VARIABLE: str(environments), "COLUMNS": "160"}
    platform = LocalPlatform(laptop_of(read_variable_file(environments / "local.tfvars")))
    try:
        up = _run(checkout, variables, sys.executable, "-m", "console", "up", "--knowledge", str(corpus))
        yield Laptop(checkout, corpus, variables, platform, up)
    finally:
        platform.stop()


def _run(checkout: Path, variables: Mapping[str, str], *command: str, seconds: float = UP_SECONDS) -> Outcome:
    return subprocess.run(
        command,
        cwd=checkout,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
