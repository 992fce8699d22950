"""The state database shuts its door while somebody talks to the service, and opens it again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg
import pytest
import stamina
from psycopg import sql

from agents.access.api_key import make_key
from agents.caller import SCOPES
from agents.state.api_keys import ApiKeys
from agents.state.database import StateDatabase
from agents.state.settings import PostgresSettings
from tests.agents.conftest import Running
from tests.agents.signed_in import Headers, bearer
from tests.postgres import PASSWORD, USER, PostgresServer

pytestmark = pytest.mark.postgres

SENTENCE = "`make down` stops every process that `make up` started."
QUESTION = "What does make down stop?"


@dataclass(frozen=True)
class Door:
    """A database of its own on the real server, which can be shut: nobody is connected then, and nobody connects."""

    server: PostgresServer
    database: str

    @property
    def settings(self) -> PostgresSettings:
        return PostgresSettings(
            "127.0.0.1", self.server.port, self.database, USER, self.server.password_file, "disable"
        )

    def described(self) -> dict[str, Any]:
        """As the service is told of it."""
        where = {"host": "127.0.0.1", "port": self.server.port, "database": self.database, "user": USER}
        return {"engine": "postgres", **where, "password_file": str(self.server.password_file), "tls": "disable"}

    def shut(self) -> None:
        self._allow("false")
        self._run(sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}"), sql.Literal)

    def open(self) -> None:
        self._allow("true")

    def key(self) -> Headers:
        """The headers of a request with a new key."""
        text, kept = make_key("team", SCOPES[:3], 1)

        async def add() -> None:
            database = StateDatabase(self.settings)
            await ApiKeys(database).add(kept)
            await database.close()

        asyncio.run(add())
        return bearer(text)

    def _allow(self, connections: LiteralString) -> None:
        self._run(sql.SQL(f"ALTER DATABASE {{}} ALLOW_CONNECTIONS {connections}"), sql.Identifier)

    def _run(self, statement: sql.SQL, named: Callable[[str], sql.Composable]) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self.server.port, user=USER, password=PASSWORD, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement.format(named(self.database)))


@pytest.fixture
def door(postgres_server: PostgresServer) -> Door:
    return Door(postgres_server, postgres_server.make_database())


def ask(service: Running, headers: Headers | None = None) -> httpx.Response:
    body = {"question": QUESTION, "conversation_id": "mine"}
    return httpx.post(f"{service.url}/v1/ask", json=body, headers=headers, timeout=60)


def test_where_nobody_signs_in_answers_go_on_and_are_not_kept(
    start_service: Callable[..., Running], door: Door, tmp_path: Path
) -> None:
    service = start_service(access={"state": door.described()})
    service.gateway.reply = SENTENCE
    service.wait_until_ready()
    assert ask(service).json()["notes"] == []
    door.shut()
    answer = ask(service).json()
    assert (answer["kind"], answer["notes"]) == (
        "answered",
        ["the answer is not kept: conversations are unavailable"],
    )
    door.open()
    for attempt in stamina.retry_context(on=AssertionError, timeout=90, attempts=None, wait_max=0.5):
        with attempt:
            assert ask(service).json()["notes"] == []
    kept = httpx.get(f"{service.url}/v1/conversations/mine", timeout=60).json()["turns"]
    assert len(kept) == 2


def test_where_callers_sign_in_nobody_gets_in_until_it_is_back(
    start_service: Callable[..., Running], door: Door
) -> None:
    headers = door.key()
    service = start_service(access={"state": door.described(), "sign_in": {"required": True}})
    service.gateway.reply = SENTENCE
    service.wait_until_ready()
    assert ask(service, headers).status_code == 200
    door.shut()
    refused = ask(service, headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "sign_in_unavailable")
    assert int(refused.headers["retry-after"]) > 0
    assert not service.wait_until_ready(False).json()["checks"]["state"]["ok"]
    door.open()
    service.wait_until_ready()
    assert ask(service, headers).json()["kind"] == "answered"
