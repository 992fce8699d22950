"""Objects of the state bucket, read and written by name; every call names the account that must own the bucket."""

from botocore.exceptions import ClientError

from tasks.aws_session import explained_credentials, regional_client
from tasks.terraform.state_bucket import StateLocation


def read_object(location: StateLocation, key: str) -> bytes | None:
    """The content of `key`, None where there is no such object (or bucket). Raises `MissingCredentials`."""
    s3 = regional_client("s3", location.region)
    with explained_credentials():
        try:
            answer = s3.get_object(Bucket=location.bucket, Key=key, ExpectedBucketOwner=location.account_id)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "NoSuchBucket"):
                return None
            raise
        return bytes(answer["Body"].read())


def write_object(location: StateLocation, key: str, content: bytes) -> None:
    """Put `content` in the place of whatever `key` held. Raises `MissingCredentials`."""
    s3 = regional_client("s3", location.region)
    with explained_credentials():
        s3.put_object(
            Bucket=location.bucket,
            Key=key,
            Body=content,
            ServerSideEncryption="AES256",
            ExpectedBucketOwner=location.account_id,
        )


def object_keys(location: StateLocation, prefix: str) -> list[str]:
    """The names of the objects that begin with `prefix`, in their order. Raises `MissingCredentials`."""
    s3 = regional_client("s3", location.region)
    wanted = {"Bucket": location.bucket, "Prefix": prefix, "ExpectedBucketOwner": location.account_id}
    with explained_credentials():
        pages = s3.get_paginator("list_objects_v2").paginate(**wanted)
        return [str(found["Key"]) for page in pages for found in page.get("Contents", [])]
