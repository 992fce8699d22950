"""The stage `agents`: the online agent service."""

from prefect import flow, get_run_logger

from flows import command_line
from flows.local_only import require_local
from tasks.agent_settings import agent_settings, write_agent_settings
from tasks.artifacts import publish_markdown
from tasks.assistant_api import Probe, ask, require_ready
from tasks.components import deploy, wait_until_ready
from tasks.data_directory import agent_settings_file
from tasks.environment import REPOSITORY, Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.git import current_commit
from tasks.leftovers import remove_component
from tasks.platforms.component_names import AGENTS, GATEWAY, WEB_SEARCH
from tasks.platforms.local_components import LocalComponents
from tasks.sample_question import sample_question
from tasks.store_settings import knowledge_store

# A grounded prompt is a long one for a small machine, and the gateway may try twice.
ANSWER_SECONDS = 180.0
# Its own probes run every few seconds, and the first of them opens the store.
READY_SECONDS = 60.0


@flow(name="agents", persist_result=True)
def agents(environment: EnvironmentName) -> Probe:
    """Run the agent service with the environment's settings, and have it answer a question.

    Args:
        environment: the environment whose service is released
    """
    require_local("agents", environment)
    settings = load_environment(environment)
    url = serve(settings)
    with knowledge_store(settings) as store:
        question = sample_question(store, REPOSITORY / settings.evaluation.dataset)
    probe = ask(url, question, ANSWER_SECONDS)
    text = f"Commit `{current_commit()}` answers at {url}\n\n**{question}**\n\n{probe.answer.answer}"
    publish_markdown(environment, "agents", "release", text, "What runs, and its answer to a probe question")
    get_run_logger().info("%s answers at %s", environment.value, url)
    return probe


def serve(settings: Environment) -> str:
    """Have the service run with the environment's settings; returns its base URL once it can answer."""
    components = LocalComponents.of(settings)
    platform = components.platform
    if (web_search := components.web_search_url) is not None:
        deploy(platform, components.web_search())
        wait_until_ready(platform, WEB_SEARCH)
    else:
        remove_component(platform, WEB_SEARCH)
    told = agent_settings(
        settings,
        platform.laptop.listen_host,
        components.ports[AGENTS],
        platform.address(GATEWAY),
        prefect_api_url=components.prefect_api_url,
        web_search_url=web_search,
    )
    path = write_agent_settings(told, agent_settings_file(settings))
    deploy(platform, components.agents(path))
    wait_until_ready(platform, AGENTS)
    url = platform.address(AGENTS)
    require_ready(url, READY_SECONDS)
    return url


if __name__ == "__main__":
    command_line.run(agents)
