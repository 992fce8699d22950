"""A model's server is down: LiteLLM turns to the next one, and the answer says which model wrote it."""

from pathlib import Path

import pytest

from agents.service import create_app
from tasks.environment import EnvironmentName
from tasks.environment.models import Model, Models
from tasks.environment.variable_file import load_environment
from tasks.gateway.configuration import render_gateway_configuration
from tasks.laptop.secret_file import GATEWAY_KEY
from tests.agents.conftest import KEY_VARIABLE, Running, service_settings
from tests.agents.corpus_generation import IDENTITY, build_generation, corpus_chunks
from tests.agents.scripted_gateway import ScriptedGateway, ThreadedServer
from tests.ports import free_port
from tests.real_gateway import running_gateway

KEY = "sk-of-the-test"
GROUNDED = "`make down` stops every process that `make up` started."

pytestmark = pytest.mark.timeout(900)


def models_with_a_spare() -> Models:
    """The laptop's models under the names of these tests; `spare` stands in for `chat`."""
    known = load_environment(EnvironmentName.LOCAL).models
    writer, embedding = known.catalogue[known.reasoning], known.catalogue[known.embedding]
    fallbacks: dict[str, tuple[str, ...]] = {"fallbacks": ("spare",)}
    catalogue: dict[str, Model] = {
        "chat": writer.model_copy(update=fallbacks),
        "spare": writer,
        IDENTITY.model: embedding,
    }
    return Models(catalogue=catalogue, chat="spare", reasoning="chat", embedding=IDENTITY.model)


def test_another_model_answers_and_the_answer_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    servers = ScriptedGateway(reply=GROUNDED)
    here, nobody = servers.url.removesuffix("/v1"), f"http://127.0.0.1:{free_port()}"
    configuration = render_gateway_configuration(
        models_with_a_spare(), {"chat": nobody, "spare": here, IDENTITY.model: here}, None, 60
    )
    build_generation(tmp_path / "knowledge", "g1", corpus_chunks())
    servers.start()
    try:
        with running_gateway(configuration, tmp_path, {GATEWAY_KEY: KEY}) as address:
            settings = service_settings(f"{address}/v1", tmp_path / "knowledge", answer_seconds=120)
            service = ThreadedServer(create_app(settings), free_port())
            service.start()
            try:
                running = Running(service.url, servers, tmp_path / "knowledge")
                answer = running.ask("What does make down stop?").json()
            finally:
                service.stop()
    finally:
        servers.stop()
    assert (answer["kind"], answer["model"], answer["notes"]) == ("answered", "spare", [])
