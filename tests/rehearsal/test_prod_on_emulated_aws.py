"""What `prod` plans is what the emulated AWS makes, but for the reviewed list; and it then plans nothing more."""

import json
from pathlib import Path

import pytest

from rehearsal.aws import running_emulated_aws
from rehearsal.aws.not_creatable import not_creatable, plan_arguments
from rehearsal.provider_mirror import cli_configuration
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tests.plans import Plan
from tests.terraform import copy_of_infra, run_terraform

WITHIN_SECONDS = 1800


@pytest.mark.terraform
@pytest.mark.timeout(WITHIN_SECONDS)
def test_every_type_of_prod_is_made_or_on_the_list(tmp_path: Path, plan: Plan) -> None:
    prod = load_environment(EnvironmentName.PROD).environment
    assert prod.account_id is not None
    assert prod.region is not None
    root = copy_of_infra(tmp_path)
    with running_emulated_aws(prod.account_id, prod.region) as aws:
        environment = {
            **cli_configuration(tmp_path),
            **aws.environment,
            "TF_CLI_ARGS_plan": f"-input=false -var-file=environments/prod.tfvars {plan_arguments(root)}",
        }
        run_terraform(root, "init", environment=environment)
        run_terraform(root, "plan", "-out=first.tfplan", environment=environment)
        run_terraform(root, "apply", "-input=false", "first.tfplan", environment=environment)
        run_terraform(root, "plan", "-out=second.tfplan", environment=environment)
        second = json.loads(run_terraform(root, "show", "-json", "second.tfplan", environment=environment))
    resources = [each for each in second["resource_changes"] if each["mode"] == "managed"]
    changed = {each["address"] for each in resources if each["change"]["actions"] != ["no-op"]}
    assert changed == set()
    planned = {change.type for change in plan(EnvironmentName.PROD).planned()}
    assert {each["type"] for each in resources} == planned - {entry.type for entry in not_creatable()}
