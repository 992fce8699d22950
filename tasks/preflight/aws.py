"""Questions to AWS that cannot hang, and answers that tell "no" from "could not be asked"."""

import re
import threading
from collections.abc import Iterator
from typing import Any

from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from tasks.aws_session import HOW_TO_GET, REFUSED_CREDENTIALS

CONNECT_SECONDS, ANSWER_SECONDS, ATTEMPTS = 5, 15, 3
BOUNDED = Config(
    connect_timeout=CONNECT_SECONDS,
    read_timeout=ANSWER_SECONDS,
    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
)
ABSENT = frozenset({"NoSuchEntity", "NoSuchHostedZone", "NoSuchResourceException", "ResourceNotFoundException"})
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"})
LONGEST_REASON = 200
_TAG = re.compile(r"<[!/a-zA-Z][^>]*>")


class Absent(Exception):
    """AWS answered that what was asked for does not exist."""


class NotProved(Exception):
    """A question stayed without an answer: says why, and what would bring one."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy


class CredentialsRefused(NotProved):
    """AWS knows the credentials no longer, or never did."""


class AwsReader:
    """Asks the AWS services of one region; threads may share it."""

    def __init__(self, session: Session, region: str) -> None:
        """Nothing is asked yet."""
        self.session = session
        self.region = region
        self._clients: dict[str, Any] = {}
        self._making_clients = threading.Lock()

    def ask(self, service: str, operation: str, **parameters: object) -> dict[str, Any]:
        """The answer to one call, such as `ask("ec2", "describe_vpcs")`.

        Raises:
            Absent: AWS knows no such thing.
            NotProved: the call is denied, not offered or not answered in time.
        """
        client = self._client(service)
        try:
            return getattr(client, operation)(**parameters)
        except ClientError as error:
            raise _meaning(error, client) from error
        except BotoCoreError as error:
            raise NotProved(f"{service} was not asked: {error}", _unreached(client)) from error

    def ask_all(self, service: str, operation: str, key: str, **parameters: object) -> Iterator[Any]:
        """What is listed under `key` on all pages of an answer.

        Raises:
            Absent, NotProved: as `ask`.
        """
        client = self._client(service)
        try:
            for page in client.get_paginator(operation).paginate(**parameters):
                yield from page.get(key, [])
        except ClientError as error:
            raise _meaning(error, client) from error
        except BotoCoreError as error:
            raise NotProved(f"{service} was not asked: {error}", _unreached(client)) from error

    def _client(self, service: str) -> Any:
        with self._making_clients:  # sessions are not made for threads, clients are
            if service not in self._clients:
                self._clients[service] = self.session.create_client(service, region_name=self.region, config=BOUNDED)
            return self._clients[service]


def _meaning(error: ClientError, client: Any) -> Absent | NotProved:
    details = error.response.get("Error", {})
    code, message = str(details.get("Code", "")), _plain(str(details.get("Message", "")))
    model, operation = client.meta.service_model, error.operation_name
    if code in ABSENT:
        return Absent(message)
    if code in REFUSED_CREDENTIALS:
        return CredentialsRefused(f"{code}: {message}", HOW_TO_GET)
    by_hand = f"see for yourself: `aws {model.service_name} {xform_name(operation, '-')}`"
    if code in DENIED:
        action = f"{model.signing_name}:{operation}"
        return NotProved(f"{code}: {message}", f"allow {action} to who runs the flow, or {by_hand}")
    return NotProved(f"{model.service_name} answered {operation} with {code}: {message}", by_hand)


def _plain(message: str) -> str:
    """In one line, and without the tags of the page that stands in for a message when a service is down."""
    return " ".join(_TAG.sub(" ", message).split())[:LONGEST_REASON]


def _unreached(client: Any) -> str:
    return f"let the flow reach {client.meta.endpoint_url}"
