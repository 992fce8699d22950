"""How many tokens each caller has used in a day (UTC)."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from agents.state.database import StateDatabase


class Usage:
    """Counts in the state database, the same for all replicas. All methods raise `StateUnavailable`."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    async def reserve(self, caller: str, day: str, tokens: int, most: int) -> bool:
        """Add `tokens` to what `caller` used on `day`; False, and nothing is added, when that would be over `most`.

        One statement: two replicas cannot both give away what is left once.
        """
        statement = text(
            "INSERT INTO usage (caller, day, tokens) VALUES (:caller, :day, :tokens) ON CONFLICT (caller, day)"
            " DO UPDATE SET tokens = usage.tokens + :tokens WHERE usage.tokens + :tokens <= :most"
        )
        if tokens > most:
            return False
        values = {"caller": caller, "day": day, "tokens": tokens, "most": most}
        async with self._database.transaction() as connection:
            return (await connection.execute(statement, values)).rowcount > 0

    async def settle(self, caller: str, day: str, difference: int) -> None:
        """Correct what was reserved by `difference` (below zero: less was used)."""
        statement = text("UPDATE usage SET tokens = tokens + :difference WHERE caller = :caller AND day = :day")
        async with self._database.transaction() as connection:
            await connection.execute(statement, {"caller": caller, "day": day, "difference": difference})

    async def used(self, caller: str, day: str) -> int:
        """Tokens that `caller` used on `day`."""
        statement = text("SELECT tokens FROM usage WHERE caller = :caller AND day = :day")
        async with self._database.transaction() as connection:
            return (await connection.execute(statement, {"caller": caller, "day": day})).scalar_one_or_none() or 0

    async def forget_before(self, day: str) -> int:
        """Delete what was counted before `day`; returns how many counts that were."""
        statement = text("DELETE FROM usage WHERE day < :day")
        async with self._database.transaction() as connection:
            return (await connection.execute(statement, {"day": day})).rowcount


def today(now: datetime | None = None) -> str:
    """The day that is counted now, such as `2026-03-01`."""
    return (now or datetime.now(UTC)).date().isoformat()


def seconds_to_tomorrow() -> int:
    """How long today still lasts, rounded up."""
    now = datetime.now(UTC)
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((tomorrow - now).total_seconds()) + 1
