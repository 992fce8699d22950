"""The online agent service: `python -m agents.service`, with its settings in the file that AGENTS_SETTINGS names."""

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Coroutine, Iterator
from contextlib import asynccontextmanager
from functools import partial

import uvicorn
from fastapi import FastAPI

from agents.access.limiting import Limiting
from agents.access.own_names import OwnNames
from agents.access.sign_in import SignIn
from agents.assistant import Assistant, assemble
from agents.conversations import FORGET_SECONDS, forget_old
from agents.errors import RESPONSES, add_error_handlers
from agents.knowledge.store.opening import load_engine
from agents.routes import ask, chat_completions, conversations, documents, feedback, mcp, operations, page, search
from agents.routes.page import PageFiles
from agents.serving.connections import ImpatientProtocol, drop_unread
from agents.serving.listening import DrainingServer, inherited_sockets, keep_alive_seconds, ready_file
from agents.serving.loop_lag import watch_loop
from agents.serving.middleware import BodyLimit, Observation
from agents.serving.pauses import shorten_pauses
from agents.serving.rounds import for_ever
from agents.settings import Settings, load_settings
from agents.settings_file import InvalidSettings

LEAST_BODY_LIMIT = 256 * 1024
"""Bytes; a conversation is longer than a question, and JSON escapes take up to six bytes a character."""


def create_app(settings: Settings) -> FastAPI:
    """The ASGI application; connects to nothing before it is started."""
    assistant = assemble(settings)
    tools = mcp.mcp_route(assistant, settings.mcp.allowed_hosts)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        assistant.tracing.start()
        tasks = {asyncio.create_task(work) for work in _background(assistant)}
        async with tools.sessions.run():
            yield
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await assistant.close()

    app = FastAPI(
        title="agentic-eks", version="1", lifespan=lifespan, docs_url=None, redoc_url=None, responses=RESPONSES
    )
    app.state.assistant = assistant
    add_error_handlers(app)
    # The one added last is the outermost.
    app.add_middleware(BodyLimit, most_bytes=max(LEAST_BODY_LIMIT, 8 * settings.limits.question_bytes))
    if assistant.access.rate_limit is not None:
        app.add_middleware(Limiting, limit=assistant.access.rate_limit)
    app.add_middleware(SignIn, callers=assistant.access.callers)
    if assistant.access.callers is None:
        app.add_middleware(OwnNames, allowed_hosts=settings.mcp.allowed_hosts)
    app.add_middleware(Observation, metrics=assistant.metrics)
    for routes in (ask, search, chat_completions, conversations, feedback, documents, operations, page):
        app.include_router(routes.router)
    app.router.routes.append(tools)
    app.mount("/page", PageFiles(), name="page")
    return app


def _background(assistant: Assistant) -> Iterator[Coroutine[None, None, None]]:
    yield assistant.health.run()
    yield assistant.watch.run()
    yield watch_loop(assistant.metrics.loop_lag_seconds.observe)
    if assistant.access.database is not None:
        kept_days = assistant.settings.access.conversations.kept_days
        forgetting = partial(forget_old, assistant.access.database, kept_days)
        yield for_ever("deleting old conversations", forgetting, FORGET_SECONDS)


def main() -> int:
    """Serve until told to stop; streams that have begun are finished first. Returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Their lines a request would drown the log: the probes never rest.
    for library in ("httpx", "openai"):
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        settings = load_settings()
    except InvalidSettings as error:
        logging.getLogger(__name__).error("%s", error)
        return 2
    app = create_app(settings)
    load_engine(settings.store.opened_with())
    shorten_pauses()
    config = server_config(app, settings)
    listeners = inherited_sockets() or [config.bind_socket()]
    for listener in listeners:
        drop_unread(listener)
    server = DrainingServer(config, ready_file())
    server.run(listeners)
    return 0 if server.started else 1


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """How the service is served: what a connection may cost, and how long one is kept."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=int(settings.limits.answer_seconds) + 5,
        timeout_keep_alive=keep_alive_seconds(settings.limits.answer_seconds),
        http=ImpatientProtocol,
        limit_concurrency=settings.access.load.connections,
    )


if __name__ == "__main__":
    sys.exit(main())
