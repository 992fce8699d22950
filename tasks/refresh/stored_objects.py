"""Objects in S3 by their URI (`s3://<bucket>/<key>`); `AWS_ENDPOINT_URL` points at another S3."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_RETRIES = Config(retries={"mode": "standard", "max_attempts": 8}, connect_timeout=10, read_timeout=60)

# What S3 and STS answer with a status below 500 where it is only for now that they refuse.
_FOR_NOW = frozenset({"RequestTimeout", "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded"})


def s3_client() -> "S3Client":
    """A client that tries again what fails in passing."""
    return boto3.client("s3", config=_RETRIES)


def bucket_and_key(uri: str) -> tuple[str, str]:
    """The parts of an object's URI.

    Raises:
        ValueError: it is none.
    """
    parts = urlsplit(uri)
    if parts.scheme != "s3" or not parts.netloc or not parts.path.strip("/"):
        raise ValueError(f"{uri!r} is not the address of an object: it must be s3://<bucket>/<key>")
    return parts.netloc, parts.path.lstrip("/")


def is_passing(error: BotoCoreError | ClientError) -> bool:
    """Whether the same call may succeed later: S3 was not reached, was overloaded or failed, and did not refuse it."""
    if isinstance(error, BotoCoreError):
        return True
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status == 429 or status >= 500 or error.response.get("Error", {}).get("Code") in _FOR_NOW
