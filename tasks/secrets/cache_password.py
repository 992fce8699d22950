"""The password with which Langfuse signs in to its cache, which ElastiCache has to know too: Langfuse cannot use IAM.

Terraform makes the user open to IAM identities only, and takes no password back.
https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyUser.html
"""

from typing import Any

from botocore.exceptions import ClientError

from tasks.aws_session import client
from tasks.environment import Environment
from tasks.resource_names import name_prefix
from tasks.secrets.vault import Vault, error_code, unlogged

CLIENT = "langfuse"


class CacheUserNotReady(Exception):
    """Langfuse's user of its cache cannot be given a password now: says why, and what to run."""


def give_to_cache(settings: Environment, vault: Vault, path: str) -> None:
    """Let the cache take the password that the secret at `path` holds, once; what was given is never taken back.

    A run that was killed before, and one beside this one, give the same password.

    Raises:
        CacheUserNotReady: Terraform has not made the user, or it is being changed.
    """
    cache: Any = client("elasticache", settings)
    # As infra/modules/data/valkey.tf calls it.
    user = f"{name_prefix(settings.name)}-{CLIENT}"
    try:
        (found,) = cache.describe_users(UserId=user)["Users"]
        if found["Authentication"]["Type"] == "password":
            return
        with unlogged():
            password = vault.read(path).get_secret_value()
            cache.modify_user(UserId=user, AuthenticationMode={"Type": "password", "Passwords": [password]})
    except ClientError as error:
        if error_code(error) == "UserNotFound":
            raise CacheUserNotReady(f"ElastiCache has no user {user!r}: run provision/{settings.name.value}") from error
        if error_code(error) == "InvalidUserState":
            raise CacheUserNotReady(
                f"ElastiCache's user {user!r} is being changed: run secrets/{settings.name.value} in a minute"
            ) from error
        raise
