"""The flow `agents` for `dev`: a real Prefect server, helm and API server; emulated AWS; pods that run nothing.

Where the gate asks golden questions, services that are played at the end of the port-forward answer them.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.aws import EmulatedAws
from rehearsal.cluster import Cluster
from tasks.environment import EnvironmentName
from tasks.golden.dataset import Evidence, GoldenQuestion
from tasks.released_images import load_images
from tests.flows.conftest import RunPython
from tests.flows.rollout.agents_stage import (
    full_nodes,
    keep_agents_only,
    prepared_for_agents,
    push,
    serving,
)
from tests.flows.rollout.conftest import Artifact
from tests.flows.rollout.played_kubelet import kubelet_of
from tests.flows.rollout.played_port_forward import played_port_forward
from tests.tasks.scripted_assistant import scripted_assistant

pytestmark = [pytest.mark.prefect_server, pytest.mark.kubernetes, pytest.mark.timeout(1800)]

Agents = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def agents(
    emulated_aws: EmulatedAws,
    graviton_cluster: Cluster,
    prefect_server: str,
    checkout: Path,
    run_python: RunPython,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Agents]:
    """`python -m flows.agents --environment dev` in a checkout that has the release of this stage only."""
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    keep_agents_only(checkout)

    def run(*options: str) -> "subprocess.CompletedProcess[str]":
        return run_python("-m", "flows.agents", "--environment", "dev", *options)

    with prepared_for_agents(emulated_aws, graviton_cluster):
        yield run


def settings_of_stable(cluster: Cluster) -> dict[str, Any]:
    """What the version that people talk to is told."""
    (settings,) = (
        each["data"]["settings.json"]
        for each in cluster.api.list("/api/v1/namespaces/agents/configmaps")
        if re.fullmatch("agents(-[0-9a-f]+)?", each["metadata"]["name"])
    )
    return json.loads(settings)


def test_versions_are_released_kept_and_gone_back_to(
    agents: Agents, graviton_cluster: Cluster, artifact: Artifact, checkout: Path
) -> None:
    first = agents("--requested-by", "ann")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "gate not-proved: the canary's pods are on simulated nodes" in first.stderr
    assert "sk-a-secret" not in first.stdout + first.stderr
    stand_in = f"sha256:{'0' * 64}"
    assert serving(graviton_cluster) == {"agents": stand_in}
    page = artifact("dev-agents-release")
    assert stand_in in page
    assert "| released by | `ann` |" in page

    again = agents("--requested-by", "bob")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "agents: unchanged" in again.stderr
    assert artifact("dev-agents-release").splitlines()[:-1] == page.splitlines()[:-1], "what serves has not changed"

    newer = push("newer", "4f2c")
    forward = agents("--version", newer)
    assert forward.returncode == 0, forward.stdout + forward.stderr
    assert serving(graviton_cluster) == {"agents": newer}
    assert "| commit | `4f2c` |" in artifact("dev-agents-release")
    assert load_images(EnvironmentName.DEV)["agents"].endswith(newer)

    told = settings_of_stable(graviton_cluster)
    file = checkout / "infra" / "environments" / "dev.tfvars"
    text, changes = re.subn(r"(answer_seconds\s*=) \d+", r"\1 77", file.read_text(encoding="utf-8"))
    assert changes == 1
    file.write_text(text, encoding="utf-8")
    newest = agents("--version", push("newest", "1b3d"))
    assert newest.returncode == 0, newest.stdout + newest.stderr
    assert settings_of_stable(graviton_cluster)["limits"]["answer_seconds"] == 77
    back = agents("--version", newer)
    assert back.returncode == 0, back.stdout + back.stderr
    assert serving(graviton_cluster) == {"agents": newer}
    assert settings_of_stable(graviton_cluster) == told, "an older image may not understand the settings of today"

    broken = push("broken", "9e9e")
    with kubelet_of(graviton_cluster, "played"), full_nodes(graviton_cluster):
        refused = agents("--version", broken)
    assert refused.returncode == 1
    assert f"{broken} is not released: no way to agents/service/agents-canary" in refused.stderr
    assert f"{newer} is still serving" in refused.stderr
    assert serving(graviton_cluster) == {"agents": newer}
    assert load_images(EnvironmentName.DEV)["agents"].endswith(newer)

    with kubelet_of(graviton_cluster, "played"), full_nodes(graviton_cluster):
        worse = answered_worse(agents, checkout, push("worse", "7a7a"))
    assert worse.returncode == 1
    assert "1 of 4 golden questions right, 3 of 4 worse than with the version that serves" in worse.stderr
    assert f"{newer} is still serving. Worse: 'One?'; 'Two?'; 'Three?'." in worse.stderr
    assert serving(graviton_cluster) == {"agents": newer}
    assert load_images(EnvironmentName.DEV)["agents"].endswith(newer)


def answered_worse(agents: Agents, checkout: Path, version: str) -> "subprocess.CompletedProcess[str]":
    """Release a version that has lost what the one that serves knows."""
    questions = ("One?", "Two?", "Three?", "Four?")
    evidence = (Evidence(document="here.md", quote="any"),)
    lines = [
        GoldenQuestion(
            id=text[:-1].lower(), kind="answerable", question=text, reference="any", evidence=evidence
        ).model_dump_json()
        for text in questions
    ]
    (checkout / "golden" / "questions.jsonl").write_text("\n".join(lines), encoding="utf-8")
    known: dict[str, str | None] = dict.fromkeys(questions, "here.md")
    lost: dict[str, str | None] = {**dict.fromkeys(questions[:2], "elsewhere.md"), "Three?": None, "Four?": "here.md"}
    with scripted_assistant(known) as before, scripted_assistant(lost) as canary, pytest.MonkeyPatch.context() as told:
        addresses = {"service/agents-canary": canary.url, "service/agents": before.url}
        ways = {target: url.removeprefix("http://") for target, url in addresses.items()}
        for name, value in played_port_forward(checkout.parent / "programs", ways).items():
            told.setenv(name, value)
        return agents("--version", version)


def test_what_cannot_be_released_is_said_before_anything_changes(
    agents: Agents, graviton_cluster: Cluster, checkout: Path
) -> None:
    before = serving(graviton_cluster)
    for version, code, message in (
        (f"sha256:{'9' * 64}", 1, "has no such image"),
        ("latest", 2, "version"),
    ):
        done = agents("--version", version)
        assert done.returncode == code, done.stderr
        assert message in done.stderr
    (checkout / "golden" / "questions.jsonl").write_text("{", encoding="utf-8")
    unasked = agents("--version", push("unasked", "5c5c"))
    assert unasked.returncode == 1, unasked.stderr
    assert "questions.jsonl, line 1: " in unasked.stderr
    assert "(revision " not in unasked.stderr, "a canary was rolled out that nothing can be asked of"
    assert serving(graviton_cluster) == before
