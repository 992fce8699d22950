"""Which database holds the state."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Tls = Literal["disable", "require", "verify-full"]


@dataclass(frozen=True)
class SqliteSettings:
    """A file, made with its directory when it is not there, which only its owner can read."""

    path: Path


@dataclass(frozen=True)
class PostgresSettings:
    """A database of a PostgreSQL server; `host` is a name, an address, or the directory of a Unix socket.

    The password is read from `password_file` for every new connection, so that a rotated one needs no restart.
    """

    host: str
    port: int
    database: str
    user: str
    password_file: Path | None
    tls: Tls
