from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agents.service import create_app
from agents.settings import RELEASE_VARIABLE
from tests.agents.conftest import KEY_VARIABLE, Running, service_settings
from tests.agents.corpus_generation import build_generation, corpus_chunks
from tests.agents.scripted_gateway import ScriptedGateway, ThreadedServer
from tests.agents.tracing.played_langfuse import SECRET_KEY, PlayedLangfuse, langfuse_at
from tests.ports import free_port

StartTraced = Callable[..., tuple[Running, ThreadedServer]]


@pytest.fixture
def langfuse() -> Generator[PlayedLangfuse]:
    played = PlayedLangfuse()
    played.start()
    yield played
    played.stop()


@pytest.fixture
def start_traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[StartTraced]:
    """Starts the service with its traces going to a host; the server is stopped at the end when it still runs."""
    variables = {KEY_VARIABLE: "sk-test", "TEST_SECRET": SECRET_KEY}
    for name, value in {**variables, RELEASE_VARIABLE: "sha256:feed"}.items():
        monkeypatch.setenv(name, value)
    started: list[ThreadedServer | ScriptedGateway] = []

    def start(host: str, access: Mapping[str, Any] | None = None) -> tuple[Running, ThreadedServer]:
        gateway, store = ScriptedGateway(), tmp_path / "knowledge"
        gateway.start()
        started.append(gateway)
        build_generation(store, "g1", corpus_chunks())
        told = langfuse_at(host)
        settings = service_settings(gateway.url, store, access).model_copy(update={"langfuse": told})
        server = ThreadedServer(create_app(settings), free_port())
        server.start()
        started.append(server)
        running = Running(server.url, gateway, store)
        running.wait_until_ready()
        return running, server

    yield start
    for one in reversed(started):
        one.stop()


@pytest.fixture
def traced(langfuse: PlayedLangfuse, start_traced: StartTraced) -> Running:
    """The service, traced by a Langfuse that answers."""
    return start_traced(langfuse.host)[0]
