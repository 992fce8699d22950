"""The LiteLLM gateway: configured, reached, proved, and asked what was spent."""

from dataclasses import dataclass

from pydantic import SecretStr


@dataclass(frozen=True)
class Gateway:
    """The base URL of the environment's gateway and a key that it lets in."""

    url: str
    key: SecretStr
