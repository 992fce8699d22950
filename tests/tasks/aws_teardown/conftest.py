"""The environment `dev` in an emulated AWS account that holds nothing."""

from collections.abc import Iterator

import httpx
import pytest

from rehearsal.aws import EmulatedAws, running_emulated_aws
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tests.scripted_aws import ScriptedAws, scripted_aws


@pytest.fixture(scope="package")
def aws_account() -> Iterator[EmulatedAws]:
    """An account that no other directory uses."""
    with running_emulated_aws("111122223333", "us-east-1") as aws:
        yield aws


@pytest.fixture
def settings(aws_account: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """The environment, whose account this process reaches."""
    for name, value in aws_account.environment.items():
        monkeypatch.setenv(name, value)
    httpx.post(f"{aws_account.address}/moto-api/reset", trust_env=False, timeout=60).raise_for_status()
    return load_environment(EnvironmentName.DEV)


@pytest.fixture
def scripted(settings: Environment, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedAws]:
    """Answers in the place of AWS Backup, whose recovery points no emulator has, and of the listing by tags."""
    with scripted_aws() as aws:
        aws.script("backup", "ListBackupVaults", {"BackupVaultList": []})
        for name, value in aws.environment("backup", "resource-groups-tagging-api").items():
            monkeypatch.setenv(name, value)
        yield aws
