"""What is downloaded or built once and kept for the runs after: below the user's cache directory."""

import os
from pathlib import Path


def cache_directory(purpose: str) -> Path:
    """Where the things of one `purpose` are kept, such as `charts`; nothing is made. XDG_CACHE_HOME moves it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "agentic-eks" / purpose
