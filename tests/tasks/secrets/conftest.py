"""An AWS account of each test's own, with the secrets' names that Terraform would have made."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer
from mypy_boto3_secretsmanager import SecretsManagerClient

from tasks.environment import REPOSITORY, Environment
from tasks.environment.variable_file import DIRECTORY_VARIABLE, read_variable_file
from tests.scripted_aws import ScriptedAws, scripted_aws

ACCOUNT, REGION = "123456789012", "us-east-1"  # the account that moto emulates in this process
SECRETS = (
    "grafana-token",
    "litellm-agents-key",
    "litellm-evaluation-key",
    "litellm-master-key",
    "tavily-api-key",
    "weights-token",
)


@pytest.fixture(scope="session")
def moto_address() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def grafana() -> Iterator[ScriptedAws]:
    """Managed Grafana, which no emulator has: a workspace with the service account of dashboards."""
    with scripted_aws() as aws:
        aws.script("grafana", "ListWorkspaces", {"workspaces": [{"id": "g-1", "name": "agentic-eks-dev"}]})
        accounts = [{"id": "7", "name": "dashboards", "isDisabled": "false", "grafanaRole": "ADMIN"}]
        aws.script("grafana", "ListWorkspaceServiceAccounts", {"serviceAccounts": accounts, "workspaceId": "g-1"})
        aws.script("grafana", "ListWorkspaceServiceAccountTokens", {"serviceAccountTokens": []})
        token = {"id": "t-1", "name": "made", "key": "glsa_the-key-that-nobody-may-see"}
        aws.script("grafana", "CreateWorkspaceServiceAccountToken", {"serviceAccountToken": token})
        aws.script("grafana", "DeleteWorkspaceServiceAccountToken", {"tokenId": "t-1"})
        yield aws


@pytest.fixture
def account(
    moto_address: str, grafana: ScriptedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> SecretsManagerClient:
    """An account without secrets; the flow `secrets` and its tasks find it, and variable files of their own."""
    httpx.post(f"{moto_address}/moto-api/reset", timeout=60).raise_for_status()
    variables = {
        "AWS_ENDPOINT_URL": moto_address,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        **grafana.environment("grafana"),
        DIRECTORY_VARIABLE: str(tmp_path / "environments"),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    write_variable_file(tmp_path / "environments")
    return boto3.client("secretsmanager", region_name=REGION)


@pytest.fixture
def made(account: SecretsManagerClient) -> SecretsManagerClient:
    """The account after `provision`: names without values."""
    for name in SECRETS:
        account.create_secret(Name=f"agentic-eks-dev/{name}")
    return account


def write_variable_file(directory: Path, with_grafana: bool = False) -> Environment:
    """Write `dev.tfvars` of the emulated account into `directory`, and read it."""
    text = (REPOSITORY / "infra" / "environments" / "dev.tfvars").read_text(encoding="utf-8")
    text = text.replace("111122223333", ACCOUNT)
    if with_grafana:
        group = "11111111-2222-3333-4444-555555555555"
        workspace = f'grafana = {{ version = "10.4", allowed_cidrs = ["203.0.113.0/24"], admins = ["{group}"] }}'
        text = text.replace("observability = {\n", f"observability = {{\n  {workspace}\n")
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "dev.tfvars"
    path.write_text(text, encoding="utf-8")
    return read_variable_file(path)


@pytest.fixture
def dev(account: SecretsManagerClient, tmp_path: Path) -> Environment:
    """`dev` as shipped, without Grafana."""
    return write_variable_file(tmp_path / "environments")


@pytest.fixture
def dev_with_grafana(account: SecretsManagerClient, tmp_path: Path) -> Environment:
    """`dev` with a Grafana workspace."""
    return write_variable_file(tmp_path / "environments", with_grafana=True)
