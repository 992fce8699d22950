"""The stages with nothing to install on a laptop, as the commands that people type."""

from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient

from tests.artifacts import newest_artifact
from tests.flows.conftest import RunPython

pytestmark = pytest.mark.prefect_server


def test_provision_checks_the_machine_and_makes_the_directories(
    run_python: RunPython, checkout: Path, prefect_client: SyncPrefectClient
) -> None:
    first = run_python("-m", "flows.provision", "--environment", "local")
    again = run_python("-m", "flows.provision", "--environment", "local")

    assert first.returncode == 0, first.stderr
    assert again.returncode == 0, again.stderr
    assert "made 3 of 3 work directories" in first.stdout + first.stderr
    assert "made 0 of 3 work directories" in again.stdout + again.stderr
    assert (checkout / ".state" / "models").is_dir()
    assert "free disk" in newest_artifact(prefect_client, "local-provision-machine")


def test_provision_fails_where_the_data_directory_cannot_be_written(run_python: RunPython, checkout: Path) -> None:
    (checkout / ".state").write_text("a file in the way", encoding="utf-8")

    outcome = run_python("-m", "flows.provision", "--environment", "local")

    assert outcome.returncode == 1
    assert f"{checkout / '.state'} cannot be written" in outcome.stderr


def test_addons_says_what_it_looked_at(run_python: RunPython, prefect_client: SyncPrefectClient) -> None:
    outcome = run_python("-m", "flows.addons", "--environment", "local")

    assert outcome.returncode == 0, outcome.stderr
    assert "Nothing to install" in newest_artifact(prefect_client, "local-addons-releases")


def test_addons_refuses_releases_for_the_laptop(run_python: RunPython, checkout: Path) -> None:
    release = checkout / "helm-values" / "karpenter"
    release.mkdir(parents=True, exist_ok=True)
    (release / "local.yaml").write_text("{}", encoding="utf-8")

    outcome = run_python("-m", "flows.addons", "--environment", "local")

    assert outcome.returncode == 1
    assert "'karpenter'" in outcome.stderr


def test_a_plan_of_the_laptop_exits_with_2(run_python: RunPython) -> None:
    outcome = run_python("-m", "flows.addons", "--environment", "local", "--mode", "plan")
    assert outcome.returncode == 2
    assert "mode = 'plan' is for environments on AWS; 'local' has no cluster" in outcome.stderr


def test_add_ons_of_an_environment_that_was_not_provisioned_are_refused(run_python: RunPython) -> None:
    outcome = run_python("-m", "flows.addons", "--environment", "dev", "--mode", "plan")
    assert outcome.returncode == 1
    assert "run provision/dev first" in outcome.stderr


@pytest.mark.parametrize("arguments", [["--environment", "nowhere"], [], ["--environment", "local", "--colour", "red"]])
def test_wrong_options_exit_with_2(run_python: RunPython, arguments: list[str]) -> None:
    outcome = run_python("-m", "flows.provision", *arguments)
    assert outcome.returncode == 2
    assert "Usage" in outcome.stderr


def test_an_environment_that_was_not_provisioned_is_not_evaluated(run_python: RunPython) -> None:
    outcome = run_python("-m", "flows.evaluation", "--environment", "dev")
    assert outcome.returncode == 1
    assert "run provision/dev first" in outcome.stderr


def test_a_version_of_the_agents_is_for_clusters(run_python: RunPython) -> None:
    outcome = run_python("-m", "flows.agents", "--environment", "local", "--version", f"sha256:{'0' * 64}")
    assert outcome.returncode == 2
    assert "check another commit out, and run agents/local" in outcome.stderr


def test_environment_given_twice_differently_exits_with_2(run_python: RunPython, checkout: Path) -> None:
    outcome = run_python("-m", "flows.teardown", "--environment", "local", "--confirm", "dev")
    assert outcome.returncode == 2
    assert "nothing was removed" in outcome.stderr


def test_wrong_variable_file_exits_with_2(run_python: RunPython, checkout: Path) -> None:
    file = checkout / "infra" / "environments" / "local.tfvars"
    file.write_text(file.read_text(encoding="utf-8") + '\ncolour = "red"\n', encoding="utf-8")

    outcome = run_python("-m", "flows.provision", "--environment", "local")

    assert outcome.returncode == 2
    assert "colour" in outcome.stderr
