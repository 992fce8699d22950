"""What an embedding model could not do; apart from the model itself, which takes long to load."""

from dataclasses import dataclass


class EmbeddingFailed(Exception):
    """llama.cpp refused an input; carries its own words."""


@dataclass(frozen=True)
class Refused:
    """Why there is no vector of a text."""

    reason: str
