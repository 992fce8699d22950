"""Documents below a prefix of an S3 bucket."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from agents.knowledge.documents import DocumentRef, DocumentUnreadable
from agents.knowledge.globs import Globs
from agents.knowledge.sources import SourceMissing, SourceUnavailable, nothing_matches, require_size

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_GONE = frozenset({"NoSuchKey", "404", "NoSuchBucket", "NotFound"})


class BucketSource:
    """The objects below a prefix of an S3 bucket; `AWS_ENDPOINT_URL` points it at another S3."""

    def __init__(self, name: str, bucket: str, prefix: str, globs: Globs) -> None:
        self._name = name
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._globs = globs
        self._client: S3Client = boto3.client(
            "s3", config=Config(retries={"mode": "standard", "max_attempts": 4}, connect_timeout=10, read_timeout=60)
        )

    def list(self) -> Iterator[DocumentRef]:
        """See SourceReader."""
        found = seen = 0
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
            for page in pages:
                for entry in page.get("Contents", []):
                    key, size = entry.get("Key", ""), entry.get("Size", 0)
                    path = key.removeprefix(self._prefix)
                    if not path or path.endswith("/") or any(part.startswith(".") for part in path.split("/")):
                        continue
                    seen += 1
                    if self._globs.match(path):
                        found += 1
                        yield DocumentRef(self._name, f"s3://{self._bucket}/{key}", path, size)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _GONE:
                raise SourceMissing(f"source {self._name!r}: there is no bucket {self._bucket!r}") from error
            raise self._unavailable(error) from error
        except BotoCoreError as error:
            raise self._unavailable(error) from error
        if not found:
            raise nothing_matches(self._name, f"s3://{self._bucket}/{self._prefix}", self._globs, seen)

    def read(self, ref: DocumentRef, max_bytes: int) -> bytes:
        """See SourceReader."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + ref.path)
            with answer["Body"] as body:
                require_size(ref, answer["ContentLength"], max_bytes)
                return body.read()
        except ClientError as error:
            detail = error.response.get("Error", {})
            if detail.get("Code") in (*_GONE, "AccessDenied", "InvalidObjectState"):
                raise DocumentUnreadable(ref.uri, f"cannot be read: {detail.get('Message')}") from error
            raise self._unavailable(error) from error
        except BotoCoreError as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> SourceUnavailable:
        return SourceUnavailable(f"source {self._name!r}: cannot use s3://{self._bucket}/{self._prefix}: {error}")
