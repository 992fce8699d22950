"""Where documents come from: a directory (`file://`) or the objects below an S3 prefix (`s3://`)."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from agents.knowledge.directory_source import DirectorySource
from agents.knowledge.globs import Globs
from agents.knowledge.sources import SourceReader


def open_source(name: str, uri: str, include: Sequence[str], root: Path) -> SourceReader:
    """The reader for `uri`; a relative `file://` path is taken from `root`.

    `include` holds glob patterns relative to the source (`**` stands for any number of directories).
    Hidden files and directories are never listed. Raises ValueError for another kind of URI.
    """
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return DirectorySource(name, root / unquote(uri.removeprefix("file://")), Globs(include))
    if parts.scheme == "s3" and parts.netloc:
        # boto3 takes 0.3 s to import, which every start of a flow would pay.
        from agents.knowledge.bucket_source import BucketSource

        return BucketSource(name, parts.netloc, uri.removeprefix(f"s3://{parts.netloc}").strip("/"), Globs(include))
    raise ValueError(f"source {name!r}: uri = {uri!r} must be file://<directory> or s3://<bucket>/<prefix>")
