"""The components of the local environment: what each runs, where it listens, and what its health is."""

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from agents.settings import RELEASE_VARIABLE
from agents.settings_file import SETTINGS_VARIABLE
from agents.web_search.results import HEALTH_PATH, MCP_PATH
from tasks.environment import REPOSITORY, Environment
from tasks.gateway.configuration import GATEWAY_ENVIRONMENT, render_gateway_configuration
from tasks.gateway.configuration import HEALTH_PATH as GATEWAY_HEALTH_PATH
from tasks.git import current_commit
from tasks.laptop.web_search import web_search_file, web_search_is_on, web_search_settings
from tasks.llama_cpp.model_files import ModelFiles
from tasks.llama_cpp.server import Kind
from tasks.platforms import Component, base_url
from tasks.platforms.component_names import (
    AGENTS,
    AGENTS_CANDIDATE,
    CHAT,
    EMBEDDING,
    FORMER_EMBEDDING,
    GATEWAY,
    PREFECT_SERVER,
    PREFECT_WORKER,
    REASONING,
    WEB_SEARCH,
)
from tasks.platforms.local import LocalPlatform, laptop_of

# A grounded prompt of five passages is a long one for a small machine: the gateway must not give up before the caller.
GATEWAY_SECONDS = 120.0
STOP_MARGIN_SECONDS = 20

_QUIET = {"DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1", "RAY_USAGE_STATS_ENABLED": "0"}


def wanted_ports(environment: Environment, with_web_search: bool) -> dict[str, int]:
    """The ports that the environment file asks for, by component."""
    ports = laptop_of(environment).ports
    wanted = {
        PREFECT_SERVER: ports.prefect,
        GATEWAY: ports.gateway,
        EMBEDDING: ports.embedding,
        CHAT: ports.chat,
        AGENTS: ports.agents,
        # The worker listens for health checks only.
        PREFECT_WORKER: ports.prefect + 1,
    }
    if with_web_search:
        wanted[WEB_SEARCH] = ports.web_search
    if REASONING in model_roles(environment):
        wanted[REASONING] = ports.chat + 1
    if FORMER_EMBEDDING in model_roles(environment):
        wanted[FORMER_EMBEDDING] = ports.chat + 2
    return wanted


def model_roles(environment: Environment) -> dict[str, str]:
    """The names of the models that run as processes here, by the component that serves each."""
    models = environment.models
    roles = {EMBEDDING: models.embedding, CHAT: models.chat}
    if models.reasoning != models.chat:
        roles[REASONING] = models.reasoning
    if models.former_embedding is not None:
        roles[FORMER_EMBEDDING] = models.former_embedding
    return {role: name for role, name in roles.items() if models.catalogue[name].runs_on == "process"}


