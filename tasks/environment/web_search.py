"""Whether the agent service may ask the web, and how much of it."""

from typing import Annotated

from pydantic import Field

from tasks.environment.section import Name, Section

VariableName = Annotated[
    str,
    Field(
        pattern=r"^[A-Z][A-Z0-9_]*$",
        description="the name of an environment variable: A-Z, 0-9 and _, starting with a letter",
    ),
]


class WebSearch(Section):
    """The web search server. Its key is in `key_variable` on a laptop, and is the secret `key_secret` on AWS.

    Without a key nothing is searched. `results` bounds the pages of a search, `text_characters` the text of each page,
    `page_bytes` what is downloaded of one, `seconds` one search or page; the rates are for all callers together.
    """

    key_variable: VariableName | None = None
    key_secret: Name | None = None
    results: Annotated[int, Field(ge=1, le=20)] = 5
    text_characters: Annotated[int, Field(ge=200, le=100_000)] = 4000
    page_bytes: Annotated[int, Field(ge=1024, le=50_000_000)] = 2_000_000
    seconds: Annotated[float, Field(gt=0, le=60)] = 10
    searches_per_minute: Annotated[int, Field(ge=1)] = 30
    pages_per_minute: Annotated[int, Field(ge=1)] = 60
    cache_seconds: Annotated[float, Field(ge=0)] = 900

    @property
    def limits(self) -> dict[str, float]:
        """All fields but those that say where the key is."""
        return self.model_dump(exclude={"key_variable", "key_secret"})
