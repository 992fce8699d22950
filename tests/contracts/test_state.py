"""What every state database must do, over SQLite and PostgreSQL."""

import asyncio
import stat
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from agents.state.api_keys import ApiKey, ApiKeys, Revocations
from agents.state.clock import now_ms
from agents.state.conversations import MOST_TURNS, ConversationFull, Conversations, Turn
from agents.state.database import StateDatabase, StateUnavailable
from agents.state.settings import PostgresSettings, SqliteSettings
from agents.state.usage import Usage
from agents.state.versions import VERSIONS
from tests.ports import free_port
from tests.postgres import USER, PostgresServer

Settings = SqliteSettings | PostgresSettings
ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
KEY = ApiKey("abc", "d" * 64, "team", frozenset({"ask", "search"}), created_ms=1, expires_ms=2)
TURN = Turn("What is it?", '{"answer": "This."}', "0" * 32, 5)


@pytest.fixture(params=ENGINES)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A database of its own for every test."""
    if request.param == "sqlite":
        return SqliteSettings(tmp_path / "state" / "state.db")
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return PostgresSettings("127.0.0.1", server.port, server.make_database(), USER, server.password_file, "disable")


@pytest.fixture
async def open_database(settings: Settings) -> AsyncGenerator[Callable[[], StateDatabase]]:
    """Opens the same database as often as one likes, as replicas do."""
    opened: list[StateDatabase] = []

    def open_one() -> StateDatabase:
        opened.append(StateDatabase(settings))
        return opened[-1]

    yield open_one
    for database in opened:
        await database.close()


@pytest.fixture
def database(open_database: Callable[[], StateDatabase]) -> StateDatabase:
    return open_database()


async def test_replicas_that_start_together_make_the_tables_once(open_database: Callable[[], StateDatabase]) -> None:
    replicas = [open_database() for _ in range(4)]
    await asyncio.gather(*(replica.check() for replica in replicas))
    async with replicas[0].transaction() as connection:
        versions = (await connection.exec_driver_sql("SELECT version FROM versions")).scalars().all()
    assert versions == list(range(1, len(VERSIONS) + 1))


async def test_an_older_release_works_on_the_tables_of_a_newer_one(open_database: Callable[[], StateDatabase]) -> None:
    async with open_database().transaction() as connection:
        await connection.exec_driver_sql("INSERT INTO versions VALUES (99)")
        for table in ("api_keys", "revocations", "conversations", "turns", "usage", "versions"):
            await connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN of_the_newer TEXT NOT NULL DEFAULT ''")
    older = open_database()
    await ApiKeys(older).add(KEY)
    assert await ApiKeys(older).find("abc") == KEY
    await Revocations(older).revoke("ak_abc")
    assert await Revocations(older).is_revoked("ak_abc")
    await Conversations(older).add_turn("ann", "one", TURN)
    read = await Conversations(older).read("ann", "one")
    assert read is not None
    assert read[1] == [TURN]
    assert await Usage(older).reserve("ann", "2026-01-01", 5, most=10)


async def test_a_transaction_that_fails_leaves_nothing(database: StateDatabase) -> None:
    await database.check()
    await Revocations(database).revoke("ak_def")

    async def fails() -> None:
        async with database.transaction() as connection:
            await connection.exec_driver_sql("DELETE FROM revocations")
            await connection.exec_driver_sql("INSERT INTO revocations VALUES ('ak_abc', 1)")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fails()
    assert await Revocations(database).is_revoked("ak_def")
    assert not await Revocations(database).is_revoked("ak_abc")


async def test_a_key_is_found_by_its_prefix_only(database: StateDatabase) -> None:
    keys = ApiKeys(database)
    await keys.add(KEY)
    assert await keys.find("abc") == KEY
    assert await keys.find("ABC") is None
    assert await keys.find("' OR 1=1 --") is None


async def test_a_prefix_is_taken_once(database: StateDatabase) -> None:
    await ApiKeys(database).add(KEY)
    with pytest.raises(StateUnavailable):
        await ApiKeys(database).add(KEY)


async def test_keys_are_listed_by_owner_and_age(database: StateDatabase) -> None:
    keys = ApiKeys(database)
    newer, other = replace(KEY, prefix="aaa", created_ms=3), replace(KEY, prefix="bbb", owner="other", created_ms=2)
    for key in (newer, other, KEY):
        await keys.add(key)
    assert await keys.listed() == [KEY, other, newer]
    assert await keys.listed("team") == [KEY, newer]


async def test_an_expiry_comes_sooner_but_never_later(database: StateDatabase) -> None:
    keys = ApiKeys(database)
    await keys.add(replace(KEY, expires_ms=1000))
    for wanted, expires in ((2000, 1000), (500, 500)):
        await keys.expire("abc", wanted)
        assert await keys.find("abc") == replace(KEY, expires_ms=expires)


async def test_a_revocation_is_seen_by_every_replica_at_once(open_database: Callable[[], StateDatabase]) -> None:
    one, other = open_database(), open_database()
    await ApiKeys(one).add(KEY)
    await Revocations(one).revoke("ak_abc")
    await Revocations(one).revoke("ak_abc")
    found = await ApiKeys(other).find("abc")
    assert found is not None
    assert found.revoked_ms is not None
    assert await Revocations(other).is_revoked("ak_abc")
    assert await Revocations(other).restore("ak_abc")
    assert not await Revocations(one).restore("ak_abc")


async def test_a_budget_is_given_away_once(open_database: Callable[[], StateDatabase]) -> None:
    replicas = [Usage(open_database()) for _ in range(3)]
    granted = await asyncio.gather(*(usage.reserve("c", "2026-01-01", 10, 95) for usage in replicas * 5))
    assert sum(granted) == 9
    assert await replicas[0].used("c", "2026-01-01") == 90
    assert await replicas[0].reserve("c", "2026-01-02", 95, 95)
    assert not await replicas[0].reserve("d", "2026-01-02", 96, 95)


async def test_what_was_not_used_is_given_back(database: StateDatabase) -> None:
    usage = Usage(database)
    assert await usage.reserve("c", "2026-01-01", 100, 100)
    assert not await usage.reserve("c", "2026-01-01", 1, 100)
    await usage.settle("c", "2026-01-01", -40)
    assert await usage.used("c", "2026-01-01") == 60
    assert await usage.reserve("c", "2026-01-01", 40, 100)


async def test_old_counts_are_forgotten(database: StateDatabase) -> None:
    usage = Usage(database)
    for day in ("2026-01-01", "2026-01-02"):
        await usage.reserve("c", day, 1, 10)
    assert await usage.forget_before("2026-01-02") == 1
    assert [await usage.used("c", day) for day in ("2026-01-01", "2026-01-02")] == [0, 1]


async def test_a_conversation_keeps_the_order_of_its_turns(open_database: Callable[[], StateDatabase]) -> None:
    replicas = [Conversations(open_database()) for _ in range(2)]
    turns = [replace(TURN, question=f"Question {number}?\n é \U0001f980") for number in range(8)]
    await replicas[0].add_turn("o", "1", turns[0])
    await asyncio.gather(*(replicas[i % 2].add_turn("o", "1", turn) for i, turn in enumerate(turns[1:])))
    read = await replicas[0].read("o", "1")
    assert read is not None
    assert read[0].title == "Question 0? é \U0001f980"
    assert read[1][0] == turns[0]
    assert sorted(turn.question for turn in read[1]) == [turn.question for turn in turns]


async def test_the_same_id_of_another_owner_is_another_conversation(database: StateDatabase) -> None:
    conversations = Conversations(database)
    await conversations.add_turn("one", "1", TURN)
    await conversations.add_turn("other", "1", replace(TURN, question="Mine?", trace_id="1" * 32))
    assert await conversations.read("nobody", "1") is None
    assert not await conversations.delete("nobody", "1")
    assert await conversations.has_trace("one", TURN.trace_id)
    assert not await conversations.has_trace("other", TURN.trace_id)
    assert await conversations.delete("other", "1")
    read = await conversations.read("one", "1")
    assert read is not None
    assert read[1] == [TURN]


async def test_a_deleted_conversation_leaves_no_turns(database: StateDatabase) -> None:
    conversations = Conversations(database)
    await conversations.add_turn("o", "1", TURN)
    assert await conversations.delete("o", "1")
    assert not await conversations.delete("o", "1")
    assert not await conversations.has_trace("o", TURN.trace_id)


async def test_conversations_are_listed_in_pages_the_last_first(database: StateDatabase) -> None:
    conversations = Conversations(database)
    for number in range(5):
        before = now_ms()
        while now_ms() == before:  # each has a moment of its own
            await asyncio.sleep(0)
        await conversations.add_turn("o", str(number), TURN)
    first = await conversations.listed("o", 3)
    second = await conversations.listed("o", 3, (first[-1].updated_ms, first[-1].id))
    assert [conversation.id for conversation in first + second] == ["4", "3", "2", "1", "0"]


async def test_conversations_of_one_moment_are_not_lost_between_two_pages(database: StateDatabase) -> None:
    conversations = Conversations(database)
    ids = ["a", "B", "b-1", "b1", "C"]
    for conversation in ids:
        await conversations.add_turn("o", conversation, TURN)
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE conversations SET updated_ms = 7"))
    listed: list[str] = []
    before: tuple[int, str] | None = None
    while page := await conversations.listed("o", 2, before):
        listed += [conversation.id for conversation in page]
        before = page[-1].updated_ms, page[-1].id
    assert sorted(listed) == sorted(ids)


async def test_what_is_older_than_wanted_is_forgotten(database: StateDatabase) -> None:
    conversations = Conversations(database)
    await conversations.add_turn("o", "1", TURN)
    assert await conversations.forget_before(now_ms() - 1000) == 0
    assert await conversations.forget_before(now_ms() + 1000) == 1
    assert await conversations.listed("o", 10) == []


@pytest.mark.parametrize("old", [4, 5])
async def test_more_is_forgotten_than_one_transaction_takes(database: StateDatabase, old: int) -> None:
    conversations = Conversations(database)
    for number in range(old):
        await conversations.add_turn(f"o{number % 2}", str(number), TURN)
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE conversations SET updated_ms = 7"))
    for owner in ("o0", "o1"):
        await conversations.add_turn(owner, "new", TURN)
    assert await conversations.forget_before(8, at_once=2) == old
    for owner in ("o0", "o1"):
        assert [conversation.id for conversation in await conversations.listed(owner, 10)] == ["new"]


async def test_a_conversation_is_bounded(database: StateDatabase) -> None:
    conversations = Conversations(database)
    await conversations.add_turn("o", "1", TURN)
    async with database.transaction() as connection:
        last = text("UPDATE turns SET position = :last")
        await connection.execute(last, {"last": MOST_TURNS - 1})
    await conversations.add_turn("o", "2", TURN)
    with pytest.raises(ConversationFull, match="begin another"):
        await conversations.add_turn("o", "1", TURN)


async def test_a_server_that_is_not_there_is_said_without_the_statement(tmp_path: Path) -> None:
    database = StateDatabase(PostgresSettings("127.0.0.1", free_port(), "state", "agents", None, "disable"))
    with pytest.raises(StateUnavailable, match=r"'state' at 127\.0\.0\.1") as raised:
        await Conversations(database).add_turn("o", "1", TURN)
    assert TURN.question not in str(raised.value)
    await database.close()


async def test_a_file_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    database = StateDatabase(SqliteSettings(tmp_path / "file" / "state.db"))
    with pytest.raises(StateUnavailable, match=r"state\.db"):
        await database.check()
    await database.close()


async def test_only_the_owner_reads_the_file(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    database = StateDatabase(SqliteSettings(path))
    await database.check()
    await database.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