@dataclass(frozen=True)
class LocalComponents:
    """Builds the components of `environment` for `platform`, which listen on `ports` (by component)."""

    environment: Environment
    platform: LocalPlatform
    ports: Mapping[str, int]

    @classmethod
    def of(cls, environment: Environment) -> "LocalComponents":
        """The components with the ports that are recorded, or chosen now. Raises `tasks.platforms.ports.PortTaken`."""
        platform = LocalPlatform(laptop_of(environment))
        wanted = wanted_ports(environment, web_search_is_on(environment, platform))
        return cls(environment, platform, platform.choose_ports(wanted))

    @property
    def moved_ports(self) -> dict[str, int]:
        """The ports that are not the ones that the environment file asks for, by component."""
        wanted = wanted_ports(self.environment, WEB_SEARCH in self.ports)
        return {name: port for name, port in self.ports.items() if port != wanted[name]}

    @property
    def web_search_url(self) -> str | None:
        """Where the web search server answers MCP; None while web search is off."""
        if WEB_SEARCH not in self.ports:
            return None
        return base_url(laptop_of(self.environment).listen_host, self.ports[WEB_SEARCH]) + MCP_PATH

    @property
    def prefect_api_url(self) -> str:
        """Where the local Prefect server's API answers."""
        return f"{base_url(laptop_of(self.environment).listen_host, self.ports[PREFECT_SERVER])}/api"

    @property
    def prefect_variables(self) -> dict[str, str]:
        """The environment variables of every process that talks to the local Prefect server."""
        return {
            "PREFECT_API_URL": self.prefect_api_url,
            "PREFECT_HOME": str(self.platform.data_directory / "prefect"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        }

    def prefect_server(self) -> Component:
        """The Prefect server with its scheduler and page, on SQLite below the data directory."""
        port = self.ports[PREFECT_SERVER]
        host = laptop_of(self.environment).listen_host
        variables = {
            "PREFECT_HOME": str(self.platform.data_directory / "prefect"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            # The page asks the address it came from, so that it works through a tunnel too.
            "PREFECT_SERVER_UI_API_URL": "/api",
            # In its memory, where they are by default, leases would end with it, and their slots be taken for ever.
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        }
        command = (sys.executable, "-m", "prefect", "server", "start", "--host", host, "--port", str(port))
        return self._component(PREFECT_SERVER, command, "/api/health", variables, 180, version("prefect"))

    def prefect_worker(self) -> Component:
        """The worker that runs flow runs of the environment's work pool as processes of this machine."""
        pool = self.environment.environment.prefect.work_pools.management
        host = laptop_of(self.environment).listen_host
        variables = self.prefect_variables | {
            "PREFECT_WORKER_WEBSERVER_HOST": host,
            "PREFECT_WORKER_WEBSERVER_PORT": str(self.ports[PREFECT_WORKER]),
            # Runs are started by people who wait; the server is next door.
            "PREFECT_WORKER_QUERY_SECONDS": "2",
        }
        command = (
            *(sys.executable, "-m", "prefect", "worker", "start", "--with-healthcheck"),
            *("--pool", pool, "--type", "process", "--name", f"laptop-{self.ports[PREFECT_SERVER]}"),
        )
        return self._component(PREFECT_WORKER, command, "/health", variables, 180, version("prefect"))

    def model_server(self, role: str, files: ModelFiles) -> Component:
        """The llama.cpp server of the model that plays `role` (a key of `model_roles`)."""
        name = model_roles(self.environment)[role]
        model = self.environment.models.catalogue[name]
        kind: Kind = "chat" if model.dimension is None else "embedding"
        command = (
            *(sys.executable, "-m", "tasks.llama_cpp.server", "--model-file", str(files.path), "--alias", name),
            *("--kind", kind, "--host", laptop_of(self.environment).listen_host, "--port", str(self.ports[role])),
            *("--context", str(model.context_tokens), "--threads", str(model.threads)),
        )
        variables = {"OMP_NUM_THREADS": str(model.threads)}
        source = REPOSITORY / "tasks" / "llama_cpp" / "server.py"
        fingerprint = _digest(files.fingerprint, version("xllamacpp"), source.read_text(encoding="utf-8"))
        return self._component(role, command, "/health", variables, 60, fingerprint)

    @property
    def gateway_file(self) -> Path:
        """Where the gateway reads its configuration."""
        return self.platform.data_directory / "gateway.yaml"

    def gateway_configuration(self) -> str:
        """The text of the gateway's configuration file, out of the environment file."""
        host = laptop_of(self.environment).listen_host
        addresses = {name: base_url(host, self.ports[role]) for role, name in model_roles(self.environment).items()}
        region = self.environment.environment.region
        return render_gateway_configuration(self.environment.models, addresses, region, GATEWAY_SECONDS)

    def gateway(self) -> Component:
        """The LiteLLM proxy in front of all models."""
        command = (
            *(str(Path(sys.executable).with_name("litellm")), "--config", str(self.gateway_file)),
            *("--host", laptop_of(self.environment).listen_host, "--port", str(self.ports[GATEWAY])),
            *("--num_workers", "1", "--telemetry", "False"),
        )
        component = self._component(GATEWAY, command, GATEWAY_HEALTH_PATH, GATEWAY_ENVIRONMENT, 180, version("litellm"))
        return replace(component, files={str(self.gateway_file): self.gateway_configuration()})

    def web_search(self) -> Component:
        """The web search server, which is deployed only while web search is on."""
        port, path = self.ports[WEB_SEARCH], web_search_file(self.environment)
        settings = web_search_settings(self.environment, laptop_of(self.environment).listen_host, port)
        command = (sys.executable, "-m", "agents.web_search")
        variables = {SETTINGS_VARIABLE: str(path)}
        component = self._component(WEB_SEARCH, command, HEALTH_PATH, variables, 60, _digest(*_service_sources()))
        return replace(component, files={str(path): settings.model_dump_json(indent=2)})

    def agents(self, settings: Path, text: str) -> Component:
        """The agent service with the `text` of its settings file; a change of its code or settings replaces it."""
        component = self._service(AGENTS, settings, text, self.ports[AGENTS])
        # supervisord lends sockets of IPv4 only.
        return replace(component, switched=":" not in component.host)

    def agents_candidate(self, settings: Path, text: str, port: int) -> Component:
        """A service that nobody knows of, to try what is to take the place of the one that serves."""
        return self._service(AGENTS_CANDIDATE, settings, text, port)

    def _service(self, name: str, settings: Path, text: str, port: int) -> Component:
        fingerprint, commit = _digest(text, *_service_sources()), current_commit()
        release = {} if commit is None else {RELEASE_VARIABLE: commit}
        return Component(
            name=name,
            command=(sys.executable, "-m", "agents.service"),
            host=laptop_of(self.environment).listen_host,
            port=port,
            health_path="/healthz",
            environment={**_QUIET, SETTINGS_VARIABLE: str(settings), **release},
            ready_seconds=60,
            fingerprint=fingerprint,
            # Answers that are being streamed are finished; the service itself gives up on them before it is killed.
            stop_seconds=int(self.environment.agents.answer_seconds) + STOP_MARGIN_SECONDS,
            files={str(settings): text},
        )

    def _component(
        self,
        name: str,
        command: tuple[str, ...],
        health_path: str,
        variables: Mapping[str, str],
        ready_seconds: int,
        fingerprint: str,
    ) -> Component:
        host = laptop_of(self.environment).listen_host
        return Component(
            name, command, host, self.ports[name], health_path, {**_QUIET, **variables}, ready_seconds, fingerprint
        )


def _service_sources() -> list[str]:
    return [file.read_text(encoding="utf-8") for file in sorted((REPOSITORY / "agents").rglob("*.py"))]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
