"""AWS as the flows reach it: clients of the environment's region, with the credentials that the process was given.

botocore reads the addresses of services from AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE> by itself.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
)
from botocore.loaders import Loader, create_loader
from botocore.session import Session

from tasks.environment import Environment

# Codes with which AWS refuses credentials that are unknown, withdrawn or over.
REFUSED_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
HOW_TO_GET = (
    "give the worker an AWS role, or sign in where you are (`aws sso login`, or AWS_PROFILE, or AWS_ACCESS_KEY_ID with "
    "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN); `aws sts get-caller-identity` shows whether it worked"
)
_RETRIES = Config(retries={"mode": "standard", "max_attempts": 8}, connect_timeout=10, read_timeout=60)


class MissingCredentials(Exception):
    """There are no AWS credentials, or AWS refuses them; says what to do."""


class WrongAccount(Exception):
    """The credentials belong to another account than the environment's; nothing was touched."""


@dataclass(frozen=True)
class CallerIdentity:
    """Who AWS says that we are."""

    account_id: str
    arn: str
    user_id: str


def client(service: str, settings: Environment) -> Any:
    """A client of `service` (such as `s3`) in the environment's region; throttled calls are tried again.

    Raises:
        MissingCredentials: this process has none at all.
    """
    assert settings.environment.region is not None  # noqa: S101 - the model guarantees it on AWS
    return regional_client(service, settings.environment.region)


def regional_client(service: str, region: str) -> Any:
    """As `client`, where only the region is known."""
    # A session of its own for each client: credentials are looked up anew, so that a change of them is never hidden.
    session = Session()
    session.register_component("data_loader", _service_models(session.get_config_variable("data_path")))
    with explained_credentials():
        if session.get_credentials() is None:
            raise MissingCredentials(f"there are no AWS credentials: {HOW_TO_GET}")
    return session.create_client(service, region_name=region, config=_RETRIES)


@cache
def _service_models(directory: str | None) -> Loader:
    """botocore's files that describe the services, read once: that is most of the time that a new client takes."""
    return create_loader(directory)


def caller_identity(settings: Environment) -> CallerIdentity:
    """Ask STS who we are.

    Raises:
        MissingCredentials: there are no credentials, or they are expired or unknown.
    """
    sts = client("sts", settings)
    with explained_credentials():
        answer = sts.get_caller_identity()
    return CallerIdentity(answer["Account"], answer["Arn"], answer["UserId"])


def require_account(settings: Environment) -> CallerIdentity:
    """Stop unless the credentials belong to the environment's account; returns who we are.

    Raises:
        WrongAccount: they belong to another one.
        MissingCredentials: as for `caller_identity`.
    """
    identity = caller_identity(settings)
    if identity.account_id != settings.environment.account_id:
        raise WrongAccount(
            f"the credentials are {identity.arn!r} of account {identity.account_id!r}, but environment.account_id of "
            f"{settings.name.value!r} is {settings.environment.account_id!r}: use credentials of that account; "
            "nothing was touched"
        )
    return identity


@contextmanager
def explained_credentials() -> Generator[None]:
    """Turn the many ways in which AWS calls fail for want of credentials into `MissingCredentials`."""
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, SSOError) as error:
        raise MissingCredentials(f"AWS credentials cannot be had: {error}; {HOW_TO_GET}") from error
    except ClientError as error:
        refusal = error.response.get("Error", {})
        if refusal.get("Code") not in REFUSED_CREDENTIALS:
            raise
        raise MissingCredentials(
            f"AWS refuses the credentials ({refusal.get('Code')}: {refusal.get('Message')}); {HOW_TO_GET}"
        ) from error
