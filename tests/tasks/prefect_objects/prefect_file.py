"""A repository whose `prefect.yaml` was edited, and what a deploy changes."""

from collections.abc import Sequence
from pathlib import Path

from tasks.prefect_objects import PREFECT_FILE, Change


def changed(changes: Sequence[Change]) -> list[Change]:
    return [change for change in changes if change.action != "unchanged"]


def edited(directory: Path, old: str, new: str) -> Path:
    text = PREFECT_FILE.read_text(encoding="utf-8")
    assert old in text
    file = directory / "prefect.yaml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file
