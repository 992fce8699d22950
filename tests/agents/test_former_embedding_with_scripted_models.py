"""The service between two embedding models: each question is embedded by the model of the generation it searches."""

from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings
from agents.service import create_app
from agents.settings import EmbeddingModel
from tests.agents.conftest import KEY_VARIABLE, Running, service_settings
from tests.agents.corpus_generation import IDENTITY, build_generation, corpus_chunks
from tests.agents.scripted_gateway import ScriptedGateway, ThreadedServer
from tests.ports import free_port

NEWER = IDENTITY.model_copy(update={"model": "newer", "fingerprint": "e" * 64})
QUESTION = "What does make down stop?"


@pytest.fixture
def changing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Running]:
    """A service whose model is `newer`, and `embedding` was before; a generation of the former one serves."""
    monkeypatch.setenv(KEY_VARIABLE, "sk-test")
    gateway, store = ScriptedGateway(), tmp_path / "knowledge"
    build_generation(store, "g1", corpus_chunks())
    settings = service_settings(gateway.url, store)
    newer = EmbeddingModel(
        name=NEWER.model, fingerprint=NEWER.fingerprint, dimension=NEWER.dimension, context_tokens=512
    )
    models = settings.models.model_copy(update={"embedding": newer, "former_embedding": settings.models.embedding})
    with ExitStack() as started:
        gateway.start()
        started.callback(gateway.stop)
        server = ThreadedServer(create_app(settings.model_copy(update={"models": models})), free_port())
        server.start()
        started.callback(server.stop)
        yield Running(server.url, gateway, store)


def asked_models(service: Running) -> set[str]:
    """The models that embedded the question while it is answered; its best passage is about `make down`."""
    before = len(service.gateway.questions)
    response = service.ask(QUESTION)
    assert response.status_code == 200, response.text
    assert "make down" in response.json()["citations"][0]["quote"]
    asked = zip(service.gateway.questions[before:], service.gateway.embedded_by[before:], strict=True)
    return {model for question, model in asked if question == QUESTION}


def test_questions_follow_the_model_of_the_generation_that_serves(changing: Running) -> None:
    assert changing.wait_until_ready().json()["models"]["embedding"] == IDENTITY.model
    assert asked_models(changing) == {IDENTITY.model}

    build_generation(changing.store, "g2", corpus_chunks(), NEWER)
    changing.wait_until_generation("g2")
    assert asked_models(changing) == {NEWER.model}
    assert changing.wait_until_ready().json()["models"]["embedding"] == NEWER.model

    store = open_store(LanceSettings(changing.store))
    store.promote("g1")
    store.close()
    changing.wait_until_generation("g1")
    assert asked_models(changing) == {IDENTITY.model}
    assert changing.wait_until_ready().json()["models"]["embedding"] == IDENTITY.model


def test_a_generation_of_a_third_model_is_refused_with_what_to_do(changing: Running) -> None:
    third = IDENTITY.model_copy(update={"model": "third"})
    build_generation(changing.store, "g3", corpus_chunks(), third)
    reason = changing.wait_until_ready(False).json()["checks"]["knowledge"]["reason"]
    assert "models.former_embedding" in reason
    response = changing.ask(QUESTION)
    assert response.status_code == 503
    error = response.json()["error"]
    assert error["code"] == "embedding_mismatch"
    for said in ("'third'", "'newer'", "'embedding'", "models.former_embedding"):
        assert said in error["message"]
