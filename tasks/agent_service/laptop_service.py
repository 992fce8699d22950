"""The agent service of a laptop as its file and the checkout describe it, proved beside the one that serves."""

from dataclasses import dataclass

from tasks.agent_service.access import laptop_operator_key
from tasks.agent_service.changes import changing_agents
from tasks.agent_service.http_api import ask, require_ready
from tasks.agent_service.sample_question import sample_question
from tasks.agent_service.settings import agent_settings
from tasks.environment import Environment
from tasks.laptop.data_directory import agent_candidate_file, agent_settings_file
from tasks.laptop.leftovers import remove_component
from tasks.platforms import Component
from tasks.platforms.component_names import AGENTS, AGENTS_CANDIDATE, GATEWAY, WEB_SEARCH
from tasks.platforms.components import deploy, wait_until_ready
from tasks.platforms.local_components import LocalComponents
from tasks.platforms.ports import free_port

# A grounded prompt is a long one for a small machine, and the gateway may try twice.
ANSWER_SECONDS = 180.0
# Its own probes run every few seconds, and the first of them opens the store.
READY_SECONDS = 60.0


@dataclass(frozen=True)
class LaptopService:
    """The service as the environment file and the checkout describe it."""

    settings: Environment
    components: LocalComponents

    @property
    def wanted(self) -> Component:
        """What is to serve."""
        text = self._settings_text(self.components.ports[AGENTS])
        return self.components.agents(agent_settings_file(self.settings), text)

    def run_web_search(self) -> None:
        """Have the web search server run where the environment has one and its key is known, and not otherwise."""
        platform = self.components.platform
        if self.components.web_search_url is None:
            remove_component(platform, WEB_SEARCH)
            return
        deploy(platform, self.components.web_search())
        wait_until_ready(platform, WEB_SEARCH)

    def prove_candidate(self) -> None:
        """Start the same service where nobody asks it, have it answer a question, and stop it.

        Raises:
            NotReady, AssistantUnavailable: it does not; what serves is as it was.
        """
        platform, path = self.components.platform, agent_candidate_file(self.settings)
        port = free_port(platform.laptop.listen_host)
        deploy(platform, self.components.agents_candidate(path, self._settings_text(port), port))
        try:
            wait_until_ready(platform, AGENTS_CANDIDATE)
            url = platform.address(AGENTS_CANDIDATE)
            require_ready(url, READY_SECONDS)
            ask(url, sample_question(self.settings), ANSWER_SECONDS, laptop_operator_key(self.settings))
        finally:
            self.remove_candidate()

    def remove_candidate(self) -> None:
        """Leave no service that tries what is to take over, and nothing of one."""
        remove_component(self.components.platform, AGENTS_CANDIDATE)
        agent_candidate_file(self.settings).unlink(missing_ok=True)

    def _settings_text(self, port: int) -> str:
        """The text of the settings file of a service that listens on `port`."""
        platform = self.components.platform
        settings = agent_settings(
            self.settings,
            platform.laptop.listen_host,
            port,
            platform.address(GATEWAY),
            prefect_api_url=self.components.prefect_api_url,
            web_search_url=self.components.web_search_url,
        )
        return settings.model_dump_json(indent=2)


def serve(settings: Environment) -> str:
    """Have the service run with the environment's settings; returns its base URL once it can answer.

    Where another version serves, the new one has to answer a question first.
    """
    service = LaptopService(settings, LocalComponents.of(settings))
    platform = service.components.platform
    with changing_agents(settings):
        service.run_web_search()
        # A run that was killed may have left one.
        service.remove_candidate()
        wanted = service.wanted
        if platform.serves(AGENTS) and not platform.runs_as_described(wanted):
            service.prove_candidate()
        deploy(platform, wanted)
        wait_until_ready(platform, AGENTS)
    url = platform.address(AGENTS)
    require_ready(url, READY_SECONDS)
    return url


def agents_serve(settings: Environment) -> bool:
    """Whether a service runs that people may be asking."""
    return LocalComponents.of(settings).platform.serves(AGENTS)
