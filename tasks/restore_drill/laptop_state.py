"""The drill of a laptop's state database: a copy of the SQLite file, restored beside, has to hold the same.

See https://www.sqlite.org/backup.html
"""

import os
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError

from tasks.drift.compared import Compared
from tasks.restore_drill.report import Objective, Restoration
from tasks.restore_drill.state_contents import StateContents, compare_state, count_state

REMEDY = (
    "The state database was not touched, and now there is a new copy of it. If rows are missing, look at the disk; if "
    "the newest copy was missing too much work, run the drill more often (`knowledge.recovery.schedule`), or "
    "promise less in `point_hours` and `time_minutes`"
)


@task(task_run_name="restore-laptop-state-beside", cache_policy=NO_CACHE, persist_result=False)
def drill_laptop_state(state: Path, copy: Path, objective: Objective) -> Restoration | None:
    """Copy the file `state` to `copy` while it serves, restore the copy beside, and compare; None where none is yet.

    Raises:
        sqlite3.Error, DatabaseError: the file that serves, or the new copy, cannot be read or written, or is no
            database. An old copy of that kind is a fault of the restoration, and gets replaced.
    """
    if not state.exists():
        return None
    moment = datetime.now(UTC)
    wanted = _count(state, moment)
    at_risk, unreadable = _at_risk(copy, wanted, moment)
    with tempfile.TemporaryDirectory(prefix=".drill-", dir=copy.parent) as scratch:
        unfinished, beside = Path(scratch) / "copy.db", Path(scratch) / "restored.db"
        _back_up(state, unfinished)
        unfinished.rename(copy)
        began = monotonic()
        _back_up(copy, beside)
        compared = compare_state(wanted, _count(beside, moment))
        took = timedelta(seconds=monotonic() - began)
    return Restoration("state", f"a copy of {state.name}", objective, at_risk, took, (*unreadable, *compared), REMEDY)


def _at_risk(copy: Path, wanted: StateContents, now: datetime) -> tuple[timedelta, tuple[Compared, ...]]:
    """The age of the last copy, when it lacks something by now, and its fault; the first drill of all finds none."""
    if not copy.exists():
        return timedelta(), ()
    age = now - datetime.fromtimestamp(copy.stat().st_mtime, UTC)
    try:
        return timedelta() if _count(copy, now) == wanted else age, ()
    except DatabaseError as error:
        return age, (Compared("the copy of the drill before", "readable", str(error.orig)),)


def _count(database: Path, moment: datetime) -> StateContents:
    return count_state(URL.create("sqlite", database=str(database)), moment)


def _back_up(source: Path, target: Path) -> None:
    """Copy a database in one piece, whoever writes to it meanwhile; only the owner can read the copy."""
    os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=rw", uri=True)) as opened,
        closing(sqlite3.connect(target)) as copied,
    ):
        opened.backup(copied)
