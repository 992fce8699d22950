"""The commit that runs, recorded in what the flows make."""

import shutil
import subprocess

from tasks.environment import REPOSITORY


def current_commit() -> str | None:
    """The full hash of the checked-out commit; None outside a git checkout, as in an image."""
    if shutil.which("git") is None or not (REPOSITORY / ".git").exists():
        return None
    answer = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=10
    )
    return answer.stdout.strip() or None
