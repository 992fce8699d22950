"""What the description of the agent service's process says; nothing is started."""

from pathlib import Path

from agents.settings import RELEASE_VARIABLE
from tasks.git import current_commit
from tasks.platforms.local_components import LocalComponents
from tests.tasks.conftest import make_environment


def test_traces_of_a_laptop_name_the_commit(tmp_path: Path) -> None:
    components = LocalComponents.of(make_environment(tmp_path))
    service = components.agents(tmp_path / "agents.json", "{}")
    candidate = components.agents_candidate(tmp_path / "candidate.json", "{}", 1)
    # An export of the checkout has no commit, and then names none.
    assert service.environment.get(RELEASE_VARIABLE) == candidate.environment.get(RELEASE_VARIABLE) == current_commit()
