"""The value of a secret of the environment, for the moment in which a task needs it."""

from pydantic import SecretStr

from tasks.aws_session import client, explained_credentials
from tasks.environment import Environment
from tasks.resource_names import name_prefix
from tasks.secrets.vault import unlogged


def stored_secret(settings: Environment, name: str) -> SecretStr | None:
    """The value of the secret `name` of the file's `data.secrets`; None where the file has no such secret.

    Raises:
        MissingCredentials: there are none for AWS.
        ClientError: the secret has no value, or may not be read.
    """
    if settings.data is None or name not in settings.data.secrets:
        return None
    vault = client("secretsmanager", settings)
    with unlogged(), explained_credentials():
        value = vault.get_secret_value(SecretId=f"{name_prefix(settings.name)}/{name}")["SecretString"]
    return SecretStr(value)
