"""The drill of a laptop's state database, with real SQLite files."""

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from agents.state.settings import SqliteSettings
from tasks.restore_drill.laptop_state import drill_laptop_state
from tasks.restore_drill.report import Objective, Restoration
from tests.tasks.restore_drill.filled_state import YESTERDAY_MS, change, fill, sqlite_place

OBJECTIVE = Objective(point=timedelta(hours=48), time=timedelta(hours=1))


@pytest.fixture
async def state(tmp_path: Path) -> Path:
    path = tmp_path / "agents" / "state.db"
    await fill(SqliteSettings(path))
    return path


def drilled(state: Path) -> Restoration:
    found = drill_laptop_state.fn(state, state.with_name("copy.db"), OBJECTIVE)
    assert found is not None
    return found


def test_a_copy_is_kept_restored_beside_and_compared(state: Path) -> None:
    first = drilled(state)
    assert first.faults == ()
    assert "rows of turns: 3" in str(first.row["compared"])
    copy = state.with_name("copy.db")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert {path.name for path in state.parent.iterdir()} <= {"state.db", "state.db-wal", "state.db-shm", "copy.db"}


def test_work_that_the_last_copy_lacks_is_at_risk_since_then(state: Path) -> None:
    drilled(state)
    copy = state.with_name("copy.db")
    three_days_ago = copy.stat().st_mtime - 3 * 24 * 3600
    os.utime(copy, (three_days_ago, three_days_ago))
    assert drilled(state).at_risk == timedelta(), "nothing was written since"

    os.utime(copy, (three_days_ago, three_days_ago))
    change(sqlite_place(state), "INSERT INTO revocations VALUES ('ak_new', :then)", then=YESTERDAY_MS)
    late = drilled(state)
    assert late.at_risk >= timedelta(days=3)
    assert late.faults == ("the newest copy was missing the last 72 h of work",)
    assert drilled(state).at_risk == timedelta(), "the drill has made a copy"


def test_without_a_database_there_is_nothing_to_drill(tmp_path: Path) -> None:
    assert drill_laptop_state.fn(tmp_path / "state.db", tmp_path / "copy.db", OBJECTIVE) is None
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_is_damaged_is_a_fault_once_and_replaced(state: Path) -> None:
    drilled(state)
    state.with_name("copy.db").write_bytes(b"no database at all" * 100)
    assert drilled(state).faults == (
        "the copy of the drill before: expected 'readable', found 'file is not a database'",
    )
    assert drilled(state).faults == ()
