"""What is taken off a caller's tokens before an answer is given back when nobody is there any more to answer."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from agents.caller import LOCAL
from agents.events import Event
from agents.limits.allowance import Allowance
from agents.limits.budget import Budget
from agents.state.database import StateDatabase
from agents.state.settings import SqliteSettings
from agents.state.usage import Usage, today


class SlowDatabase(StateDatabase):
    """Says only when `told` is set that it committed."""

    def __init__(self, settings: SqliteSettings) -> None:
        super().__init__(settings)
        self.committed, self.told = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        async with super().transaction() as connection:
            yield connection
        self.committed.set()
        await self.told.wait()


async def nothing() -> AsyncGenerator[Event]:
    for event in list[Event]():
        yield event


async def goes_away_meanwhile(database: SlowDatabase, allowance: Allowance) -> None:
    """Asks, is gone before the database says whether there is enough, and waits until all is settled."""
    events = allowance.metered(LOCAL, Budget(60, 100, 0, 0), nothing())

    async def first() -> Event | None:
        return await anext(events, None)

    answering = asyncio.create_task(first())
    await database.committed.wait()
    answering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answering
    database.told.set()
    await allowance.settled()


async def test_who_goes_away_while_tokens_are_reserved_pays_nothing(tmp_path: Path) -> None:
    database = SlowDatabase(SqliteSettings(tmp_path / "state.db"))
    usage = Usage(database)
    await goes_away_meanwhile(database, Allowance(usage, 1000, 100))
    assert await usage.used(LOCAL.id, today()) == 0
    await database.close()


async def test_who_goes_away_and_had_too_little_left_is_given_nothing(tmp_path: Path) -> None:
    database = SlowDatabase(SqliteSettings(tmp_path / "state.db"))
    usage = Usage(database)
    database.told.set()
    assert await usage.reserve(LOCAL.id, today(), 950, 1000)
    database.told.clear()
    database.committed.clear()
    await goes_away_meanwhile(database, Allowance(usage, 1000, 100))
    assert await usage.used(LOCAL.id, today()) == 950
    await database.close()
