"""Time as the state database keeps it."""

import time
from datetime import UTC, datetime

MS_PER_DAY = 24 * 60 * 60 * 1000


def now_ms() -> int:
    """Milliseconds since 1970, in UTC."""
    return time.time_ns() // 1_000_000


def moment(milliseconds: int) -> datetime:
    """The same moment for people and programs."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
