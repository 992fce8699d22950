"""The bucket that outlives an environment: Terraform's state, saved plans, results of runs.

It is made once, by the first flow of an account and region. Every call names the account that must own it
(`ExpectedBucketOwner`), because the names of buckets are public: somebody else may have taken ours.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
"""

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.aws_session import client, explained_credentials, require_account
from tasks.environment import Environment, EnvironmentName
from tasks.resource_names import PROJECT
from tasks.runs.log import run_log

PLANS = "plans/"
RESULTS = "results/"
# A plan is stale long before, and what a run returned is of no use to another one.
KEPT_DAYS = 30
DEFAULT_REGION = "us-east-1"


class ForeignStateBucket(Exception):
    """The state bucket's name belongs to another account, or our credentials may not use it."""


@dataclass(frozen=True)
class StateLocation:
    """Where an environment's state lies: object `key` of `bucket`, which `account_id` owns."""

    bucket: str
    key: str
    region: str
    account_id: str

    @property
    def lock_key(self) -> str:
        """The object that Terraform makes while it holds the state."""
        return f"{self.key}.tflock"

    @property
    def environment(self) -> EnvironmentName:
        """The environment whose state it is."""
        return EnvironmentName(self.key.partition("/")[0])


def state_location(settings: Environment) -> StateLocation:
    """Where the state of an environment on AWS lies; asks nobody."""
    account, region = settings.environment.account_id, settings.environment.region
    assert account is not None and region is not None  # noqa: S101, PT018 - the model guarantees both on AWS
    return StateLocation(
        f"{PROJECT}-state-{account}-{region}", f"{settings.name.value}/terraform.tfstate", region, account
    )


def state_bucket_exists(settings: Environment) -> bool:
    """Whether the state bucket is there; makes and changes nothing.

    Raises:
        MissingCredentials: there are no credentials, or AWS refuses them.
        ForeignStateBucket: another account owns the bucket.
    """
    with explained_credentials():
        return _exists(client("s3", settings), state_location(settings))


@task(task_run_name="ensure-state-bucket", cache_policy=NO_CACHE, persist_result=False)
def ensure_state_bucket(settings: Environment) -> StateLocation:
    """Make the state bucket where there is none, and bring its protection up to what is wanted.

    It is versioned, encrypted, closed to the public and to plain HTTP, and tagged with the project alone.

    Raises:
        WrongAccount: the credentials are not of the environment's account.
        MissingCredentials: there are none, or AWS refuses them.
        ForeignStateBucket: another account owns the bucket.
    """
    require_account(settings)
    location = state_location(settings)
    s3 = client("s3", settings)
    with explained_credentials():
        if not _exists(s3, location):
            _create(s3, location)
            run_log().info("made the state bucket %r", location.bucket)
        _protect(s3, location)
    return location


def _exists(s3: Any, location: StateLocation) -> bool:
    try:
        s3.head_bucket(Bucket=location.bucket, ExpectedBucketOwner=location.account_id)
    except ClientError as error:
        match _status(error):
            case 404:
                return False
            case 403:
                raise _foreign(location) from error
            case _:
                raise
    return True


def _create(s3: Any, location: StateLocation) -> None:
    # us-east-1 is the one region that S3 refuses to be told.
    constraint = {"LocationConstraint": location.region}
    where = {} if location.region == DEFAULT_REGION else {"CreateBucketConfiguration": constraint}
    try:
        s3.create_bucket(Bucket=location.bucket, ObjectOwnership="BucketOwnerEnforced", **where)
    except (s3.exceptions.BucketAlreadyExists, s3.exceptions.BucketAlreadyOwnedByYou) as error:
        # Another run made it meanwhile, unless it is not ours.
        if not _exists(s3, location):
            raise _foreign(location) from error


def _protect(s3: Any, location: StateLocation) -> None:
    """Every call sets what it names as a whole, so that each run ends with the same bucket."""
    ours = {"Bucket": location.bucket, "ExpectedBucketOwner": location.account_id}
    closed = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(**ours, PublicAccessBlockConfiguration=dict.fromkeys(closed, True))
    s3.put_bucket_versioning(**ours, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_encryption(
        **ours,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}],
        },
    )
    s3.put_bucket_policy(**ours, Policy=json.dumps(_tls_only(location)))
    s3.put_bucket_lifecycle_configuration(**ours, LifecycleConfiguration={"Rules": [_expiry(PLANS), _expiry(RESULTS)]})
    s3.put_bucket_tagging(**ours, Tagging={"TagSet": [{"Key": "Project", "Value": PROJECT}]})


def _tls_only(location: StateLocation) -> dict[str, object]:
    partition = {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(location.region.rsplit("-", 2)[0], "aws")
    bucket = f"arn:{partition}:s3:::{location.bucket}"
    statement = {
        "Sid": "DenyPlainHttp",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket, f"{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _expiry(prefix: str) -> dict[str, object]:
    return {
        "ID": f"expire-{prefix.rstrip('/')}",
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "Expiration": {"Days": KEPT_DAYS},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
    }


def _foreign(location: StateLocation) -> ForeignStateBucket:
    return ForeignStateBucket(
        f"the state bucket {location.bucket!r} is not usable: another account than {location.account_id!r} owns it, or "
        "the credentials lack s3:ListBucket on it. Nothing was written. If the bucket is foreign, ask its owner (or "
        "AWS) to release the name before this account can be provisioned; never copy a state into it"
    )


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
