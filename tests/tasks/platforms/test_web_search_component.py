"""The web search server on a laptop: started where its key is set, and nowhere else."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from mcp import Client

from tasks.agent_service.settings import agent_settings
from tasks.environment import Environment
from tasks.platforms.component_names import AGENTS, WEB_SEARCH
from tasks.platforms.local import LocalPlatform
from tasks.platforms.local_components import LocalComponents
from tests.tasks.conftest import make_environment

KEY = "tvly-test-never-written"


@pytest.fixture
def without_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Environment:
    monkeypatch.delenv("TAVILY_API_KEY", raising=False)
    return make_environment(tmp_path)


@pytest.fixture
def with_key(without_key: Environment, tmp_path: Path) -> Iterator[LocalComponents]:
    """The key lies in the file of secrets, where a person has put it."""
    secrets = tmp_path / "state" / "secrets.env"
    secrets.parent.mkdir(parents=True)
    secrets.write_text(f"TAVILY_API_KEY={KEY}\n")
    components = LocalComponents.of(without_key)
    yield components
    components.platform.stop()


def test_without_the_key_there_is_no_server_and_no_route(without_key: Environment) -> None:
    components = LocalComponents.of(without_key)
    settings = agent_settings(
        without_key, "127.0.0.1", 1024, "http://gateway", web_search_url=components.web_search_url
    )
    assert WEB_SEARCH not in components.ports
    assert components.web_search_url is None
    assert settings.web_search is None


def test_a_key_in_the_environment_turns_it_on(without_key: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAVILY_API_KEY", KEY)
    components = LocalComponents.of(without_key)
    url = components.web_search_url
    settings = agent_settings(without_key, "127.0.0.1", components.ports[AGENTS], "http://gateway", web_search_url=url)
    assert settings.web_search is not None
    assert settings.web_search.url == f"http://127.0.0.1:{components.ports[WEB_SEARCH]}/mcp"
    assert components.moved_ports == {}


@pytest.mark.platform
def test_with_the_key_the_server_runs_supervised(with_key: LocalComponents) -> None:
    platform, component = with_key.platform, with_key.web_search()
    assert platform.deploy(component) is True
    platform.wait_until_ready(WEB_SEARCH)
    assert platform.deploy(with_key.web_search()) is False
    health = httpx.get(f"{platform.address(WEB_SEARCH)}/healthz", trust_env=False, timeout=60).json()
    assert health == {"status": "alive", "search": "ready"}
    assert asyncio.run(tools(with_key)) == {"search", "read_page"}
    assert KEY not in written(platform)


async def tools(components: LocalComponents) -> set[str]:
    assert components.web_search_url is not None
    async with Client(components.web_search_url) as client:
        return {tool.name for tool in (await client.list_tools()).tools}


def written(platform: LocalPlatform) -> str:
    """All that was written below the data directory but the secrets."""
    files = [file for file in platform.data_directory.rglob("*") if file.is_file() and file.name != "secrets.env"]
    return json.dumps([file.read_text(encoding="utf-8", errors="replace") for file in files])
