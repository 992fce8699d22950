"""The state database falls silent: its connections stay, and nothing comes through them any more."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from agents.state.database import StateDatabase, StateUnavailable
from agents.state.settings import PostgresSettings
from tests.postgres import USER, PostgresServer

pytestmark = pytest.mark.postgres

PATIENCE_SECONDS = 120
"""Before a test fails that would wait as long as a kernel does."""


class Relay:
    """Stands before a server. While it is silent, it keeps what it gets, and every connection."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._forwards = asyncio.Event()
        self._forwards.set()

    def fall_silent(self) -> None:
        self._forwards.clear()

    def forward(self) -> None:
        self._forwards.set()

    @asynccontextmanager
    async def run(self) -> AsyncGenerator[int]:
        """Accept connections until the end of the block; gives the port."""
        async with AsyncExitStack() as connections, asyncio.TaskGroup() as tasks:

            async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await self._forwards.wait()
                from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to)
                connections.callback(to_server.close)
                connections.callback(writer.close)
                pumps.append(tasks.create_task(self._pump(reader, to_server)))
                pumps.append(tasks.create_task(self._pump(from_server, writer)))

            pumps: list[asyncio.Task[None]] = []
            server = await asyncio.start_server(accept, "127.0.0.1", 0)
            async with server:
                yield server.sockets[0].getsockname()[1]
            for pump in pumps:
                pump.cancel()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                await self._forwards.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


async def process_of(database: StateDatabase) -> int:
    """The server's process that serves the next transaction."""
    async with database.transaction() as connection:
        return (await connection.exec_driver_sql("SELECT pg_backend_pid()")).scalar_one()


async def test_transactions_are_given_up_and_their_connections_are_not_used_again(
    postgres_server: PostgresServer,
) -> None:
    relay, silent = Relay(postgres_server.port), asyncio.Event()
    async with relay.run() as port, asyncio.timeout(PATIENCE_SECONDS):
        name = postgres_server.make_database()
        database = StateDatabase(
            PostgresSettings("127.0.0.1", port, name, USER, postgres_server.password_file, "disable")
        )
        await database.check()
        before: list[int] = []

        async def under_way() -> None:
            async with database.transaction() as connection:
                before.append((await connection.exec_driver_sql("SELECT pg_backend_pid()")).scalar_one())
                before.append(await process_of(database))  # of a connection that lies in the pool afterwards
                relay.fall_silent()
                silent.set()
                await connection.exec_driver_sql("SELECT 1")

        async def begun_afterwards() -> None:
            await silent.wait()
            await database.check()

        outcomes = await asyncio.gather(under_way(), begun_afterwards(), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [StateUnavailable] * 2
        relay.forward()
        await database.check()
        assert await process_of(database) not in before
        await database.close()
