"""The workflows as GitHub would read them, by the real actionlint."""

import subprocess
from pathlib import Path

import pytest

from tasks.environment import REPOSITORY
from tests.workflows.actionlint import actionlint

pytestmark = pytest.mark.actionlint


def linted(*files: Path) -> "subprocess.CompletedProcess[str]":
    # Whether the machine happens to have shellcheck must make no difference.
    command = [str(actionlint()), "-no-color", "-shellcheck=", "-pyflakes=", *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.timeout(1800)
def test_the_workflows_have_no_mistake() -> None:
    workflows = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
    assert len(workflows) >= 3
    outcome = linted(*workflows)
    assert outcome.returncode == 0, outcome.stdout


@pytest.mark.timeout(1800)
def test_an_output_that_no_job_has_is_found(tmp_path: Path) -> None:
    text = (REPOSITORY / ".github" / "workflows" / "run.yml").read_text(encoding="utf-8")
    broken = tmp_path / "run.yml"
    broken.write_text(text.replace("needs.run.outputs.plan }}", "needs.run.outputs.digest }}"), encoding="utf-8")
    outcome = linted(broken)
    assert outcome.returncode == 1
    assert 'property "digest" is not defined' in outcome.stdout
