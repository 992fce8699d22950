"""State databases with rows of a day ago, written by the agent service's own classes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import URL, NullPool, create_engine, text

from agents.state.api_keys import ApiKey, ApiKeys, Revocations
from agents.state.conversations import Conversations, Turn
from agents.state.database import StateDatabase
from agents.state.settings import PostgresSettings, SqliteSettings
from agents.state.usage import Usage
from tests.postgres import PASSWORD, USER, PostgresServer

YESTERDAY = datetime.now(UTC) - timedelta(days=1)
YESTERDAY_MS = int(YESTERDAY.timestamp() * 1000)
TURN = Turn("What is it?", '{"answer": "This."}', "0" * 32, YESTERDAY_MS)


def postgres_settings(server: PostgresServer, database: str) -> PostgresSettings:
    """As the service opens a database of the tests' server."""
    return PostgresSettings("127.0.0.1", server.port, database, USER, server.password_file, "disable")


def postgres_place(server: PostgresServer, database: str) -> URL:
    """The same for SQLAlchemy."""
    return URL.create("postgresql+psycopg", USER, PASSWORD, "127.0.0.1", server.port, database)


def sqlite_place(path: Path) -> URL:
    """A file for SQLAlchemy."""
    return URL.create("sqlite", database=str(path))


async def fill(settings: SqliteSettings | PostgresSettings) -> None:
    """A key, a revocation, two conversations with three turns, and the tokens of a day."""
    database = StateDatabase(settings)
    key = ApiKey("abc", "d" * 64, "team", frozenset({"ask"}), created_ms=YESTERDAY_MS, expires_ms=2 * YESTERDAY_MS)
    await ApiKeys(database).add(key)
    await Revocations(database).revoke("ak_def")
    for conversation in ("one", "one", "two"):
        await Conversations(database).add_turn("team", conversation, TURN)
    await Usage(database).reserve("team", (YESTERDAY - timedelta(days=1)).date().isoformat(), 10, 100)
    async with database.transaction() as connection:
        # What the service dates itself is as old as the rest.
        await connection.execute(text("UPDATE conversations SET created_ms = :then"), {"then": YESTERDAY_MS})
        await connection.execute(text("UPDATE revocations SET revoked_ms = :then"), {"then": YESTERDAY_MS})
    await database.close()


def change(place: URL, statement: str, **values: object) -> None:
    """Have somebody change the database at `place`."""
    with create_engine(place, poolclass=NullPool).begin() as connection:
        connection.execute(text(statement), values)
