"""The web search server's settings: one JSON file, derived from the environment file, named by AGENTS_SETTINGS."""

import os
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from agents.section import Section
from agents.settings_file import SETTINGS_VARIABLE, read_settings_file

TAVILY = "https://api.tavily.com"


class Limits(Section):
    """What one call may bring and cost.

    `results` is the most pages of a search; `text_characters` bounds the text of each page, `page_bytes` what is
    downloaded of one; `seconds` is for one search or one page with all its redirects. The two rates are for all callers
    together. The same search or page is not asked for again for `cache_seconds`.
    """

    results: Annotated[int, Field(ge=1, le=20)] = 5
    text_characters: Annotated[int, Field(ge=200, le=100_000)] = 4000
    page_bytes: Annotated[int, Field(ge=1024, le=50_000_000)] = 2_000_000
    seconds: Annotated[float, Field(gt=0, le=60)] = 10
    searches_per_minute: Annotated[int, Field(ge=1)] = 30
    pages_per_minute: Annotated[int, Field(ge=1)] = 60
    cache_seconds: Annotated[float, Field(ge=0)] = 900
    cache_entries: Annotated[int, Field(ge=1)] = 500


class WebSearchSettings(Section):
    """Everything the server is told.

    `allowed_hosts` are the values of the header Host under which it answers (`name:*` for any port); the key of Tavily
    is in the environment variable that `api_key_variable` names, and without one the web is not searched.
    """

    host: str
    port: Annotated[int, Field(ge=0, le=65535)]
    allowed_hosts: Annotated[list[str], Field(min_length=1)]
    api_url: Annotated[str, Field(pattern=r"^https?://.+")] = TAVILY
    api_key_variable: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")] = "TAVILY_API_KEY"
    limits: Limits = Field(default_factory=Limits)


def load_settings(environ: Mapping[str, str] = os.environ) -> WebSearchSettings:
    """Read the file that AGENTS_SETTINGS names. Raises `InvalidSettings`."""
    return read_settings_file(WebSearchSettings, SETTINGS_VARIABLE, environ)
