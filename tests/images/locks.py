"""The locks as what they pin."""

import re

from tasks.environment import REPOSITORY

REQUIREMENTS = REPOSITORY / "requirements"


def canonical(name: str) -> str:
    """https://packaging.python.org/en/latest/specifications/name-normalization/"""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(file: str) -> dict[str, str]:
    """The version of each distribution in a lock, by its canonical name."""
    text = (REQUIREMENTS / file).read_text(encoding="utf-8")
    return {canonical(name): version for name, version in re.findall(r"(?m)^([A-Za-z0-9._-]+)==([^ \\]+)", text)}


def named(file: str) -> set[str]:
    """The distributions that a list of requirements names itself, by canonical name."""
    lines = (REQUIREMENTS / file).read_text(encoding="utf-8").splitlines()
    return {canonical(re.split(r"[\[=<>;]", line)[0].strip()) for line in lines if line and not line.startswith("#")}
