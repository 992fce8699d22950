"""The value of a secret of the environment, for the moment in which a task needs it."""

from botocore.exceptions import ClientError
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
    return _read(settings, name, "AWSCURRENT")


def stored_values(settings: Environment, name: str) -> tuple[SecretStr, ...]:
    """The value of the secret `name`, and the one before it, which those use who have not read it again since.

    Empty where the file has no such secret.

    Raises:
        MissingCredentials, ClientError: as `stored_secret`.
    """
    current = stored_secret(settings, name)
    if current is None:
        return ()
    try:
        return current, _read(settings, name, "AWSPREVIOUS")
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ResourceNotFoundException":
            raise
        return (current,)


def _read(settings: Environment, name: str, label: str) -> SecretStr:
    vault = client("secretsmanager", settings)
    with unlogged(), explained_credentials():
        answer = vault.get_secret_value(SecretId=f"{name_prefix(settings.name)}/{name}", VersionStage=label)
    return SecretStr(answer["SecretString"])
