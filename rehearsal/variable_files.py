"""A copy of an environment's variable file, so that a rehearsal may change what an operator would change."""

import re
import shutil
from pathlib import Path

from tasks.environment import EnvironmentName
from tasks.environment.variable_file import variable_files_directory

_PROTECTED = re.compile(r"^(\s*protected\s*=\s*)true\b", re.MULTILINE)


def copy_variable_file(name: EnvironmentName, directory: Path) -> Path:
    """Copy the variable file of `name` into `directory`; returns the copy."""
    file = variable_files_directory() / f"{name.value}.tfvars"
    return Path(shutil.copyfile(file, directory / file.name))


def lift_protection(file: Path) -> None:
    """Make the environment unprotected in its variable file, as an operator does before a teardown.

    Raises:
        ValueError: the file does not say `protected = true`.
    """
    text, changed = _PROTECTED.subn(r"\1false", file.read_text(encoding="utf-8"))
    if changed != 1:
        raise ValueError(f"{str(file)!r} says {changed} times `protected = true`, which must be once")
    file.write_text(text, encoding="utf-8")
