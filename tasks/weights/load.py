"""Brings files between the bucket and a directory: `python -m tasks.weights.load fetch --bucket ... --prefix ...`.

What a pod runs before its server, and after compiling a model. Every file is checked by hash.
"""

import argparse
import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tasks.aws_session import regional_client
from tasks.weights.manifest import Manifest, StoredFile, WeightsRefused, read_manifest, write_manifest

AT_ONCE = 4
CHUNK_BYTES = 2**20
PAUSE_SECONDS = 5.0


def fetch(s3: Any, bucket: str, prefix: str, directory: Path, wait_seconds: float = 0) -> Manifest | None:
    """Have the files below `prefix` in `directory`; None when there are none within `wait_seconds`.

    Raises:
        WeightsRefused: a file has another hash than its manifest says.
    """
    deadline = time.monotonic() + wait_seconds
    while (manifest := read_manifest(s3, bucket, prefix)) is None:
        if time.monotonic() + PAUSE_SECONDS > deadline:
            return None
        time.sleep(PAUSE_SECONDS)

    def download(file: StoredFile) -> None:
        _download(s3, bucket, prefix, file, directory)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        # The list waits for all of them, and raises what one of them raised.
        list(pool.map(download, manifest.files))
    return manifest


def keep(s3: Any, bucket: str, prefix: str, directory: Path) -> Manifest:
    """Upload all files of `directory`, unless a manifest below `prefix` says that they are there."""
    if (known := read_manifest(s3, bucket, prefix)) is not None:
        return known
    files: list[StoredFile] = []
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        relative, digest = path.relative_to(directory).as_posix(), _sha256(path)
        s3.upload_file(str(path), bucket, f"{prefix}/{relative}", ExtraArgs={"Metadata": {"sha256": digest}})
        files.append(StoredFile(path=relative, size=path.stat().st_size, sha256=digest))
    if not files:
        raise WeightsRefused(f"{str(directory)!r} has no files to keep")
    manifest = Manifest(origin=prefix, licence=None, files=tuple(files))
    write_manifest(s3, bucket, prefix, manifest)
    return manifest


def _download(s3: Any, bucket: str, prefix: str, file: StoredFile, directory: Path) -> None:
    target = directory / file.path
    # A container that is started again finds what the one before it brought.
    if target.is_file() and target.stat().st_size == file.size and _sha256(target) == file.sha256:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.part")
    digest = hashlib.sha256()
    body = s3.get_object(Bucket=bucket, Key=f"{prefix}/{file.path}")["Body"]
    with unfinished.open("wb") as output:
        for chunk in body.iter_chunks(CHUNK_BYTES):
            digest.update(chunk)
            output.write(chunk)
    if digest.hexdigest() != file.sha256:
        unfinished.unlink()
        raise WeightsRefused(
            f"s3://{bucket}/{prefix}/{file.path} has SHA-256 {digest.hexdigest()}, the manifest says {file.sha256}: "
            "somebody changed it; delete the manifest and run the flow models, which copies it again"
        )
    unfinished.replace(target)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(arguments: list[str] | None = None) -> None:
    """Do one of both, and say what was done; exits with 1 where nothing is there."""
    parser = argparse.ArgumentParser(prog="python -m tasks.weights.load", description=__doc__)
    parser.add_argument("action", choices=("fetch", "keep"))
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--wait-seconds", type=float, default=0, help="how long to wait for the files to be there")
    parser.add_argument("--if-there", action="store_true", help="it is no error when nothing is there")
    given = parser.parse_args(arguments)
    s3 = regional_client("s3", os.environ["AWS_REGION"])
    if given.action == "keep":
        done: Manifest | None = keep(s3, given.bucket, given.prefix, given.directory)
    else:
        done = fetch(s3, given.bucket, given.prefix, given.directory, given.wait_seconds)
    place = f"s3://{given.bucket}/{given.prefix}"
    if done is None and not given.if_there:
        raise SystemExit(f"{place} has no manifest: run the flow models, which mirrors the weights")
    print(f"{place}: {len(done.files) if done else 0} files")  # noqa: T201 - the container's log


if __name__ == "__main__":
    main()
