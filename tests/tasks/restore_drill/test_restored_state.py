"""What was restored of a state database is held to what served, over SQLite and a real PostgreSQL."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL
from sqlalchemy.exc import OperationalError

from agents.state.settings import SqliteSettings
from agents.state.versions import VERSIONS
from tasks.restore_drill.state_contents import DATED, WRITTEN, compare_state, count_state
from tests.ports import free_port
from tests.postgres import PostgresServer
from tests.tasks.restore_drill.filled_state import (
    YESTERDAY_MS,
    change,
    fill,
    postgres_place,
    postgres_settings,
    sqlite_place,
)

ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
ADD_TURN = "INSERT INTO turns VALUES ('team', 'one', :position, '', '', '', :asked)"
DIFFERENCES: dict[str, tuple[str, str]] = {
    "lost rows": ("DELETE FROM turns WHERE conversation = 'two'", "rows of turns: expected '3 or more', found '2'"),
    "lost days": ("DELETE FROM usage", "rows of usage: expected '1 or more', found '0'"),
    "other rows": ("UPDATE api_keys SET created_ms = 1", "newest of api_keys: "),
    "a later moment": (
        "UPDATE revocations SET revoked_ms = 32503680000000",
        "later rows of revocations: expected '0', found '1'",
    ),
    "an older version": ("DELETE FROM versions", f"version of the tables: expected '{len(VERSIONS)}', found '0'"),
    "no table": ("DROP TABLE turns", "rows of turns: expected '3 or more', found '0'"),
}


@pytest.fixture(params=ENGINES)
async def live(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[URL, Callable[[], URL]]:
    """A filled database, and what restores it as it is into another one."""
    if request.param == "sqlite":
        path, beside = tmp_path / "state.db", tmp_path / "restored.db"
        await fill(SqliteSettings(path))
        return sqlite_place(path), lambda: sqlite_place(Path(shutil.copy(path, beside)))
    server: PostgresServer = request.getfixturevalue("postgres_server")
    database = server.make_database()
    await fill(postgres_settings(server, database))
    return postgres_place(server, database), lambda: postgres_place(server, server.restore(server.dump(database)))


def faults(live: URL, restored: URL, moment: datetime) -> list[str]:
    """How a report would name what differs."""
    lines = compare_state(count_state(live, moment), count_state(restored, moment))
    return [f"{each.what}: expected {each.wanted!r}, found {each.found!r}" for each in lines if not each.agrees]


def test_what_people_add_and_delete_after_the_moment_is_no_difference(live: tuple[URL, Callable[[], URL]]) -> None:
    place, restore = live
    restored, moment = restore(), datetime.now(UTC)
    tables = count_state(restored, moment).tables
    assert {name: table.rows for name, table in tables.items()} == {
        "api_keys": 1,
        "revocations": 1,
        "conversations": 2,
        "turns": 3,
        "usage": 1,
    }

    change(place, ADD_TURN, position=7, asked=int(moment.timestamp() * 1000) + 1)
    change(place, ADD_TURN, position=8, asked=int((moment + timedelta(hours=1)).timestamp() * 1000))
    change(place, "DELETE FROM conversations WHERE id = 'two'")
    change(place, "DELETE FROM turns WHERE conversation = 'two'")
    assert faults(place, restored, moment) == []


@pytest.mark.parametrize(("statement", "fault"), DIFFERENCES.values(), ids=DIFFERENCES.keys())
def test_what_was_not_restored_is_named(live: tuple[URL, Callable[[], URL]], statement: str, fault: str) -> None:
    place, restore = live
    restored = restore()
    change(restored, statement)
    assert any(fault in found for found in faults(place, restored, datetime.now(UTC)))


def test_every_table_of_the_service_is_counted(live: tuple[URL, Callable[[], URL]]) -> None:
    made = {word for version in VERSIONS for each in version for word in each.split("CREATE TABLE ")[1:]}
    assert {statement.split()[0] for statement in made} == {*WRITTEN, *DATED}
    contents = count_state(live[0], datetime.now(UTC))
    assert all(table.newest for table in contents.tables.values())


def test_a_moment_in_the_past_has_what_was_there(live: tuple[URL, Callable[[], URL]]) -> None:
    long_ago = datetime.fromtimestamp(YESTERDAY_MS / 1000, UTC) - timedelta(days=9)
    tables = count_state(live[0], long_ago).tables
    assert {table.rows for table in tables.values()} == {0}
    assert sum(table.later for table in tables.values()) == 8


def test_a_server_that_is_not_there_is_an_error_after_the_patience() -> None:
    nobody = URL.create("postgresql+psycopg", "agents", "secret", "127.0.0.1", free_port(), "state")
    for patience in (timedelta(), timedelta(milliseconds=10)):
        with pytest.raises(OperationalError) as raised:
            count_state(nobody, datetime.now(UTC), patience)
        assert "secret" not in str(raised.value)
