"""A new version of the agent service takes over under load: real supervisord and services; only models are scripted."""

import dataclasses
import threading
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from tasks.environment import Environment
from tasks.laptop.secret_file import GATEWAY_KEY
from tasks.platforms import Component, NotReady
from tasks.platforms.component_names import AGENTS
from tasks.platforms.component_records import ComponentRecords
from tasks.platforms.local import LocalPlatform
from tasks.platforms.local_components import LocalComponents
from tasks.platforms.owned_processes import owned_processes
from tests.agents.conftest import service_settings
from tests.agents.corpus_generation import build_generation, corpus_chunks
from tests.agents.scripted_gateway import ScriptedGateway
from tests.callers import Callers
from tests.tasks.conftest import until

pytestmark = [pytest.mark.platform, pytest.mark.timeout(1200)]

QUESTION = "What does make down stop?"
REPLY = "`make down` stops every process that `make up` started. Runs that are still going are cancelled first."
FIRST, SECOND = 20, 160


@pytest.fixture
def gateway() -> Generator[ScriptedGateway]:
    gateway = ScriptedGateway(reply=REPLY)
    gateway.start()
    yield gateway
    gateway.stop()


def version(environment: Environment, gateway: ScriptedGateway, answer_tokens: int) -> Component:
    """The service of `environment`, told apart from others by a limit of its."""
    components = LocalComponents.of(environment)
    data = components.platform.data_directory
    settings = service_settings(gateway.url, data / "knowledge", answer_tokens=answer_tokens)
    gateway_of = settings.gateway.model_copy(update={"api_key_variable": GATEWAY_KEY})
    told = settings.model_copy(update={"port": components.ports[AGENTS], "gateway": gateway_of})
    return components.agents(data / "agents.json", told.model_dump_json())


@pytest.fixture
def first(local_environment: Environment, platform: LocalPlatform, gateway: ScriptedGateway) -> Component:
    """The first version, which answers."""
    build_generation(platform.data_directory / "knowledge", "g1", corpus_chunks())
    component = version(local_environment, gateway, FIRST)
    platform.deploy(component)
    platform.wait_until_ready(AGENTS)
    until(lambda: httpx.get(f"{component.address}/readyz", timeout=60).is_success)
    return component


def pids_of(platform: LocalPlatform) -> set[int]:
    return {state.pid for state in platform.list_components() if state.pid is not None}


def test_no_request_is_lost_when_another_version_takes_over(
    local_environment: Environment, platform: LocalPlatform, gateway: ScriptedGateway, first: Component
) -> None:
    (before,) = pids_of(platform)
    second = version(local_environment, gateway, SECOND)

    with Callers(first.address, QUESTION) as callers:
        until(lambda: callers.outcomes["answered"] > 20)
        for wanted in (second, first, second):
            assert platform.deploy(wanted) is True
            seen = callers.outcomes["answered"]
            until(lambda seen=seen: callers.outcomes["answered"] > seen + 20)

    assert set(callers.outcomes) == {"answered"}
    assert pids_of(platform).isdisjoint({before})
    assert platform.runs_as_described(second)
    assert platform.deploy(second) is False


def test_a_stream_that_began_with_the_old_version_is_finished_by_it(
    local_environment: Environment, platform: LocalPlatform, gateway: ScriptedGateway, first: Component
) -> None:
    gateway.held_after = 14
    body, headers = {"question": QUESTION}, {"accept": "text/event-stream"}
    with httpx.stream("POST", f"{first.address}/v1/ask", json=body, headers=headers, timeout=60) as response:
        lines = response.iter_lines()
        for line in lines:
            if line == "event: sentence_released":
                break
        switch = threading.Thread(target=platform.deploy, args=(version(local_environment, gateway, SECOND),))
        switch.start()
        # The old one waits for its stream, while another one answers.
        until(lambda: (platform.supervisor.directory / "agents-1.ready").exists())
        assert httpx.get(f"{first.address}/healthz", timeout=60).is_success
        gateway.hold.set()
        rest = [line for line in lines if line]
    switch.join()
    assert rest[-2] == "event: done"


def test_a_version_that_does_not_start_takes_nothing_over(platform: LocalPlatform, first: Component) -> None:
    broken = dataclasses.replace(first, fingerprint="other", files=dict.fromkeys(first.files, "{}"), ready_seconds=60)
    before = pids_of(platform)

    with pytest.raises(NotReady, match="the previous process is still serving"):
        platform.deploy(broken)

    assert pids_of(platform) == before
    assert httpx.get(f"{first.address}/readyz", timeout=60).is_success
    assert platform.deploy(first) is True


@pytest.mark.parametrize("answer_tokens", [SECOND, FIRST], ids=["made again", "taken back"])
def test_what_a_killed_change_left_is_put_right(
    local_environment: Environment,
    platform: LocalPlatform,
    gateway: ScriptedGateway,
    first: Component,
    answer_tokens: int,
) -> None:
    ComponentRecords(platform.supervisor.directory / "components").begin_change(AGENTS)
    platform.supervisor.start("agents:agents-1")
    until(lambda: (platform.supervisor.directory / "agents-1.ready").exists())

    assert platform.deploy(version(local_environment, gateway, answer_tokens)) is True

    assert len(pids_of(platform)) == 1
    services = [each for each in owned_processes(platform.supervisor.url) if "agents.service" in each.cmdline()]
    assert {each.pid for each in services} == pids_of(platform)
    assert httpx.get(f"{first.address}/healthz", timeout=60).is_success


def test_the_log_is_that_of_the_process_that_serves(platform: LocalPlatform, first: Component) -> None:
    assert platform.log_path(AGENTS) == Path(platform.logs / "agents-0.log")
    assert platform.log_tail(AGENTS) != "(it wrote nothing)"
