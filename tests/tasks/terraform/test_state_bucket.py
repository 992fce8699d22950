"""The state bucket on the emulated AWS; refusals of AWS that no emulator gives come from a proxy in front of it."""

import json

import boto3
import pytest

from rehearsal.aws import EmulatedAws
from tasks.aws_session import MissingCredentials, WrongAccount
from tasks.environment import Environment
from tasks.terraform.state_bucket import ForeignStateBucket, ensure_state_bucket
from tests.aws_faults import aws_with_faults


def test_bucket_is_protected_and_made_once(dev_on_emulated_aws: Environment) -> None:
    location = ensure_state_bucket.fn(dev_on_emulated_aws)
    assert ensure_state_bucket.fn(dev_on_emulated_aws) == location

    assert location.bucket == "agentic-eks-state-111122223333-us-east-1"
    s3 = boto3.client("s3")
    assert s3.get_bucket_versioning(Bucket=location.bucket).get("Status") == "Enabled"
    encryption = s3.get_bucket_encryption(Bucket=location.bucket)["ServerSideEncryptionConfiguration"]
    assert encryption["Rules"][0].get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm") == "AES256"
    closed = s3.get_public_access_block(Bucket=location.bucket)["PublicAccessBlockConfiguration"]
    assert list(closed.values()) == [True] * 4
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=location.bucket)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert s3.get_bucket_tagging(Bucket=location.bucket)["TagSet"] == [{"Key": "Project", "Value": "agentic-eks"}]
    rules = s3.get_bucket_lifecycle_configuration(Bucket=location.bucket).get("Rules", [])
    assert [(rule.get("Filter", {}).get("Prefix"), rule.get("Expiration", {}).get("Days")) for rule in rules] == [
        ("plans/", 30),
        ("results/", 30),
    ]


def test_bucket_of_another_account_is_one_clear_error(
    dev_on_emulated_aws: Environment, emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = {"service": "s3", "operation": "HeadBucket", "error": {"code": "403", "status": 403}}
    with aws_with_faults(emulated_aws, [foreign]) as faulty:
        monkeypatch.setenv("AWS_ENDPOINT_URL", faulty.address)
        with pytest.raises(ForeignStateBucket, match="another account than '111122223333' owns it"):
            ensure_state_bucket.fn(dev_on_emulated_aws)
        assert [call["operation"] for call in faulty.fired()] == ["HeadBucket"]


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId"])
def test_refused_credentials_are_one_clear_error(
    dev_on_emulated_aws: Environment, emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    refused = {"service": "sts", "operation": "GetCallerIdentity", "error": {"code": code, "status": 403}}
    with aws_with_faults(emulated_aws, [refused]) as faulty:
        monkeypatch.setenv("AWS_ENDPOINT_URL", faulty.address)
        with pytest.raises(MissingCredentials, match=rf"AWS refuses the credentials \({code}: .*aws sso login"):
            ensure_state_bucket.fn(dev_on_emulated_aws)


def test_credentials_of_another_account_are_refused(dev_on_emulated_aws: Environment) -> None:
    identity = dev_on_emulated_aws.environment.model_copy(update={"account_id": "444455556666"})
    other = dev_on_emulated_aws.model_copy(update={"environment": identity})
    with pytest.raises(WrongAccount, match=r"of account '111122223333', but environment\.account_id.*'444455556666'"):
        ensure_state_bucket.fn(other)


def test_throttled_calls_are_tried_again(
    dev_on_emulated_aws: Environment, emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_down = {
        "service": "s3",
        "operation": "PutBucketVersioning",
        "times": 2,
        "error": {"code": "SlowDown", "status": 503},
    }
    with aws_with_faults(emulated_aws, [slow_down]) as faulty:
        monkeypatch.setenv("AWS_ENDPOINT_URL", faulty.address)
        assert ensure_state_bucket.fn(dev_on_emulated_aws).account_id == "111122223333"
        assert len(faulty.fired()) == 2
