"""How old the knowledge may be, and how Prefect is asked for a refresh."""

import os
from base64 import b64encode
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from agents.section import Section
from agents.settings_file import EnvironmentVariable, InvalidSettings, required_key


class PrefectCredentials(Section):
    """As whom Prefect is asked: by the API key of Prefect Cloud, or by a server's auth string (`user:password`)."""

    kind: Literal["api_key", "auth_string"]
    variable: EnvironmentVariable


class Refresh(Section):
    """The deployment (`<flow>/<name>`) at Prefect's API that refreshes the knowledge base."""

    api_url: Annotated[str, Field(pattern=r"^https?://.+")]
    deployment: Annotated[str, Field(pattern=r"^[^/]+/[^/]+$")]
    credentials: PrefectCredentials | None = None


class Freshness(Section):
    """How old the knowledge may be, and who refreshes it: once at most in `window_minutes` for the same sources."""

    objective_hours: Annotated[float, Field(gt=0)]
    window_minutes: Annotated[float, Field(gt=0)]
    refresh: Refresh | None = None


def prefect_authorization(refresh: Refresh, environ: Mapping[str, str] = os.environ) -> str | None:
    """The header Authorization for Prefect's API, as its own client makes it; None where nobody has to sign in.

    Source: https://docs.prefect.io/v3/advanced/security-settings

    Raises:
        InvalidSettings: the variable is not set or empty, or holds what no header can carry.
    """
    credentials = refresh.credentials
    if credentials is None:
        return None
    key = required_key(credentials.variable, refresh.api_url, environ)
    if credentials.kind == "auth_string":
        return f"Basic {b64encode(key.encode()).decode()}"
    # HTTP clients quote a header that they refuse, in errors that are logged.
    if not (key.isascii() and key.isprintable()):
        raise InvalidSettings(
            f"{credentials.variable} does not hold a valid API key: it has a line break, or a character beyond ASCII"
        )
    return f"Bearer {key}"
