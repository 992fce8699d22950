"""What every section of a variable file has in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of a variable file: unknown keys and wrong types are refused, values never change."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
