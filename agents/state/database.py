"""One database, two engines: connections, transactions, and the version of its tables."""

import asyncio
import errno
import os
import sqlite3
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, event
from sqlalchemy.exc import DBAPIError, TimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from agents.state.settings import PostgresSettings, SqliteSettings
from agents.state.versions import bring_up_to_date

CONNECT_SECONDS = 3
STATEMENT_SECONDS = 5
TRANSACTION_SECONDS = CONNECT_SECONDS + STATEMENT_SECONDS
"""A server that falls silent says nothing of `STATEMENT_SECONDS`, which it alone keeps; this limit is kept here."""
LET_GO_SECONDS = 1
"""When one is cut off, the driver asks the server to cancel the statement, and would wait 10 s for that.

Told so a second time, it closes the connection.
"""
UNACKNOWLEDGED_MS = 5000
"""What was sent and is not acknowledged for so long ends a connection; the kernel itself would try for 15 minutes."""
KEEPALIVES_IDLE_SECONDS, KEEPALIVES_INTERVAL_SECONDS, KEEPALIVES_COUNT = 5, 2, 2
"""One in the pool, on which nothing is sent, ends as soon: before a transaction has to find out that it is dead."""
MOST_CONNECTIONS = 10


class StateUnavailable(Exception):
    """The state database does not answer, or there is none."""


class StateDatabase:
    """A pool of connections; connects to nothing before its first transaction, which brings the tables up to date."""

    def __init__(self, settings: SqliteSettings | PostgresSettings) -> None:
        self._where = _where(settings)
        self._engine = _sqlite(settings) if isinstance(settings, SqliteSettings) else _postgres(settings)
        # A file does not fall silent; SQLite's own limit is for the lock that others hold.
        self._seconds = None if isinstance(settings, SqliteSettings) else TRANSACTION_SECONDS
        self._current = False

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction, committed at the end of the block, and rolled back when the block raises.

        Raises:
            StateUnavailable: the database cannot be reached, is busy, fell silent, or broke off.
        """
        try:
            # A connection that is cut off does not go back to the pool: the engine invalidates it.
            async with _limit(self._seconds), self._engine.begin() as connection:
                if not self._current:
                    await bring_up_to_date(connection)
                yield connection
        except (DBAPIError, TimeoutError, OSError) as error:
            # The statement and its values are left out: they hold what people asked.
            reason = error.orig if isinstance(error, DBAPIError) else error
            raise StateUnavailable(f"the state database {self._where} failed: {reason!r}") from error
        self._current = True

    async def check(self) -> None:
        """Return when the database answers; raises as `transaction` does."""
        async with self.transaction() as connection:
            await connection.exec_driver_sql("SELECT 1")

    async def close(self) -> None:
        """Close the connections."""
        await self._engine.dispose()


@asynccontextmanager
async def _limit(seconds: float | None) -> AsyncGenerator[None]:
    last = None if seconds is None else seconds + LET_GO_SECONDS
    async with asyncio.timeout(last), asyncio.timeout(seconds):
        yield


def _where(settings: SqliteSettings | PostgresSettings) -> str:
    if isinstance(settings, SqliteSettings):
        return repr(str(settings.path))
    return f"{settings.database!r} at {settings.host}:{settings.port}"


def _sqlite(settings: SqliteSettings) -> AsyncEngine:
    engine = create_async_engine(URL.create("sqlite+aiosqlite", database=str(settings.path)))

    def prepare(connection: Any, record: Any) -> None:
        # The driver would begin transactions on its own terms, which leave out CREATE TABLE.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (f"busy_timeout={STATEMENT_SECONDS * 1000}", "journal_mode=WAL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begin(connection: Any) -> None:
        # A transaction that reads first and writes later would fail when another wrote in between.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def make_file(*_: Any) -> None:
        # One that is there is not even opened: closing it would give up the locks that this process holds on it.
        if not settings.path.exists():
            settings.path.parent.mkdir(parents=True, exist_ok=True)
            _make_write_ahead_file(settings.path)
        elif not settings.path.is_file() or not os.access(settings.path, os.R_OK | os.W_OK):
            # Where it cannot open one, the driver's thread outlives the loop of a short command, and says so.
            raise OSError(errno.EACCES, "is no file that can be read and written", str(settings.path))

    _listen(engine.sync_engine, connect=prepare, begin=begin, do_connect=make_file)
    return engine


def _make_write_ahead_file(path: Path) -> None:
    """An empty database that nobody else can read, and that has its journal's mode before anybody else sees it.

    SQLite changes the mode of a file that others use without waiting for them: it fails at once.
    """
    with tempfile.TemporaryDirectory(dir=path.parent) as directory:
        made = Path(directory) / path.name
        made.touch(mode=0o600)
        with closing(sqlite3.connect(made)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        with suppress(FileExistsError):
            os.link(made, path)


def _postgres(settings: PostgresSettings) -> AsyncEngine:
    url = URL.create("postgresql+psycopg", settings.user, None, None, settings.port, settings.database)
    engine = create_async_engine(
        url,
        pool_size=MOST_CONNECTIONS,
        max_overflow=0,
        pool_timeout=STATEMENT_SECONDS,
        pool_pre_ping=True,  # a failover leaves dead connections in the pool
        connect_args={
            "host": settings.host,
            "sslmode": settings.tls,
            "connect_timeout": CONNECT_SECONDS,
            "tcp_user_timeout": UNACKNOWLEDGED_MS,
            "keepalives_idle": KEEPALIVES_IDLE_SECONDS,
            "keepalives_interval": KEEPALIVES_INTERVAL_SECONDS,
            "keepalives_count": KEEPALIVES_COUNT,
            "options": f"-c statement_timeout={STATEMENT_SECONDS}s -c timezone=UTC",
            "application_name": "agents",
        },
    )

    def add_password(dialect: Any, record: Any, arguments: Any, parameters: dict[str, Any]) -> None:
        if settings.password_file is not None:
            parameters["password"] = settings.password_file.read_text(encoding="utf-8").strip()

    _listen(engine.sync_engine, do_connect=add_password)
    return engine


def _listen(engine: Engine, **listeners: Any) -> None:
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
