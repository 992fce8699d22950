"""The workflows of GitHub: nothing can change under them, they may do little, and they run what people run."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.environment import REPOSITORY, EnvironmentName
from tasks.prefect_objects import PREFECT_FILE

WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))


def read(file: Path) -> dict[Any, Any]:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def workflow(name: str) -> dict[Any, Any]:
    return read(REPOSITORY / ".github" / "workflows" / f"{name}.yml")


def steps(file: Path) -> list[dict[str, Any]]:
    return [step for job in read(file)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_nothing_can_change_under_a_workflow_and_it_may_do_little(file: Path) -> None:
    used = [step["uses"] for step in steps(file) if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)
    assert read(file)["permissions"] == {}
    for job in read(file)["jobs"].values():
        assert set(job["permissions"]) <= {"contents", "id-token"}
        assert job["permissions"]["contents"] == "read"
        assert job["timeout-minutes"] <= 360
    checkouts = [step for step in steps(file) if step.get("uses", "").startswith("actions/checkout@")]
    assert {step["with"]["persist-credentials"] for step in checkouts} == {False}
    # What somebody types would be run by the shell.
    assert not [step["run"] for step in steps(file) if "${{" in step.get("run", "")]


def test_one_action_has_one_version() -> None:
    pinned = {step["uses"] for file in WORKFLOWS for step in steps(file) if "uses" in step}
    assert len(pinned) == len({action.partition("@")[0] for action in pinned})


def test_checks_are_those_of_every_change_in_the_image_of_the_project() -> None:
    jobs = workflow("checks")["jobs"]
    assert jobs["check"]["steps"][-1] == {"run": "make check"}
    assert jobs["test"]["steps"][-1] == {"run": ".ci/run"}
    dockerfile = (REPOSITORY / "infra" / "images" / "Dockerfile").read_text(encoding="utf-8")
    assert f"ARG BASE={jobs['test']['container']['image']}\n" in dockerfile
    (kept,) = [step["with"]["path"] for step in jobs["test"]["steps"] if "actions/cache@" in step.get("uses", "")]
    assert kept == f"{jobs['test']['env']['XDG_CACHE_HOME']}/agentic-eks"


def test_the_whole_crash_matrix_runs_every_week_on_what_the_checks_run_on() -> None:
    crash = workflow("crash")
    # YAML 1.1 takes the key `on` for a truth value.
    (weekly,) = crash[True]["schedule"]
    assert re.fullmatch(r"\d+ \d+ \* \* \d", weekly["cron"])
    assert "seed" in crash[True]["workflow_dispatch"]["inputs"]
    *prepared, packages, matrix = crash["jobs"]["crash"]["steps"]
    checked = workflow("checks")["jobs"]["test"]
    assert packages == {"run": ".ci/packages"}
    assert matrix["run"].startswith("make crash SEED=")
    assert prepared == checked["steps"][:-1]
    assert crash["jobs"]["crash"]["container"] == checked["container"]


def test_every_flow_that_can_be_chosen_is_deployed_in_every_environment_that_can_be_chosen() -> None:
    deployed = {
        (block["entrypoint"].rpartition(".")[2], block["name"])
        for block in yaml.safe_load(PREFECT_FILE.read_text(encoding="utf-8"))["deployments"]
    }
    # YAML 1.1 takes the key `on` for a truth value.
    offered = workflow("run")[True]["workflow_dispatch"]["inputs"]
    assert set(offered["environment"]["options"]) == {
        name.value for name in EnvironmentName if name is not EnvironmentName.LOCAL
    }
    assert deployed >= {
        (flow, name) for flow in offered["flow"]["options"] for name in offered["environment"]["options"]
    }
    # It waits for approvals by suspending, which a workflow must not wait for; the last one asks a person for a word.
    assert not {"lifecycle", "teardown"} & set(offered["flow"]["options"])


def test_whoever_asks_prefect_says_who_it_is_to_prefect_cloud_and_to_a_server_of_ones_own() -> None:
    asking = [step for file in WORKFLOWS for step in steps(file) if "console run" in step.get("run", "")]
    asking += [step for file in WORKFLOWS for step in steps(file) if "prefect deployment run" in step.get("run", "")]
    assert len(asking) == 3
    for step in asking:
        for variable in ("PREFECT_API_KEY", "PREFECT_API_AUTH_STRING"):
            assert step["env"][variable] == f"${{{{ secrets.{variable} }}}}"


def test_a_plan_is_applied_only_after_the_reviewers_let_it_go() -> None:
    run, apply = workflow("run")["jobs"]["run"], workflow("run")["jobs"]["apply"]
    assert run["environment"] == "${{ inputs.environment }}"
    assert apply["environment"] == "${{ inputs.environment }}-approval"
    assert (apply["needs"], apply["if"]) == ("run", "needs.run.outputs.plan != ''")
    for job in (run, apply):
        (script,) = [step["run"] for step in job["steps"] if "console run" in step.get("run", "")]
        watched = re.search(r"--within-seconds (\d+)", script)
        assert watched is not None
        assert int(watched[1]) + 1800 <= 60 * job["timeout-minutes"], "the run is not over when GitHub ends the job"
