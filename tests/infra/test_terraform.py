"""The Terraform root is sound, its own tests pass, and it plans every environment file."""

from pathlib import Path

import pytest

from tasks.environment import EnvironmentName
from tests.infra.conftest import MockedTest
from tests.terraform import INFRA, run_terraform

pytestmark = pytest.mark.terraform

# Without these the provider would look for credentials on this machine, or on the network.
NO_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "",
    "AWS_PROFILE": "",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
}


def test_the_root_is_valid_and_its_modules_do_what_they_say(
    root: Path, terraform_configuration: dict[str, str]
) -> None:
    run_terraform(root, "validate", environment=terraform_configuration)
    assert ", 0 failed" in run_terraform(root, "test", environment=terraform_configuration)


def test_wrong_sections_are_refused(sections: Path) -> None:
    assert ", 0 failed" in run_terraform(sections, "test")


def test_every_section_is_declared_where_refusals_are_tested() -> None:
    declared = INFRA / "tests" / "sections"
    needed = [*INFRA.glob("variables*.tf"), INFRA / "addon-versions.json", INFRA / "instance-types.json"]
    assert {file.name: file for file in needed} == {
        link.name: link.resolve() for link in declared.iterdir() if link.is_symlink()
    }


@pytest.mark.parametrize("name", EnvironmentName)
def test_every_environment_file_is_planned(mocked_test: MockedTest, name: EnvironmentName) -> None:
    messages = mocked_test(name)
    (summary,) = [message["test_summary"] for message in messages if message["type"] == "test_summary"]
    assert (summary["status"], summary["passed"]) == ("pass", 1)
    assert [message for message in messages if message["type"] == "diagnostic"] == []


def test_local_has_nothing_on_aws_and_needs_no_credentials(root: Path, terraform_configuration: dict[str, str]) -> None:
    output = run_terraform(
        root,
        "plan",
        "-input=false",
        "-var-file=environments/local.tfvars",
        environment={**terraform_configuration, **NO_CREDENTIALS},
    )
    assert "will be created" not in output
    assert "Value for undeclared variable" not in output


def test_files_are_formatted() -> None:
    run_terraform(INFRA, "fmt", "-check", "-recursive")
