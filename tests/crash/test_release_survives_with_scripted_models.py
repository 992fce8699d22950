"""Whatever happens at a commit point of a release on a laptop, running it again converges, and no request is lost.

Prefect's server, supervisord and the services are real; only the models are scripted.
"""

import json

import pytest

from tasks.agent_service.changes import changing_agents
from tasks.agent_service.laptop_service import LaptopService
from tasks.laptop.data_directory import agent_candidate_file
from tasks.platforms import Component
from tasks.platforms.component_names import AGENTS, AGENTS_CANDIDATE, GATEWAY
from tasks.platforms.owned_processes import owned_processes
from tests.crash.agents_points import GATE_POINTS
from tests.crash.children import ended
from tests.crash.faults import Case, Fault
from tests.crash.served_laptop import LEAST_RELEVANCY, ServedLaptop
from tests.ports import free_port

pytestmark = [pytest.mark.prefect_server, pytest.mark.platform, pytest.mark.timeout(1800)]


@pytest.fixture
def versions(served_laptop: ServedLaptop) -> tuple[str, str]:
    """What the version that serves answers, and what the one that the variable file asks for now will."""
    former = served_laptop.ask()
    (wanted,) = LEAST_RELEVANCY.keys() - {former}
    served_laptop.describe(wanted)
    return former, wanted


def test_a_release_converges_after_a_fault(
    served_laptop: ServedLaptop, versions: tuple[str, str], release_case: Case
) -> None:
    former, wanted = versions
    with served_laptop.callers() as callers:
        code, output = served_laptop.release(release_case)
        assert (code == 0) == (release_case.fault is Fault.SLOW), output
        if release_case.point in GATE_POINTS and code != 0:
            assert set(callers.outcomes) == {former}, "a version that has not passed the gate has answered"
        code, output = served_laptop.release()
        assert code == 0, output

    assert {former} <= set(callers.outcomes) <= {former, wanted}, "a request was lost"
    assert_only_the_described_version_runs(served_laptop, wanted)


def test_a_release_that_a_fault_met_can_be_taken_back(
    served_laptop: ServedLaptop, versions: tuple[str, str], withdrawn_case: Case
) -> None:
    former, wanted = versions
    with served_laptop.callers() as callers:
        code, output = served_laptop.release(withdrawn_case)
        assert (code == 0) == (withdrawn_case.fault is Fault.SLOW), output
        served_laptop.describe(former)
        code, output = served_laptop.release()
        assert code == 0, output

    assert {former} <= set(callers.outcomes) <= {former, wanted}, "a request was lost"
    assert_only_the_described_version_runs(served_laptop, former)


def test_runs_at_the_same_moment_leave_what_the_other_one_tries(
    served_laptop: ServedLaptop, versions: tuple[str, str]
) -> None:
    former, wanted = versions
    service = served_laptop.service
    platform = service.components.platform
    with served_laptop.callers() as callers:
        with changing_agents(service.settings):
            platform.deploy(candidate_of(service))
            runs = [served_laptop.start(flow) for flow in ("agents", "evaluation")]
            for run in runs:
                assert run.stdout is not None
                assert any("agents.lock" in line for line in run.stdout), "it does not wait for its turn"
            platform.wait_until_ready(AGENTS_CANDIDATE)
        for code, output in map(ended, runs):
            assert code == 0, output

    assert {former} <= set(callers.outcomes) <= {former, wanted}, "a request was lost"
    assert_only_the_described_version_runs(served_laptop, wanted)


def candidate_of(service: LaptopService) -> Component:
    """A process that a run which owns the change has started."""
    wanted, port = service.wanted, free_port()
    path = agent_candidate_file(service.settings)
    (text,) = wanted.files.values()
    told = json.loads(text) | {"port": port}
    return service.components.agents_candidate(path, json.dumps(told), port)


def assert_only_the_described_version_runs(served_laptop: ServedLaptop, kind: str) -> None:
    service = served_laptop.service
    platform = service.components.platform
    assert served_laptop.ask() == kind
    assert platform.runs_as_described(service.wanted)
    states = {state.name: state for state in platform.list_components()}
    assert states.keys() == {AGENTS, GATEWAY}, "something of a canary is left"
    services = [
        process.pid for process in owned_processes(platform.supervisor.url) if "agents.service" in process.cmdline()
    ]
    assert services == [states[AGENTS].pid]
    assert not agent_candidate_file(service.settings).exists()
