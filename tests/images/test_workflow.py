"""The workflow that builds the images: natively, and with nothing that can change under it."""

import re
from typing import Any

import yaml

from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.resource_names import name_prefix

WORKFLOW = REPOSITORY / ".github" / "workflows" / "images.yml"
# What GitHub runs on machines of each architecture, https://github.com/actions/partner-runner-images
NATIVE = {"ubuntu-24.04", "ubuntu-24.04-arm"}


def jobs() -> dict[str, Any]:
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]


def steps() -> list[dict[str, Any]]:
    return [step for job in jobs().values() for step in job["steps"]]


def test_each_architecture_is_built_on_a_machine_of_its_own() -> None:
    assert set(jobs()["build"]["strategy"]["matrix"]["runner"]) == NATIVE
    assert not re.search("qemu|binfmt|--platform|--arch", WORKFLOW.read_text(encoding="utf-8"))


def test_actions_are_pinned_by_commit() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)


def test_only_the_build_may_become_the_role_that_pushes() -> None:
    assert [name for name, job in jobs().items() if "id-token" in job["permissions"]] == ["build"]
    (role,) = [step["with"]["role-to-assume"] for step in steps() if "role-to-assume" in step.get("with", {})]
    for name in (EnvironmentName.DEV, EnvironmentName.PROD):
        assert role.replace("${{ inputs.environment }}", name.value).endswith(f":role/{name_prefix(name)}-ci")
        access = load_environment(name).access
        assert access is not None
        assert access.ci is not None
        # GitHub names the environment in the token of a job that runs in one.
        assert access.ci.subjects == (f"environment:{name.value}",)
    assert {job["environment"] for job in jobs().values()} == {"${{ inputs.environment }}"}


def test_no_input_becomes_part_of_a_script() -> None:
    assert not [step["run"] for step in steps() if "${{" in step.get("run", "")]
