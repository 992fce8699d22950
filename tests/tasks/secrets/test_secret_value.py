"""The value of a secret, and the one before it, as a task reads them. Secrets Manager is moto's."""

from datetime import UTC, datetime, timedelta

from mypy_boto3_secretsmanager import SecretsManagerClient

from tasks.environment import Environment
from tasks.secret_value import stored_values
from tasks.secrets import reconcile_secrets

MASTER_KEY = "litellm-master-key"


def values(settings: Environment) -> list[str]:
    return [value.get_secret_value() for value in stored_values(settings, MASTER_KEY)]


def test_after_a_renewal_the_value_before_is_read_too(made: SecretsManagerClient, dev: Environment) -> None:
    now = datetime.now(UTC)
    reconcile_secrets.fn(dev, now)
    (first,) = values(dev)
    reconcile_secrets.fn(dev, now + timedelta(days=91))
    second, before = values(dev)
    assert before == first != second


def test_an_environment_without_the_secret_has_no_value(made: SecretsManagerClient, dev: Environment) -> None:
    assert stored_values(dev, "agents-gate-key") == ()
