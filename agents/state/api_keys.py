"""API keys, of which only a digest is kept, and who is not let in any more."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text

from agents.caller import SCOPES, Scope
from agents.state.clock import now_ms
from agents.state.database import StateDatabase


@dataclass(frozen=True)
class ApiKey:
    """A key under its `prefix`; `digest` is the SHA-256 of the whole key. Times are milliseconds since 1970."""

    prefix: str
    digest: str
    owner: str
    scopes: frozenset[Scope]
    created_ms: int
    expires_ms: int
    revoked_ms: int | None = None


class ApiKeys:
    """The keys in the state database. All methods raise `agents.state.database.StateUnavailable`."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    async def add(self, key: ApiKey) -> None:
        """Keep a new key."""
        statement = text(
            "INSERT INTO api_keys (prefix, digest, owner, scopes, created_ms, expires_ms)"
            " VALUES (:prefix, :digest, :owner, :scopes, :created, :expires)"
        )
        values = {
            "prefix": key.prefix,
            "digest": key.digest,
            "owner": key.owner,
            "scopes": " ".join(sorted(key.scopes)),
            "created": key.created_ms,
            "expires": key.expires_ms,
        }
        async with self._database.transaction() as connection:
            await connection.execute(statement, values)

    async def find(self, prefix: str) -> ApiKey | None:
        """The key called `prefix`, revoked and expired ones too."""
        found = await self._select("WHERE api_keys.prefix = :prefix", prefix=prefix)
        return found[0] if found else None

    async def listed(self, owner: str | None = None) -> list[ApiKey]:
        """All keys, or those of `owner`, the oldest first."""
        if owner is None:
            return await self._select("ORDER BY created_ms, api_keys.prefix")
        return await self._select("WHERE owner = :owner ORDER BY created_ms, api_keys.prefix", owner=owner)

    async def expire(self, prefix: str, expires_ms: int) -> None:
        """Let the key called `prefix` expire at `expires_ms`, or when it would have anyway if that is sooner."""
        statement = text("UPDATE api_keys SET expires_ms = :expires WHERE prefix = :prefix AND expires_ms > :expires")
        async with self._database.transaction() as connection:
            await connection.execute(statement, {"prefix": prefix, "expires": expires_ms})

    async def _select(self, condition: str, **values: str) -> list[ApiKey]:
        statement = text(
            "SELECT prefix, digest, owner, scopes, created_ms, expires_ms, revoked_ms FROM api_keys"  # noqa: S608 - ours
            f" LEFT JOIN revocations ON subject = 'ak_' || prefix {condition}"
        )
        async with self._database.transaction() as connection:
            return [_key(row) for row in await connection.execute(statement, values)]


def _key(row: Row[Any]) -> ApiKey:
    named = row.scopes.split()
    return ApiKey(
        prefix=row.prefix,
        digest=row.digest,
        owner=row.owner,
        # One that a newer release knows grants nothing here.
        scopes=frozenset(scope for scope in SCOPES if scope in named),
        created_ms=row.created_ms,
        expires_ms=row.expires_ms,
        revoked_ms=row.revoked_ms,
    )


class Revocations:
    """Who is not let in any more: `ak_<prefix>`, or the id of a caller."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    async def revoke(self, subject: str) -> None:
        """Do not let `subject` in any more, from now on; the first time counts."""
        statement = text(
            "INSERT INTO revocations (subject, revoked_ms) VALUES (:subject, :now) ON CONFLICT (subject) DO NOTHING"
        )
        async with self._database.transaction() as connection:
            await connection.execute(statement, {"subject": subject, "now": now_ms()})

    async def restore(self, subject: str) -> bool:
        """Let `subject` in again; whether it was revoked."""
        statement = text("DELETE FROM revocations WHERE subject = :subject")
        async with self._database.transaction() as connection:
            return (await connection.execute(statement, {"subject": subject})).rowcount > 0

    async def is_revoked(self, subject: str) -> bool:
        """Whether `subject` is not let in."""
        statement = text("SELECT 1 FROM revocations WHERE subject = :subject")
        async with self._database.transaction() as connection:
            return (await connection.execute(statement, {"subject": subject})).first() is not None
