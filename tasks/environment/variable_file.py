"""From a variable file to an `Environment`, with one clear error for whatever is wrong with it."""

import json
import os
import re
from pathlib import Path

from pydantic import ValidationError

from tasks.environment import REPOSITORY, Environment, EnvironmentName
from tasks.environment.literals import NotLiteral, read_literals
from tasks.environment.refusals import explain

DIRECTORY_VARIABLE = "AGENTIC_EKS_ENVIRONMENTS"
SECRET = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----")


class InvalidEnvironment(Exception):
    """The variable file cannot be used: says which file, line and key, and what is allowed there."""


def variable_files_directory() -> Path:
    """Where the variable files lie: `infra/environments`, or the directory that AGENTIC_EKS_ENVIRONMENTS names.

    A team may keep its own files beside a clone that it does not change.
    """
    return Path(os.environ.get(DIRECTORY_VARIABLE) or REPOSITORY / "infra" / "environments")


def load_environment(name: EnvironmentName | str) -> Environment:
    """Read the variable file of the environment called `name`.

    Raises:
        InvalidEnvironment: there is no such file, it is not HCL, or a key, type or combination in it is wrong.
    """
    known = [environment.value for environment in EnvironmentName]
    if str(name) not in known:
        raise InvalidEnvironment(
            f"unknown environment {str(name)!r}; {variable_files_directory()} describes {', '.join(known)}"
        )
    path = variable_files_directory() / f"{name}.tfvars"
    environment = read_variable_file(path)
    if environment.name.value != str(name):
        raise InvalidEnvironment(f"{path}: environment.name = {environment.name.value!r} must be {str(name)!r}")
    return environment


def read_variable_file(path: Path) -> Environment:
    """Parse and validate one variable file.

    Raises:
        InvalidEnvironment: as for `load_environment`.
    """
    text = _text(path)
    try:
        literals = read_literals(text)
    except NotLiteral as error:
        raise InvalidEnvironment(f"{path}:{error}") from error
    try:
        # JSON mode is strict on scalars and still lets a list become a tuple and a string an enumeration.
        return Environment.model_validate_json(json.dumps(literals.values))
    except ValidationError as error:
        problems = explain(error, Environment.model_json_schema(), literals)
        raise InvalidEnvironment("\n".join(f"{path}:{problem}" for problem in problems)) from error


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidEnvironment(f"{path} cannot be read: {error.strerror}") from error
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidEnvironment(f"{path}:{line}: byte {content[error.start]:#04x} is not UTF-8; save it so") from error
    if text.startswith("\ufeff"):
        raise InvalidEnvironment(f"{path}:1: starts with a byte order mark; save the file as UTF-8 without one")
    if secret := SECRET.search(text):
        line = text.count("\n", 0, secret.start()) + 1
        raise InvalidEnvironment(
            f"{path}:{line}: holds an AWS access key or a private key; revoke it, and keep secrets in environment "
            "variables (locally) or Secrets Manager (on AWS): a variable file only names where they live"
        )
    return text
