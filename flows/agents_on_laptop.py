"""The agent service of a laptop: a new version starts beside the one that serves, proves itself, and takes over."""

from tasks.agent_service.access import laptop_operator_key
from tasks.agent_service.changes import changing_agents
from tasks.agent_service.http_api import Probe, ask, require_ready
from tasks.agent_service.laptop_service import ANSWER_SECONDS, READY_SECONDS, LaptopService
from tasks.agent_service.sample_question import sample_question
from tasks.artifacts import publish_markdown
from tasks.environment import Environment
from tasks.git import current_commit
from tasks.platforms.component_names import AGENTS
from tasks.platforms.components import deploy, wait_until_ready
from tasks.platforms.local_components import LocalComponents


def release_on_laptop(settings: Environment) -> tuple[str, Probe]:
    """Run the service with the environment's settings, and have it answer a question; returns where, and the answer."""
    url = serve(settings)
    probe = ask(url, sample_question(settings), ANSWER_SECONDS, laptop_operator_key(settings))
    text = f"Commit `{current_commit()}` answers at {url}\n\n**{probe.question}**\n\n{probe.answer.answer}"
    publish_markdown(settings.name, "agents", "release", text, "What runs, and its answer to a probe question")
    return url, probe


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
