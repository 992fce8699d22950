"""The drill of the documents: one that was deleted in the knowledge bucket comes back from its version.

See https://docs.aws.amazon.com/AmazonS3/latest/userguide/RestoringPreviousVersions.html
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from time import monotonic
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from agents.knowledge.generation import Manifest
from tasks.aws_session import client, explained_credentials
from tasks.drift.compared import Compared
from tasks.environment import Environment
from tasks.restore_drill.report import Objective, Restoration

# Beside the sources: no refresh may read it, and no event of it start one.
PREFIX = "restore-drill/"
LOST, RESTORED = f"{PREFIX}lost", f"{PREFIX}restored"
# S3 keeps every version as it is written; one is copied back in a moment, an environment's worth within the hour.
OBJECTIVE = Objective(point=timedelta(), time=timedelta(hours=1))
REMEDY = (
    "Look at the versioning of the bucket and at `data.buckets.noncurrent_days`, run provision, and take what is "
    "missing from the recovery points of AWS Backup"
)
REMEDY_OF_A_SOURCE = (
    f"A refresh would take what the drill writes below {PREFIX} for documents, so nothing was written: give the source "
    "a prefix of its own in `knowledge.sources`, and move its documents there"
)


@task(task_run_name="restore-document-beside", cache_policy=NO_CACHE, persist_result=False)
def drill_documents(settings: Environment, outputs: Mapping[str, Any], serving: Manifest | None) -> Restoration | None:
    """Copy a document that is served beside, delete the copy, restore it from its version, and compare checksums.

    None where no served document lies in the knowledge bucket; nothing is written where a source would read it. All
    that the drill wrote is deleted for good.

    Raises:
        MissingCredentials: there are none for AWS.
        ClientError: S3 refuses something.
    """
    bucket = str(outputs["data"]["buckets"]["knowledge"]["name"])
    document = _served(serving, bucket)
    if document is None:
        return None
    if reading := _sources_that_read_the_drill(settings, bucket):
        apart = Compared(f"sources that read {PREFIX}", "none", ", ".join(reading))
        return Restoration("documents", "nothing", OBJECTIVE, timedelta(), timedelta(), (apart,), REMEDY_OF_A_SOURCE)
    ours = {"Bucket": bucket, "ExpectedBucketOwner": settings.environment.account_id}
    s3 = client("s3", settings)
    with explained_credentials():
        try:
            versioning = Compared("versioning", "Enabled", str(s3.get_bucket_versioning(**ours).get("Status")))
            wanted = _checksum(s3, ours, document)
            s3.copy_object(**ours, Key=LOST, CopySource={"Bucket": bucket, "Key": document})
            s3.delete_object(**ours, Key=LOST)
            began = monotonic()
            restored = _restore(s3, ours)
            took = timedelta(seconds=monotonic() - began)
        finally:
            _delete_for_good(s3, ours)
    compared = (versioning, Compared("SHA-256", wanted, restored))
    return Restoration("documents", f"a version of {document}", OBJECTIVE, timedelta(), took, compared, REMEDY)


def _served(serving: Manifest | None, bucket: str) -> str | None:
    """The key of a document of the bucket that the serving generation holds."""
    place = f"s3://{bucket}/"
    served = serving.documents.items() if serving else ()
    held = (uri.removeprefix(place) for uri, record in served if uri.startswith(place) and record.content_hash)
    return min(held, default=None)


def _sources_that_read_the_drill(settings: Environment, bucket: str) -> tuple[str, ...]:
    """The names of the sources that are the whole bucket, or lie where the drill writes."""
    whole, ours = f"s3://{bucket}", f"s3://{bucket}/{PREFIX}"
    places = {source.name: source.uri.rstrip("/") for source in settings.knowledge.sources}
    return tuple(name for name, uri in places.items() if uri == whole or f"{uri}/".startswith(ours))


def _restore(s3: Any, ours: Mapping[str, Any]) -> str:
    """Bring back what was deleted, under another name; returns its checksum."""
    kept = s3.list_object_versions(**ours, Prefix=LOST).get("Versions", [])
    if not kept:
        return "no version is kept"
    newest = max(kept, key=lambda version: version["LastModified"])
    source = {"Bucket": ours["Bucket"], "Key": LOST, "VersionId": newest["VersionId"]}
    s3.copy_object(**ours, Key=RESTORED, CopySource=source)
    return _checksum(s3, ours, RESTORED)


def _checksum(s3: Any, ours: Mapping[str, Any], key: str) -> str:
    with s3.get_object(**ours, Key=key)["Body"] as body:
        return hashlib.sha256(body.read()).hexdigest()


def _delete_for_good(s3: Any, ours: Mapping[str, Any]) -> None:
    found = s3.list_object_versions(**ours, Prefix=PREFIX)
    for version in (*found.get("Versions", []), *found.get("DeleteMarkers", [])):
        s3.delete_object(**ours, Key=version["Key"], VersionId=version["VersionId"])
