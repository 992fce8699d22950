"""Settings come as one JSON file, which an environment variable names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, Field, ValidationError

SETTINGS_VARIABLE = "AGENTS_SETTINGS"
"""Names the file, for each program of the image its own."""
EnvironmentVariable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
"""The name of the variable that holds a secret."""

Model = TypeVar("Model", bound=BaseModel)


class InvalidSettings(Exception):
    """A program cannot start with these settings; says which file, which key and what is allowed."""


def read_settings_file(model: type[Model], variable: str, environ: Mapping[str, str]) -> Model:
    """What the file that `variable` names holds.

    Raises:
        InvalidSettings: the variable is not set, the file cannot be read, or a key or value in it is wrong.
    """
    if not (path := environ.get(variable)):
        raise InvalidSettings(f"{variable} is not set; it names the settings file (JSON)")
    try:
        return model.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        raise InvalidSettings(f"{variable} = {path!r} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise InvalidSettings(f"{path} is refused: {error}") from error


def required_key(variable: str, of: str, environ: Mapping[str, str]) -> str:
    """The key of what is at the address `of`.

    Raises:
        InvalidSettings: the variable is not set or empty.
    """
    if not (key := environ.get(variable)):
        raise InvalidSettings(f"{variable} is not set; it holds a key of {of}")
    return key
