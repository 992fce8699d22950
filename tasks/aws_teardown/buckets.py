"""Buckets, emptied for good: every version, every delete marker, every unfinished upload."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.aws_session import client, explained_credentials
from tasks.environment import Environment
from tasks.runs.log import run_log

# As many as S3 takes in one call.
BATCH = 1000


class NotEmptied(Exception):
    """S3 refused to delete some objects; says which."""


@task(task_run_name="empty-bucket-{bucket}", cache_policy=NO_CACHE, persist_result=False)
def empty_bucket(settings: Environment, bucket: str) -> int:
    """Delete all that a bucket holds; returns how many versions and markers went. 0 when there is no such bucket.

    Whoever still writes (S3 delivers access logs for hours) is shut out first, or the bucket would not stay empty until
    Terraform deletes it.

    Raises:
        NotEmptied: something could not be deleted.
    """
    s3 = client("s3", settings)
    ours = {"Bucket": bucket, "ExpectedBucketOwner": settings.environment.account_id}
    deleted = 0
    try:
        with explained_credentials():
            _shut(s3, ours)
            while versions := _first_versions(s3, ours):
                _delete(s3, ours, versions)
                deleted += len(versions)
            for upload in _unfinished(s3, ours):
                s3.abort_multipart_upload(**ours, Key=upload["Key"], UploadId=upload["UploadId"])
    except s3.exceptions.NoSuchBucket:
        run_log().info("bucket %r is gone already", bucket)
        return 0
    run_log().info("emptied bucket %r of %d versions and delete markers", bucket, deleted)
    return deleted


def _shut(s3: Any, ours: dict[str, Any]) -> None:
    """Replace the bucket's policy, which lets AWS deliver logs, by one that lets nobody write."""
    resource = f"arn:{_partition(s3)}:s3:::{ours['Bucket']}/*"
    statement = {"Sid": "TornDown", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": resource}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(**ours, Policy=json.dumps(policy))


def _partition(s3: Any) -> str:
    return str(s3.meta.partition)


def _first_versions(s3: Any, ours: dict[str, Any]) -> list[dict[str, str]]:
    """The first page, each time anew: a listing cannot be continued from a version that was deleted since."""
    page = s3.list_object_versions(**ours, MaxKeys=BATCH)
    listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    return [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in listed]


def _unfinished(s3: Any, ours: dict[str, Any]) -> Iterator[dict[str, str]]:
    for page in s3.get_paginator("list_multipart_uploads").paginate(**ours):
        yield from page.get("Uploads", [])


def _delete(s3: Any, ours: dict[str, Any], versions: Sequence[dict[str, str]]) -> None:
    answer = s3.delete_objects(**ours, Delete={"Objects": versions, "Quiet": True})
    if errors := answer.get("Errors", []):
        first = ", ".join(f"{each['Key']!r} ({each['Code']}: {each.get('Message', '')})" for each in errors[:3])
        raise NotEmptied(
            f"bucket {ours['Bucket']!r}: {len(errors)} of {len(versions)} objects could not be deleted, such as "
            f"{first}; the credentials need s3:DeleteObjectVersion, and an object lock must be over. Run teardown "
            "again after that"
        )
