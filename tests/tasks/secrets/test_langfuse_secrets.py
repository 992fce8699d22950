"""The secrets of a Langfuse in the cluster, in the emulated AWS: made once, and one of them told to its cache."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rehearsal.aws import EmulatedAws
from tasks.environment import REPOSITORY, Environment
from tasks.environment.addons import (
    ENCRYPTION_KEY,
    LANGFUSE_KEY,
    LANGFUSE_SECRETS,
    OWNER_PASSWORD,
    VALKEY_PASSWORD,
)
from tasks.environment.variable_file import read_variable_file
from tasks.secrets import SecretLine, SecretsMissing, reconcile_secrets
from tests.rehearsal.aws.clients import client

PREFIX = "agentic-eks-prod"
USER = f"{PREFIX}-langfuse"


@pytest.fixture
def prod(emulated_aws: EmulatedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """`prod` as shipped, in the emulated account."""
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    text = (REPOSITORY / "infra" / "environments" / "prod.tfvars").read_text(encoding="utf-8")
    file = tmp_path / "prod.tfvars"
    file.write_text(text.replace("444455556666", emulated_aws.account_id), encoding="utf-8")
    return read_variable_file(file)


@pytest.fixture
def vault(emulated_aws: EmulatedAws) -> Iterator[Any]:
    """Secrets Manager with the names of Langfuse's secrets, as Terraform makes them."""
    secrets = client(emulated_aws, "secretsmanager")
    for name in LANGFUSE_SECRETS:
        secrets.create_secret(Name=f"{PREFIX}/{name}")
    yield secrets
    for name in LANGFUSE_SECRETS:
        secrets.delete_secret(SecretId=f"{PREFIX}/{name}", ForceDeleteWithoutRecovery=True)


@pytest.fixture
def cache(emulated_aws: EmulatedAws) -> Iterator[Any]:
    """ElastiCache with Langfuse's user, which only IAM identities sign in as."""
    elasticache = client(emulated_aws, "elasticache")
    elasticache.create_user(
        UserId=USER, UserName=USER, Engine="valkey", AccessString="on ~* +@all", AuthenticationMode={"Type": "iam"}
    )
    yield elasticache
    elasticache.delete_user(UserId=USER)
    elasticache.describe_users(UserId=USER)


def reconcile(settings: Environment, days: float = 0) -> dict[str, SecretLine]:
    report = reconcile_secrets.fn(settings, datetime.now(UTC) + timedelta(days=days))
    return {line.secret: line for line in report.lines if line.secret in LANGFUSE_SECRETS}


def value(vault: Any, name: str) -> str:
    return vault.get_secret_value(SecretId=f"{PREFIX}/{name}")["SecretString"]


def way_in(cache: Any) -> str:
    (user,) = cache.describe_users(UserId=USER)["Users"]
    return user["Authentication"]["Type"]


def test_each_is_made_in_its_form_and_never_again(prod: Environment, vault: Any, cache: Any) -> None:
    assert {line.state for line in reconcile(prod).values()} == {"generated"}
    first = {name: value(vault, name) for name in LANGFUSE_SECRETS}
    assert re.fullmatch("[0-9a-f]{64}", first[ENCRYPTION_KEY])
    assert first[LANGFUSE_KEY].startswith("sk-lf-")
    assert re.search("[a-z]", first[OWNER_PASSWORD])
    assert {"1", "-"} <= set(first[OWNER_PASSWORD])

    assert {line.state for line in reconcile(prod, days=4000).values()} == {"kept"}
    assert {name: value(vault, name) for name in LANGFUSE_SECRETS} == first


def test_the_cache_takes_the_password_that_is_kept(prod: Environment, vault: Any, cache: Any) -> None:
    vault.put_secret_value(SecretId=f"{PREFIX}/{VALKEY_PASSWORD}", SecretString="of a run that was killed before")
    assert way_in(cache) == "iam"

    assert reconcile(prod)[VALKEY_PASSWORD].state == "kept"

    assert way_in(cache) == "password"
    assert value(vault, VALKEY_PASSWORD) == "of a run that was killed before"


def test_a_user_that_terraform_has_not_made_is_told(prod: Environment, vault: Any) -> None:
    line = reconcile(prod)[VALKEY_PASSWORD]

    assert (line.state, line.to_do) == ("absent", f"ElastiCache has no user '{USER}': run provision/prod")
    with pytest.raises(SecretsMissing, match="langfuse-valkey-password"):
        reconcile_secrets.fn(prod, datetime.now(UTC)).require_made()
