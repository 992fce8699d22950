from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina

from agents.service import create_app
from agents.settings import Settings
from tests.agents.corpus_generation import IDENTITY, build_generation, corpus_chunks
from tests.agents.scripted_gateway import ScriptedGateway, ThreadedServer
from tests.ports import free_port

KEY_VARIABLE = "TEST_GATEWAY_KEY"


@dataclass(frozen=True)
class Running:
    """The real service under uvicorn, over a real LanceDB store; only its models are scripted."""

    url: str
    gateway: ScriptedGateway
    store: Path

    def ask(self, question: str, **more: Any) -> httpx.Response:
        return httpx.post(f"{self.url}/v1/ask", json={"question": question, **more}, timeout=120)

    def wait_until_ready(self, ready: bool = True) -> httpx.Response:
        for attempt in stamina.retry_context(on=AssertionError, timeout=120, attempts=None, wait_max=0.1):
            with attempt:
                response = httpx.get(f"{self.url}/readyz", timeout=60)
                assert (response.status_code == 200) is ready, response.text
                return response
        raise AssertionError("unreachable")

    def wait_until_generation(self, generation: str) -> None:
        for attempt in stamina.retry_context(on=AssertionError, timeout=120, attempts=None, wait_max=0.1):
            with attempt:
                assert httpx.get(f"{self.url}/readyz", timeout=60).json()["generation"] == generation


def service_settings(gateway_url: str, store: Path, access: Mapping[str, Any] | None = None, **limits: Any) -> Settings:
    chat = {"name": "chat", "context_tokens": 2048}
    embedding = {**IDENTITY.model_dump(exclude={"model"}), "name": IDENTITY.model, "context_tokens": 512}
    return Settings.model_validate(
        {
            "environment": "local",
            "host": "127.0.0.1",
            "port": 0,
            "gateway": {"base_url": gateway_url, "api_key_variable": KEY_VARIABLE},
            "models": {"reasoning": chat, "embedding": embedding},
            "store": {"engine": "lancedb", "directory": str(store)},
            "fusion": {"method": "min_max", "dense_weight": 0.3, "candidates": 50},
            "limits": {
                "relevancy_threshold": 0.35,
                "groundedness_threshold": 0.7,
                "passages": 5,
                "answer_tokens": 160,
                # A busy machine takes longer than people have patience.
                "answer_seconds": 60,
                "question_bytes": 8192,
                **limits,
            },
            "probe_seconds": 0.1,
            "access": access or {},
        }
    )


@contextmanager
def running_service(
    directory: Path, *, empty: bool = False, access: Mapping[str, Any] | None = None, **limits: Any
) -> Generator[Running]:
    """Run the service; with `empty=True` over a store without any generation, and any limit by its name."""
    gateway, store = ScriptedGateway(), directory / "knowledge"
    with pytest.MonkeyPatch.context() as environment, ExitStack() as started:
        environment.setenv(KEY_VARIABLE, "sk-test")
        gateway.start()
        started.callback(gateway.stop)
        if not empty:
            build_generation(store, "g1", corpus_chunks())
        server = ThreadedServer(create_app(service_settings(gateway.url, store, access, **limits)), free_port())
        server.start()
        started.callback(server.stop)
        yield Running(server.url, gateway, store)


@pytest.fixture
def start_service(tmp_path: Path) -> Generator[Callable[..., Running]]:
    """Starts services as `running_service` does, until the end of the test."""
    with ExitStack() as running:

        def start(**how: Any) -> Running:
            return running.enter_context(running_service(tmp_path, **how))

        yield start


@pytest.fixture
def service(start_service: Callable[..., Running]) -> Running:
    """The service with everything it needs, ready."""
    running = start_service()
    running.wait_until_ready()
    return running
