"""The commit that runs, recorded in what the flows make, and the files of a commit."""

import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

from tasks.environment import REPOSITORY


class UnknownCommit(Exception):
    """The checkout does not have the commit, or is none."""


def current_commit() -> str | None:
    """The full hash of the checked-out commit; None outside a git checkout, as in an image."""
    if shutil.which("git") is None or not (REPOSITORY / ".git").exists():
        return None
    answer = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=10
    )
    return answer.stdout.strip() or None


def export_commit(commit: str, directory: Path, checkout: Path = REPOSITORY) -> None:
    """Write the files of `commit` below `directory`: what is committed, whatever else lies in the checkout.

    Raises:
        UnknownCommit: with what git says.
    """
    command = ["git", "archive", "--format=tar", commit]
    answer = subprocess.run(command, cwd=checkout, capture_output=True, check=False, timeout=60)
    if answer.returncode != 0:
        raise UnknownCommit(f"{checkout} has no commit {commit!r}: {answer.stderr.decode().strip()}")
    with tarfile.open(fileobj=BytesIO(answer.stdout)) as archive:
        archive.extractall(directory, filter="data")
