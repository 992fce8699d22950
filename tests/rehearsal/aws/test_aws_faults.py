"""Faults on the wire look to AWS's own client as AWS's do, and strike exactly the calls that were chosen."""

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError, ReadTimeoutError

from rehearsal.aws import EmulatedAws
from tests.aws_faults import aws_with_faults
from tests.rehearsal.aws.clients import client


def test_calls_are_throttled_hang_and_are_cut_after_the_write(emulated_aws: EmulatedAws) -> None:
    rules = [
        {"service": "sqs", "operation": "CreateQueue", "times": 1, "error": {"code": "ThrottlingException"}},
        {"service": "sqs", "operation": "ListQueues", "times": 1, "timeout_ms": 60_000},
        {"service": "secretsmanager", "operation": "CreateSecret", "times": 1, "response": {"abort_bytes": 1}},
        {"service": "s3", "operation": "PutObject", "times": 1, "reset": True},
    ]
    with aws_with_faults(emulated_aws, rules) as faulty:
        sqs, secrets = client(faulty, "sqs"), client(faulty, "secretsmanager")
        with pytest.raises(ClientError, match="ThrottlingException"):
            sqs.create_queue(QueueName="struck")
        assert sqs.create_queue(QueueName="struck")["QueueUrl"].endswith("/struck")
        with pytest.raises(ReadTimeoutError):
            client(faulty, "sqs", read_timeout=2).list_queues()
        with pytest.raises(HTTPClientError):
            secrets.create_secret(Name="struck", SecretString="x")
        with pytest.raises(ConnectionClosedError):
            client(faulty, "s3").put_object(Bucket="any", Key="any")
        assert [event["operation"] for event in faulty.fired()] == [rule["operation"] for rule in rules]
    assert client(emulated_aws, "secretsmanager").describe_secret(SecretId="struck")["Name"] == "struck"
