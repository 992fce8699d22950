"""What a state database of the agent service holds, counted so that one that was restored can be held to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import stamina
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.inspection import inspect

from agents.state.clock import moment as as_moment
from tasks.drift.compared import Compared

# When a row came, in milliseconds since 1970. Not when it last changed: the row would move from one side to the other.
WRITTEN = {"api_keys": "created_ms", "revocations": "revoked_ms", "conversations": "created_ms", "turns": "asked_ms"}
DATED = {"usage": "day"}
VERSIONS = "versions"
# A row is dated before it is committed, and by another clock than the server's.
SETTLED = timedelta(minutes=1)
MOST_SECONDS_BETWEEN_TRIES = 5.0
Ordered = TypeVar("Ordered", int, str)


@dataclass(frozen=True)
class TableContents:
    """The rows of a table that were there at a moment, when the newest of them came, and how many came later."""

    rows: int
    newest: str
    later: int


@dataclass(frozen=True)
class StateContents:
    """All tables at a moment; `version` is that of `agents.state.versions`, 0 where there is none."""

    version: int
    tables: Mapping[str, TableContents]


def count_state(place: URL, moment: datetime, patience: timedelta = timedelta()) -> StateContents:
    """Count what the database at `place` had at `moment`, without changing it; a missing table has no rows.

    Rows of the minute before `moment` count as neither.

    Raises:
        OperationalError: the database does not let us in, also after trying for as long as `patience`.
    """
    engine = create_engine(place, poolclass=NullPool)
    if not patience:
        return _count_tables(engine, moment)
    retried = stamina.RetryingCaller(attempts=None, timeout=patience, wait_max=MOST_SECONDS_BETWEEN_TRIES)
    return retried(OperationalError, _count_tables, engine, moment)


def compare_state(wanted: StateContents, restored: StateContents) -> tuple[Compared, ...]:
    """Hold what was restored to what served at the same moment.

    People delete conversations, and what served is counted after the moment: what was restored may hold more.
    """
    lines = [Compared("version of the tables", str(wanted.version), str(restored.version))]
    for name, table in wanted.tables.items():
        found = restored.tables[name]
        lines += [
            _at_least(f"rows of {name}", table.rows, found.rows),
            _at_least(f"newest of {name}", table.newest, found.newest),
            Compared(f"later rows of {name}", "0", str(found.later)),
        ]
    return tuple(lines)


def _count_tables(engine: Engine, moment: datetime) -> StateContents:
    with engine.connect() as connection:
        there = set(inspect(connection).get_table_names())
        version = f"SELECT COALESCE(MAX(version), 0) FROM {VERSIONS}"  # noqa: S608 - ours
        return StateContents(
            connection.execute(text(version)).scalar_one() if VERSIONS in there else 0,
            {name: _count(connection, name, moment, name in there) for name in (*WRITTEN, *DATED)},
        )


def _count(connection: Connection, name: str, moment: datetime, there: bool) -> TableContents:
    if not there:
        return TableContents(0, "", 0)
    column = WRITTEN.get(name) or DATED[name]
    rows = f"SELECT COUNT(*), MAX({column}) FROM {name} WHERE {column} <= :until"  # noqa: S608 - ours
    later = f"SELECT COUNT(*) FROM {name} WHERE {column} > :until"  # noqa: S608 - ours
    count, newest = connection.execute(text(rows), {"until": _until(name, moment - SETTLED)}).one()
    after = connection.execute(text(later), {"until": _after(name, moment + SETTLED)}).scalar_one()
    shown = "" if newest is None else newest if name in DATED else as_moment(newest).isoformat(timespec="milliseconds")
    return TableContents(count, shown, after)


def _until(name: str, moment: datetime) -> int | str:
    """The last value that is settled: a day is when it has ended."""
    if name in DATED:
        return (moment - timedelta(days=1)).date().isoformat()
    return _milliseconds(moment)


def _after(name: str, moment: datetime) -> int | str:
    return moment.date().isoformat() if name in DATED else _milliseconds(moment)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _at_least(what: str, wanted: Ordered, found: Ordered) -> Compared:
    return Compared(what, str(found) if found >= wanted else f"{wanted} or more", str(found))
