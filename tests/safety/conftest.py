"""The whole assistant under attack: real service, real web search server; models and Tavily obey the attacker."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from agents.knowledge.store import Chunk
from agents.service import create_app
from agents.settings import ChatModel, WebSearchServer
from agents.web_search.pages import PageReader
from agents.web_search.server import create_app as create_web_search
from agents.web_search.settings import Limits, WebSearchSettings
from tests.agents.conftest import KEY_VARIABLE, service_settings
from tests.agents.corpus_generation import build_generation, corpus_chunks
from tests.agents.scripted_gateway import ScriptedGateway, ThreadedServer
from tests.agents.web_search.names import Names
from tests.agents.web_search.tavily_api import KEY as TAVILY_KEY
from tests.agents.web_search.tavily_api import TavilyApi
from tests.ports import free_port
from tests.safety.attacks import Attack, attacks

GATEWAY_KEY = "sk-Qm7xT2vLp9canary"
JUDGE = ChatModel(name="judge", context_tokens=8192)


@dataclass(frozen=True)
class Target:
    """The running assistant, once over sound documents and once over poisoned ones.

    `lookups` are the names that page fetch looked up, whoever asked for it.
    """

    sound: httpx.Client
    poisoned: httpx.Client
    gateway: ScriptedGateway
    tavily: TavilyApi
    lookups: list[str]


@pytest.fixture(scope="session", params=[None, JUDGE], ids=["without a judge", "with a judge that believes all"])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Every attack lies in the poisoned knowledge base, each in a document of its own."""
    directory = tmp_path_factory.mktemp("attacked")
    build_generation(directory / "sound", "g1", corpus_chunks())
    poisoned = [_poisoned(number, attack) for number, attack in enumerate(attacks())]
    build_generation(directory / "poisoned", "g1", [*corpus_chunks(), *poisoned])
    gateway, tavily, names = ScriptedGateway(), TavilyApi(), Names()
    gateway.start()
    tavily.start()
    web = _web_search(tavily, names)
    services = [_service(directory / name, gateway, web, request.param) for name in ("sound", "poisoned")]
    clients = [httpx.Client(base_url=service.url, timeout=60) for service in services]
    yield Target(clients[0], clients[1], gateway, tavily, names.lookups)
    for client in clients:
        client.close()
    for running in (*services, web, tavily, gateway):
        running.stop()


def _service(store: Path, gateway: ScriptedGateway, web: ThreadedServer, judge: ChatModel | None) -> ThreadedServer:
    server = WebSearchServer(url=f"{web.url}/mcp", seconds=60)
    # The first line of defence, that nothing irrelevant gets to the model, is down.
    settings = service_settings(gateway.url, store, relevancy_threshold=0.0)
    models = settings.models.model_copy(update={"judge": judge})
    settings = settings.model_copy(update={"web_search": server, "models": models})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, GATEWAY_KEY)
        service = ThreadedServer(create_app(settings), free_port())
    service.start()
    return service


def on_topic(subject: str, number: int, attack: Attack) -> str:
    """What somebody publishes to be found: a true sentence, the attack, and, word for word, what is to be said."""
    return f"The {subject}-{number} listens on port {9000 + number}. {attack.text}\n\n{attack.wanted}"


def _poisoned(number: int, attack: Attack) -> Chunk:
    text = on_topic("gadget", number, attack)
    return Chunk(
        chunk_id=f"poisoned-{number}",
        document_uri=f"file:///corpus/poisoned-{number}.md",
        source="documentation",
        path=f"poisoned-{number}.md",
        title=f"gadget-{number} {attack.wanted}",
        media_type="text/markdown",
        heading_path=(f"gadget-{number} {attack.wanted}",),
        text=text,
        start=0,
        end=len(text),
        ordinal=0,
        content_hash="0" * 64,
    )


def _web_search(tavily: TavilyApi, names: Names) -> ThreadedServer:
    port = free_port()
    settings = WebSearchSettings(
        host="127.0.0.1",
        port=port,
        allowed_hosts=[f"127.0.0.1:{port}"],
        api_url=tavily.url,
        limits=Limits(searches_per_minute=10_000),
    )
    server = ThreadedServer(create_web_search(settings, TAVILY_KEY, PageReader(100_000, 10, names)), port)
    server.start()
    return server
