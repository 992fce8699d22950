"""Secrets Manager, as far as one can tell and give values; one is read only to be told to another service of AWS.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
"""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from botocore.exceptions import ClientError
from pydantic import SecretStr

from tasks.aws_session import client
from tasks.environment import Environment


class BeingDeleted(Exception):
    """The secret is scheduled for deletion: says until when, and how to keep it."""


@dataclass(frozen=True)
class StoredSecret:
    """A secret as Secrets Manager has it. `versions` are the ids that have a label, with their labels.

    `created` is when the current value was made; None when there is none.
    """

    arn: str
    path: str
    created: datetime | None
    versions: tuple[str, ...]

    @property
    def was_renewed(self) -> bool:
        """Whether the value before the current one is kept: it has the label that renewing gives it."""
        return any("AWSPREVIOUS" in version for version in self.versions)

    @property
    def next_version(self) -> str:
        """The id of the version that comes after these.

        Whoever adds one to the same versions uses the same id, and Secrets Manager keeps the first of them: runs at
        the same time, and one that was killed and started again, cannot make two.
        """
        return str(uuid5(NAMESPACE_URL, "/".join((self.arn, *sorted(self.versions)))))


class Vault:
    """The secrets of one account and region."""

    def __init__(self, settings: Environment) -> None:
        """Nothing is asked yet; MissingCredentials when there are none."""
        self._client: Any = client("secretsmanager", settings)

    def find(self, path: str) -> StoredSecret | None:
        """The secret called `path`; None when Terraform has not made it.

        Raises:
            BeingDeleted: it is scheduled for deletion.
        """
        try:
            described = self._client.describe_secret(SecretId=path)
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                return None
            raise
        if "DeletedDate" in described:
            raise BeingDeleted(
                f"secret {path!r} was marked for deletion on {described['DeletedDate']:%Y-%m-%d}; keep it with "
                f"`aws secretsmanager restore-secret --secret-id {path}`, and start the run again"
            )
        # Only versions with a label are listed, and a secret has room for 20 labels: one page.
        versions = self._client.list_secret_version_ids(SecretId=path, MaxResults=100)["Versions"]
        dates = [version["CreatedDate"] for version in versions if "AWSCURRENT" in version["VersionStages"]]
        labelled = tuple(f"{version['VersionId']}:{','.join(sorted(version['VersionStages']))}" for version in versions)
        return StoredSecret(described["ARN"], path, dates[0] if dates else None, labelled)

    def put(self, secret: StoredSecret, value: SecretStr) -> bool:
        """Make `value` the current one, and the one before it the previous; False when another run just did so."""
        with unlogged():
            try:
                self._client.put_secret_value(
                    SecretId=secret.arn,
                    ClientRequestToken=secret.next_version,
                    SecretString=value.get_secret_value(),
                )
            except ClientError as error:
                if error_code(error) != "ResourceExistsException":
                    raise
                return False
        return True

    def read(self, path: str) -> SecretStr:
        """The current value of the secret called `path`, which has one; call it `unlogged`."""
        return SecretStr(self._client.get_secret_value(SecretId=path)["SecretString"])


@contextmanager
def unlogged() -> Generator[None]:
    """Keep botocore from logging requests and answers, which it does at level DEBUG, while they hold a value."""
    logger = logging.getLogger("botocore")
    level = logger.level
    logger.setLevel(max(logging.INFO, logger.getEffectiveLevel()))
    try:
        yield
    finally:
        logger.setLevel(level)


def error_code(error: ClientError) -> str:
    """AWS's code of a refusal."""
    return str(error.response.get("Error", {}).get("Code", ""))
