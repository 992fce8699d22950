"""From a public repository of models into the environment's bucket, each file checked by hash, a second time never."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tasks.environment.models import RepositoryWeights
from tasks.weights.hub import Hub, HubFile
from tasks.weights.manifest import Manifest, StoredFile, WeightsRefused, read_manifest, write_manifest

PART_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Mirrored:
    """A model's weights in the bucket. `copied` is the number of bytes that this run brought there."""

    model: str
    prefix: str
    licence: str
    manifest_sha256: str
    files: int
    size: int
    copied: int


@dataclass(frozen=True)
class Place:
    """Where the files of one model go."""

    s3: Any
    bucket: str
    prefix: str


def mirror(name: str, weights: RepositoryWeights, hub: Hub, place: Place, say: Callable[[str], None]) -> Mirrored:
    """Have all files of the model at its revision in the bucket; what lies there with its hash is not copied again.

    Raises:
        WeightsRefused: the licence, a file's hash or the hash of all is another than promised; nothing counts as
            complete then.
    """
    stored = read_manifest(place.s3, place.bucket, place.prefix)
    if stored is not None and _complete(place, stored):
        _require_hash(name, weights, stored)
        return _mirrored(name, place, stored, 0)
    licence = hub.licence()
    if licence != weights.licence:
        raise WeightsRefused(
            f"models.catalogue.{name}.weights.licence = {weights.licence!r}, but the repository says {licence!r}"
            "; read the licence before you take it over"
        )
    files: list[StoredFile] = []
    copied = 0
    for file in hub.files():
        there = _there(place, file)
        if there is None:
            say(f"{name}: copying {file.path} ({file.size / 2**20:.0f} MiB)")
            there = _copy(hub, place, file)
            copied += file.size
        files.append(there)
    origin = f"{weights.repository}@{weights.revision}"
    manifest = Manifest(origin=origin, licence=licence, files=tuple(files))
    if stored is not None and stored.sha256 != manifest.sha256:
        raise WeightsRefused(f"{origin} was mirrored as {stored.sha256}, but the hub now has {manifest.sha256}")
    _require_hash(name, weights, manifest)
    write_manifest(place.s3, place.bucket, place.prefix, manifest)
    return _mirrored(name, place, manifest, copied)


def _require_hash(name: str, weights: RepositoryWeights, manifest: Manifest) -> None:
    if weights.manifest_sha256 not in (None, manifest.sha256):
        raise WeightsRefused(
            f"models.catalogue.{name}.weights.manifest_sha256 = {weights.manifest_sha256!r}, but the files of "
            f"{manifest.origin} have {manifest.sha256!r}: find out why before you take the new one"
        )


def _mirrored(name: str, place: Place, manifest: Manifest, copied: int) -> Mirrored:
    size = sum(file.size for file in manifest.files)
    licence = manifest.licence or "none"
    return Mirrored(name, place.prefix, licence, manifest.sha256, len(manifest.files), size, copied)


def _complete(place: Place, manifest: Manifest) -> bool:
    pages = place.s3.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=f"{place.prefix}/")
    sizes = {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", [])}
    return all(sizes.get(f"{place.prefix}/{file.path}") == file.size for file in manifest.files)


def _there(place: Place, file: HubFile) -> StoredFile | None:
    """The file as an earlier run left it; of small files the hub does not say the hash, so they are copied again."""
    try:
        found = place.s3.head_object(Bucket=place.bucket, Key=f"{place.prefix}/{file.path}")
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("404", "NoSuchKey"):
            return None
        raise
    if file.sha256 is None or found["Metadata"].get("sha256") != file.sha256 or found["ContentLength"] != file.size:
        return None
    return StoredFile(path=file.path, size=file.size, sha256=file.sha256)


def _copy(hub: Hub, place: Place, file: HubFile) -> StoredFile:
    key = f"{place.prefix}/{file.path}"
    if file.sha256 is None:
        content = b"".join(hub.content(file))
        # What git calls a file: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
        blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
        if blob != file.blob_id:
            raise WeightsRefused(f"{file.path!r} of {hub.repository!r} has the git hash {blob}, not {file.blob_id}")
        digest = hashlib.sha256(content).hexdigest()
        place.s3.put_object(Bucket=place.bucket, Key=key, Body=content, Metadata={"sha256": digest})
        return StoredFile(path=file.path, size=file.size, sha256=digest)
    upload = {"Bucket": place.bucket, "Key": key}
    upload["UploadId"] = place.s3.create_multipart_upload(**upload, Metadata={"sha256": file.sha256})["UploadId"]
    try:
        parts = _send(place.s3, upload, hub, file, file.sha256)
    except BaseException:
        place.s3.abort_multipart_upload(**upload)
        raise
    place.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    return StoredFile(path=file.path, size=file.size, sha256=file.sha256)


def _send(s3: Any, upload: dict[str, Any], hub: Hub, file: HubFile, wanted: str) -> list[dict[str, Any]]:
    digest = hashlib.sha256()
    parts: list[dict[str, Any]] = []
    for number, part in enumerate(_parts(hub.content(file)), start=1):
        digest.update(part)
        answer = s3.upload_part(**upload, PartNumber=number, Body=part)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    if digest.hexdigest() != wanted:
        raise WeightsRefused(
            f"{file.path!r} of {hub.repository!r} has SHA-256 {digest.hexdigest()}, but the hub promises {wanted}; it "
            "was not kept"
        )
    return parts


def _parts(chunks: Iterable[bytes]) -> Iterable[bytes]:
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        if len(waiting) >= PART_BYTES:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)
