"""The agent service as a laptop runs it, its models included, on a route that its settings force."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agents.settings import Settings
from agents.settings_file import SETTINGS_VARIABLE
from agents.web_search.results import HEALTH_PATH as WEB_SEARCH_HEALTH_PATH
from agents.web_search.results import MCP_PATH
from bench.options import local_environment
from bench.processes import running
from bench.routes import ROUTES
from bench.search_engine import FOUND, HEALTH_PATH, Page
from tasks.agent_service.settings import agent_settings
from tasks.environment import Environment
from tasks.laptop.data_directory import models_directory
from tasks.laptop.secret_file import GATEWAY_KEY
from tasks.laptop.web_search import web_search_settings
from tasks.llama_cpp.model_files import ensure_model
from tasks.platforms.component_names import GATEWAY
from tasks.platforms.local import LocalPlatform
from tasks.platforms.local_components import LocalComponents, model_roles
from tasks.platforms.ports import free_port

KNOWLEDGE, WEB, _ = ROUTES
HOST = "127.0.0.1"
# A bench asks faster than people may; how often they may is not what it is about.
SEARCHES_PER_MINUTE = 10_000


@dataclass(frozen=True)
class Around:
    """What a service needs around it: the base URL and key of the gateway, and where web search answers MCP."""

    gateway_url: str
    gateway_key: str
    web_search_url: str


@contextmanager
def models_and_web(environment: Environment, found: Mapping[str, Sequence[Page]], directory: Path) -> Generator[Around]:
    """Run the laptop's model servers and gateway, and the web search server over the pages `found` for each query."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "found.json").write_bytes(FOUND.dump_json({query: list(pages) for query, pages in found.items()}))
    engine, web = free_port(HOST), free_port(HOST)
    settings = web_search_settings(environment, HOST, web)
    limits = settings.limits.model_copy(update={"searches_per_minute": SEARCHES_PER_MINUTE})
    served = settings.model_copy(update={"api_url": f"http://{HOST}:{engine}", "limits": limits})
    (directory / "web-search.json").write_text(served.model_dump_json(), encoding="utf-8")
    variables = {SETTINGS_VARIABLE: str(directory / "web-search.json"), served.api_key_variable: "simulated"}
    arguments = ("bench.search_engine", "--port", str(engine), "--found", str(directory / "found.json"))
    with (
        _models(environment) as (gateway_url, key),
        running(arguments, {}, f"http://{HOST}:{engine}{HEALTH_PATH}", directory / "engine.log"),
        running(
            ("agents.web_search",),
            variables,
            f"http://{HOST}:{web}{WEB_SEARCH_HEALTH_PATH}",
            directory / "web-search.log",
        ),
    ):
        yield Around(gateway_url, key, f"http://{HOST}:{web}{MCP_PATH}")


@contextmanager
def _models(environment: Environment) -> Generator[tuple[str, str]]:
    components = LocalComponents.of(environment)
    platform: LocalPlatform = components.platform
    try:
        for role, name in model_roles(environment).items():
            packaged = environment.models.catalogue[name].packaged
            assert packaged is not None
            platform.deploy(components.model_server(role, ensure_model(name, packaged, models_directory(environment))))
        platform.deploy(components.gateway())
        for name in (*model_roles(environment), GATEWAY):
            platform.wait_until_ready(name)
        yield f"{platform.address(GATEWAY)}/v1", platform.secrets[GATEWAY_KEY]
    finally:
        platform.stop()


@contextmanager
def service_on(route: str, environment: Environment, around: Around, directory: Path) -> Generator[str]:
    """Run the service on one of `ROUTES` until the end of the block; yields its base URL.

    Without a web search the knowledge base alone is asked; with a knowledge base that has no generation, the web alone.
    All else is as the environment file says, so that every route refuses, writes and checks in the same way.
    """
    port = free_port(HOST)
    settings = _settings(route, environment, around, port)
    file = directory / "agents.json"
    file.write_text(settings.model_dump_json(), encoding="utf-8")
    variables = {SETTINGS_VARIABLE: str(file), GATEWAY_KEY: around.gateway_key}
    # A service without knowledge is alive and never ready.
    ready = "/healthz" if route == WEB else "/readyz"
    log = directory / f"{ROUTES.index(route)}.log"
    with running(("agents.service",), variables, f"http://{HOST}:{port}{ready}", log):
        yield f"http://{HOST}:{port}"


def _settings(route: str, environment: Environment, around: Around, port: int) -> Settings:
    known = local_environment("no-knowledge") if route == WEB else environment
    web = None if route == KNOWLEDGE else around.web_search_url
    settings = agent_settings(known, HOST, port, around.gateway_url, web_search_url=web)
    # There is no Prefect to ask for a refresh.
    return settings.model_copy(update={"freshness": None})
