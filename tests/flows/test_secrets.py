"""The stage `secrets`: what it shows in the Prefect UI, and what it never shows."""

import logging
from collections.abc import Iterator

import boto3
import pytest
from mypy_boto3_secretsmanager import SecretsManagerClient
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from flows.secrets import secrets
from rehearsal.aws import EmulatedAws
from tasks.environment import EnvironmentName
from tasks.environment_outputs import OutputsMissing
from tasks.secrets import SecretReport, SecretsMissing

pytestmark = pytest.mark.prefect_server
NAMES = ("litellm-agents-key", "litellm-evaluation-key", "litellm-master-key", "tavily-api-key", "weights-token")


@pytest.fixture
def account(emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsManagerClient]:
    """The account of `dev`, without secrets."""
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    vault = boto3.client("secretsmanager")

    def clear() -> None:
        for secret in vault.list_secrets()["SecretList"]:
            vault.delete_secret(SecretId=secret.get("ARN", ""), ForceDeleteWithoutRecovery=True)

    clear()
    yield vault
    clear()


def shown(client: SyncPrefectClient) -> str:
    key = ArtifactFilterKey(any_=["dev-secrets-values"])
    return "".join(str(artifact.data) for artifact in client.read_artifacts(artifact_filter=ArtifactFilter(key=key)))


def test_values_are_made_and_people_are_told_but_no_value_is_shown(
    account: SecretsManagerClient, prefect_client: SyncPrefectClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in NAMES:
        account.create_secret(Name=f"agentic-eks-dev/{name}")

    report = secrets(EnvironmentName.DEV)

    logged = caplog.text
    value = account.get_secret_value(SecretId="agentic-eks-dev/litellm-master-key")["SecretString"]
    assert [line.secret for line in report.awaited] == ["tavily-api-key", "weights-token"]
    table = shown(prefect_client)
    assert "--secret-id agentic-eks-dev/tavily-api-key" in table
    assert "a person has to supply 'tavily-api-key', which agents needs" in logged
    assert value not in logged + table + repr(report)


def test_names_that_terraform_has_not_made_fail_the_run(
    account: SecretsManagerClient, prefect_client: SyncPrefectClient
) -> None:
    with pytest.raises(SecretsMissing, match=r"litellm-master-key: run provision/dev"):
        secrets(EnvironmentName.DEV)

    assert "absent" in shown(prefect_client)


def test_a_key_that_a_killed_run_renewed_is_told_to_the_gateway_by_the_next(
    account: SecretsManagerClient, prefect_client: SyncPrefectClient
) -> None:
    for name in NAMES:
        account.create_secret(Name=f"agentic-eks-dev/{name}")
    for value in ("sk-before", "sk-renewed-and-then-killed"):
        account.put_secret_value(SecretId="agentic-eks-dev/litellm-agents-key", SecretString=value)

    # Nothing was provisioned here, so that the way to the gateway ends at its first step.
    with pytest.raises(OutputsMissing):
        secrets(EnvironmentName.DEV)


def test_a_laptop_has_nothing_to_do(prefect_client: SyncPrefectClient, caplog: pytest.LogCaptureFixture) -> None:
    assert secrets(EnvironmentName.LOCAL) == SecretReport(())
    assert "Nothing to do: the laptop's secrets lie in .state" in caplog.text
