"""The versions of the tables: each is a list of statements, applied in order, once, under a lock.

A released version is never edited; what changes comes as a new one. Versions only add, so that an older release works
on the tables of a newer one: during a rollout both run, and going back needs no way back for the tables. So a new
column has a default, and who writes a row names its columns. Statements are those that SQLite and PostgreSQL share.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

LOCK = 5_417_231
"""The number of PostgreSQL's advisory lock; any that no other client of the database takes."""

VERSIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE api_keys (
            prefix TEXT PRIMARY KEY,
            digest TEXT NOT NULL,
            owner TEXT NOT NULL,
            scopes TEXT NOT NULL,
            created_ms BIGINT NOT NULL,
            expires_ms BIGINT NOT NULL
        )""",
        """CREATE TABLE revocations (
            subject TEXT PRIMARY KEY,
            revoked_ms BIGINT NOT NULL
        )""",
        """CREATE TABLE conversations (
            owner TEXT NOT NULL,
            id TEXT NOT NULL,
            title TEXT NOT NULL,
            created_ms BIGINT NOT NULL,
            updated_ms BIGINT NOT NULL,
            PRIMARY KEY (owner, id)
        )""",
        "CREATE INDEX conversations_by_age ON conversations (updated_ms)",
        """CREATE TABLE turns (
            owner TEXT NOT NULL,
            conversation TEXT NOT NULL,
            position INTEGER NOT NULL,
            question TEXT NOT NULL,
            answer TEXT NOT NULL,
            trace_id TEXT NOT NULL,
            asked_ms BIGINT NOT NULL,
            PRIMARY KEY (owner, conversation, position),
            FOREIGN KEY (owner, conversation) REFERENCES conversations (owner, id) ON DELETE CASCADE
        )""",
        "CREATE INDEX turns_by_trace ON turns (trace_id)",
        """CREATE TABLE usage (
            caller TEXT NOT NULL,
            day TEXT NOT NULL,
            tokens BIGINT NOT NULL,
            PRIMARY KEY (caller, day)
        )""",
    ),
)


async def bring_up_to_date(connection: AsyncConnection) -> None:
    """Apply the versions that the database lacks, within the transaction of `connection`."""
    if connection.dialect.name == "postgresql":
        # SQLite's transactions exclude each other already.
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    await connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS versions (version INTEGER PRIMARY KEY)")
    applied = (await connection.exec_driver_sql("SELECT COALESCE(MAX(version), 0) FROM versions")).scalar_one()
    for version in range(applied, len(VERSIONS)):
        for statement in VERSIONS[version]:
            await connection.exec_driver_sql(statement)
        await connection.execute(text("INSERT INTO versions (version) VALUES (:version)"), {"version": version + 1})
