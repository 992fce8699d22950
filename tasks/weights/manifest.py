"""The list of files below a prefix of the bucket: written last, so that whoever finds it finds all files."""

import hashlib
from typing import Any

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from tasks.weights.places import MANIFEST


class WeightsRefused(Exception):
    """Weights are not what they should be, or cannot be had: says which, and what to do."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StoredFile(_Part):
    """One file; `path` is relative to the prefix, `size` in bytes."""

    path: str
    size: int
    sha256: str


class Manifest(_Part):
    """The files and where they came from; `licence` is None for what was made here."""

    origin: str
    licence: str | None
    files: tuple[StoredFile, ...]

    @property
    def sha256(self) -> str:
        """The SHA-256 of the files' hashes and paths, in the form that sha256sum prints them."""
        lines = [f"{file.sha256}  {file.path}\n" for file in sorted(self.files, key=lambda file: file.path)]
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def read_manifest(s3: Any, bucket: str, prefix: str) -> Manifest | None:
    """The manifest below `prefix`, or None while there is none."""
    try:
        body = s3.get_object(Bucket=bucket, Key=f"{prefix}/{MANIFEST}")["Body"].read()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "404"):
            return None
        raise
    return Manifest.model_validate_json(body)


def write_manifest(s3: Any, bucket: str, prefix: str, manifest: Manifest) -> None:
    """Write the manifest below `prefix`; from then on its files count as complete."""
    s3.put_object(Bucket=bucket, Key=f"{prefix}/{MANIFEST}", Body=manifest.model_dump_json(indent=1).encode())
