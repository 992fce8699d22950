"""Where a store lies, in the terms of its engine."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LanceSettings:
    """The embedded store, in a directory of its own."""

    directory: Path


@dataclass(frozen=True)
class OpenSearchSettings:
    """An OpenSearch server or domain at `endpoint` (`http(s)://host:port`).

    Indices are called `<index_prefix>-<generation>`; `shards` and `replicas` are those of each. Requests to a
    domain in a `region` of AWS are signed with the credentials of the process. One may take `seconds`.
    """

    endpoint: str
    index_prefix: str
    shards: int
    replicas: int
    region: str | None = None
    seconds: float = 30.0
