"""What every section of a variable file has in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

NAME = r"^[a-z][a-z0-9-]*$"

Name = Annotated[str, Field(pattern=NAME, description="a name of a-z, 0-9 and -, starting with a letter")]
Text = Annotated[str, Field(pattern=r"\S", description="a string that is not empty")]


class Section(BaseModel):
    """A part of a variable file: unknown keys and wrong types are refused, values never change."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
