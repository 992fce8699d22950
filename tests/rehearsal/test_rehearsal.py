"""A whole rehearsal, as `make rehearse ENV=dev` runs it, and what it refuses."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal.aws.not_creatable import not_creatable
from rehearsal.variable_files import copy_variable_file, lift_protection
from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.variable_file import read_variable_file
from tests.plans import Plan

WITHIN_SECONDS = 2400


def rehearse(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "rehearsal", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "COLUMNS": "160"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_SECONDS,
    )


@pytest.mark.terraform
@pytest.mark.prefect_server
@pytest.mark.timeout(WITHIN_SECONDS + 60)
def test_dev_is_provisioned_compared_and_torn_down_by_its_own_deployments(plan: Plan) -> None:
    done = rehearse("--environment", "dev")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    for said in (
        "provision/dev suspended with the plan, was approved, applied it and published the outputs",
        "drift/dev found no difference after provision",
        "drift/dev found that the versioning of 'agentic-eks-dev-knowledge-111122223333' was suspended by hand",
        "teardown/dev removed everything, and found nothing left by tag or by state",
    ):
        assert said in done.stdout
    planned = {change.type for change in plan(EnvironmentName.DEV).planned()}
    applied = sum(int(types) for types in re.findall(r"(?:moto|ministack) +│ +\d+ +│ +(\d+)", done.stdout))
    assert applied == len(planned - {entry.type for entry in not_creatable()})
    for entry in not_creatable():
        assert entry.type in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--environment", "local"), "'local' has nothing on AWS"),
        (("--environment", "dev", "--stages", "provision,polish"), "'polish' is not a valid Stage"),
        (("--environment", "dev", "--stages", "drift"), "must begin with provision"),
        (("--environment", "dev", "--stages", "provision,teardown,drift"), "in the order provision,drift,teardown"),
        (("--environment", "moon"), "'moon' is not one of"),
    ],
)
def test_wrong_input_is_refused_before_anything_starts(arguments: tuple[str, ...], said: str) -> None:
    done = rehearse(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "emulated AWS" not in done.stdout


def test_protection_is_lifted_in_a_copy_only(tmp_path: Path) -> None:
    copy = copy_variable_file(EnvironmentName.PROD, tmp_path)
    assert read_variable_file(copy).environment.protected
    lift_protection(copy)
    assert not read_variable_file(copy).environment.protected
    assert read_variable_file(REPOSITORY / "infra/environments/prod.tfvars").environment.protected
    with pytest.raises(ValueError, match="0 times"):
        lift_protection(copy)
