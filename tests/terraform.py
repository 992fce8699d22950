"""Terraform for the tests."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tasks.environment import REPOSITORY

INFRA = REPOSITORY / "infra"
WITHIN_SECONDS = 600


def copy_of(source: Path, directory: Path) -> Path:
    """A copy with files in the place of links, and without what Terraform left there."""
    return shutil.copytree(source, directory / source.name, ignore=shutil.ignore_patterns(".terraform*"))


def copy_of_infra(directory: Path) -> Path:
    """A copy of the Terraform root that keeps its state in a file, so that the checkout stays clean."""
    copy = copy_of(INFRA, directory)
    (copy / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n', encoding="utf-8")
    return copy


def run_terraform(root: Path, command: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Run one command in `root` and return what it prints.

    Raises:
        AssertionError: it fails; with all of its output.
    """
    done = subprocess.run(
        ["terraform", f"-chdir={root}", command, "-no-color", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=WITHIN_SECONDS,
        env={**os.environ, **(environment or {})},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
