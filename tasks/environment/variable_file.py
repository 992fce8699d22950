"""From a variable file to an `Environment`, with one clear error for whatever is wrong with it."""

import json
from pathlib import Path

import hcl2
from hcl2 import SerializationOptions
from lark.exceptions import LarkError
from pydantic import ValidationError

from tasks.environment import REPOSITORY, Environment, EnvironmentName

DIRECTORY = REPOSITORY / "infra" / "environments"


class InvalidEnvironment(Exception):
    """The variable file cannot be used: says which file, which key, and what is allowed there."""


def load_environment(name: EnvironmentName | str) -> Environment:
    """Read the variable file of the environment called `name`.

    Raises:
        InvalidEnvironment: there is no such file, it is not HCL, or a key, type or combination in it is wrong.
    """
    path = DIRECTORY / f"{name}.tfvars"
    known = sorted(file.stem for file in DIRECTORY.glob("*.tfvars"))
    if str(name) not in known:
        raise InvalidEnvironment(f"unknown environment {str(name)!r}; {DIRECTORY} describes {known!r}")
    environment = read_variable_file(path)
    if environment.name.value != str(name):
        raise InvalidEnvironment(f"{path}: environment.name = {environment.name.value!r} must be {str(name)!r}")
    return environment


def read_variable_file(path: Path) -> Environment:
    """Parse and validate one variable file.

    Raises:
        InvalidEnvironment: as for `load_environment`.
    """
    options = SerializationOptions(with_comments=False, strip_string_quotes=True, preserve_heredocs=False)
    try:
        with path.open(encoding="utf-8") as file:
            values = hcl2.load(file, serialization_options=options)
    except (LarkError, UnicodeDecodeError) as error:
        raise InvalidEnvironment(f"{path} is not a Terraform variable file: {error}") from error
    try:
        # JSON mode is strict on scalars and still lets a list become a tuple and a string an enumeration.
        return Environment.model_validate_json(json.dumps(values))
    except ValidationError as error:
        raise InvalidEnvironment(f"{path} is refused:\n" + "\n".join(_lines(error))) from error


def _lines(error: ValidationError) -> list[str]:
    lines: list[str] = []
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in problem["loc"]) or "(the whole file)"
        given = "" if isinstance(problem["input"], dict) else f", got {problem['input']!r}"
        lines.append(f"  {key}: {problem['msg']}{given}")
    return lines
