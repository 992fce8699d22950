"""The teardown of a laptop, as the command that people type: what the stages made is gone, and what went is listed."""

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from prefect.client.orchestration import SyncPrefectClient

from tasks.environment import Environment
from tasks.environment.variable_file import read_variable_file
from tasks.platforms import Component
from tasks.platforms.component_names import REASONING
from tasks.platforms.local import LocalPlatform, laptop_of
from tests.artifacts import newest_artifact
from tests.flows.conftest import RunPython
from tests.local_environment import write_local_environment
from tests.ports import free_port

pytestmark = [pytest.mark.prefect_server, pytest.mark.platform]

TEARDOWN = ("-m", "flows.teardown", "--environment", "local", "--confirm", "local")


@pytest.fixture
def laptop(checkout: Path) -> Environment:
    """The local environment of the checkout, with ports of its own."""
    directory = write_local_environment(checkout / "infra" / "environments", checkout / ".state")
    return read_variable_file(directory / "local.tfvars")


@pytest.fixture
def platform(laptop: Environment) -> Iterator[LocalPlatform]:
    """What runs on that laptop; it is stopped at the end."""
    platform = LocalPlatform(laptop_of(laptop))
    yield platform
    platform.stop()


def removed(client: SyncPrefectClient) -> str:
    """The rows of the table that says what went."""
    return newest_artifact(client, "local-teardown-gone")


def test_no_copy_conversation_or_key_stays(
    run_python: RunPython, laptop: Environment, checkout: Path, prefect_client: SyncPrefectClient
) -> None:
    copies, agents = checkout / ".state" / "knowledge-copies", checkout / ".state" / "agents"
    (copies / "one").mkdir(parents=True)
    agents.mkdir()
    for name in ("state.db", "state.db-wal", "state-copy.db", "operator-key"):
        (agents / name).write_text("a conversation, or a key", encoding="utf-8")

    outcome = run_python(*TEARDOWN)

    assert outcome.returncode == 0, outcome.stderr
    assert not copies.exists()
    assert not agents.exists()
    assert str(copies) in removed(prefect_client)
    assert str(agents) in removed(prefect_client)


def test_a_model_server_whose_role_is_no_longer_in_the_file_is_removed(
    run_python: RunPython, laptop: Environment, platform: LocalPlatform, prefect_client: SyncPrefectClient
) -> None:
    host, port = "127.0.0.1", free_port()
    command = (sys.executable, "-m", "http.server", str(port), "--bind", host, "--directory", str(platform.logs))
    platform.deploy(Component(REASONING, command, host, port, "/", {}, 300, ""))
    platform.wait_until_ready(REASONING)
    (server,) = platform.list_components()
    assert server.pid is not None

    outcome = run_python(*TEARDOWN)

    assert outcome.returncode == 0, outcome.stderr
    assert not psutil.pid_exists(server.pid)
    assert platform.list_components() == []
    assert "components removed: reasoning; " in outcome.stdout + outcome.stderr
    assert REASONING in removed(prefect_client)
