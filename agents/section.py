"""What every part of the service's settings has in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the settings: unknown keys and wrong types are refused, values never change."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
