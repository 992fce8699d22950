"""boto3 clients of the emulated AWS."""

from typing import Any

import boto3

from rehearsal.aws import EmulatedAws


def client_of(aws: EmulatedAws, service: str) -> Any:
    """A client of one service, as the account's first user."""
    keys = aws.environment
    session = boto3.Session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], None, aws.region)
    return session.client(service, endpoint_url=aws.address)  # pyright: ignore[reportCallIssue, reportArgumentType]
