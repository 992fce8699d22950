"""Clients of an emulated AWS account that never try twice."""

from typing import Any

import boto3
from botocore.config import Config

from rehearsal.aws import EmulatedAws


def client(aws: EmulatedAws, service: str, read_timeout: float = 60) -> Any:
    keys = aws.environment
    session = boto3.Session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], None, aws.region)
    config = Config(retries={"total_max_attempts": 1}, read_timeout=read_timeout)
    return session.client(service, endpoint_url=aws.address, config=config)  # pyright: ignore
