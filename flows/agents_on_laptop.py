"""The agent service of a laptop: a new version starts beside the one that serves, proves itself, and takes over."""

from tasks.agent_service.access import laptop_operator_key
from tasks.agent_service.http_api import Probe, ask
from tasks.agent_service.laptop_service import ANSWER_SECONDS, serve
from tasks.agent_service.sample_question import sample_question
from tasks.artifacts import publish_markdown
from tasks.environment import Environment
from tasks.git import current_commit


def release_on_laptop(settings: Environment) -> tuple[str, Probe]:
    """Run the service with the environment's settings, and have it answer a question; returns where, and the answer."""
    url = serve(settings)
    probe = ask(url, sample_question(settings), ANSWER_SECONDS, laptop_operator_key(settings))
    text = f"Commit `{current_commit()}` answers at {url}\n\n**{probe.question}**\n\n{probe.answer.answer}"
    publish_markdown(settings.name, "agents", "release", text, "What runs, and its answer to a probe question")
    return url, probe
