"""The parts of access, put together from their settings."""

from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from agents.access.load_balancer import LoadBalancerTokens
from agents.access.operator_key import OperatorKey
from agents.access.rate_limit import LocalRateLimit, Rate, RateLimit, SharedRateLimit
from agents.access.settings import Access, Valkey
from agents.access.sign_in import SignedIn
from agents.access.valkey import open_valkey
from agents.state.conversations import Conversations
from agents.state.database import StateDatabase


class NotShared(Exception):
    """Replicas do not share what they should; says what they do instead."""


@dataclass(frozen=True)
class SharedCounts:
    """The Valkey that replicas count in."""

    settings: Valkey
    client: Redis

    async def check(self) -> None:
        """Raises `NotShared` when it does not answer."""
        try:
            await self.client.execute_command("PING")
        except (RedisError, OSError) as error:
            where = f"{self.settings.host}:{self.settings.port}"
            raise NotShared(f"Valkey at {where} failed ({error}): each replica counts requests for itself") from error


@dataclass(frozen=True)
class AccessControl:
    """Who may use the service, and how much of it. What is None is not wanted, or has no database to lie in."""

    database: StateDatabase | None
    tokens: LoadBalancerTokens | None
    callers: SignedIn | None
    conversations: Conversations | None
    counts: SharedCounts | None
    rate_limit: RateLimit | None

    async def close(self) -> None:
        """Release connections."""
        if self.tokens is not None:
            await self.tokens.close()
        if self.counts is not None:
            await self.counts.client.aclose()
        if self.database is not None:
            await self.database.close()


def assemble_access(settings: Access, environment: str) -> AccessControl:
    """Put the parts together; nothing is connected yet."""
    database = StateDatabase(settings.state.opened_with()) if settings.state is not None else None
    balancer = settings.sign_in.load_balancer if settings.sign_in.required else None
    tokens = LoadBalancerTokens(balancer) if balancer is not None else None
    key_file = settings.sign_in.operator_key_file
    operator_key = None if key_file is None else OperatorKey(Path(key_file))
    per_minute = settings.allowance.requests_per_minute
    counts = rate_limit = None
    if per_minute is not None:
        rate = Rate(60 / per_minute, settings.allowance.burst)
        if settings.valkey is None:
            rate_limit = LocalRateLimit(rate)
        else:
            counts = SharedCounts(settings.valkey, open_valkey(settings.valkey))
            rate_limit = SharedRateLimit(counts.client, rate, environment)
    return AccessControl(
        database=database,
        tokens=tokens,
        callers=(
            SignedIn(database, tokens, operator_key) if settings.sign_in.required and database is not None else None
        ),
        conversations=Conversations(database) if database is not None else None,
        counts=counts,
        rate_limit=rate_limit,
    )
