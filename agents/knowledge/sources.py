"""Where documents come from: a directory (`file://`) or the objects below an S3 prefix (`s3://`).

Trouble with a source stops the refresh (`SourceError`): documents that cannot be listed must not look deleted.
Trouble with one document (`DocumentUnreadable`) is reported, and the others go on.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NoReturn, Protocol
from urllib.parse import unquote, urlsplit

from agents.knowledge.documents import DocumentRef, DocumentUnreadable
from agents.knowledge.globs import Globs

_MEBIBYTE = 1024 * 1024


class SourceError(Exception):
    """A source as a whole cannot be used; says which one and why."""


class SourceMissing(SourceError):
    """The directory or bucket does not exist."""


class SourceEmpty(SourceError):
    """The source holds no document that its `include` patterns match."""


class SourceUnavailable(SourceError):
    """The source is there, but cannot be listed or read now: no permission, or no connection."""


class SourceReader(Protocol):
    """One source of documents."""

    def list(self) -> Iterator[DocumentRef]:
        """The documents, ordered by path. Raises SourceError, SourceEmpty only at the end of the iteration."""
        ...

    def read(self, ref: DocumentRef, max_bytes: int) -> bytes:
        """The content of one document.

        Raises DocumentUnreadable when it is larger than `max_bytes` (without reading it), gone or forbidden,
        and SourceUnavailable when the source does not answer.
        """
        ...


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


class DirectorySource:
    """The files below a directory.

    What has a file's name and is none (a pipe, a symbolic link that leads nowhere or out of the directory) is listed
    too, so that it is reported as unreadable and not taken for deleted.
    """

    def __init__(self, name: str, directory: Path, globs: Globs) -> None:
        self._name = name
        self._directory = directory.resolve()
        self._globs = globs

    def list(self) -> Iterator[DocumentRef]:
        """See SourceReader."""
        if not self._directory.is_dir():
            problem = "is not a directory" if self._directory.exists() else "does not exist"
            raise SourceMissing(f"source {self._name!r}: {str(self._directory)!r} {problem}")
        found = seen = 0
        for path in self._files():
            seen += 1
            relative = path.relative_to(self._directory).as_posix()
            if self._globs.match(relative) and (size := self._size(path)) is not None:
                found += 1
                yield DocumentRef(self._name, path.as_uri(), relative, size)
        if not found:
            raise nothing_matches(self._name, str(self._directory), self._globs, seen)

    def read(self, ref: DocumentRef, max_bytes: int) -> bytes:
        """See SourceReader."""
        path = self._directory / ref.path
        try:
            if not path.resolve(strict=True).is_relative_to(self._directory):
                raise DocumentUnreadable(ref.uri, "it leads out of its source by a symbolic link")
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                # To open a pipe would wait for somebody who writes into it.
                raise DocumentUnreadable(ref.uri, "it is not a regular file")
            require_size(ref, status.st_size, max_bytes)
            with path.open("rb") as file:
                return _read_at_most(ref, file, max_bytes)
        except OSError as error:
            raise DocumentUnreadable(ref.uri, f"cannot be read: {error.strerror or error}") from error
        except RuntimeError as error:  # how Python before 3.13 says that symbolic links go round in a circle
            raise DocumentUnreadable(ref.uri, f"cannot be read: {error}") from error

    def _files(self) -> Iterator[Path]:
        for folder, directories, files in os.walk(self._directory, onerror=self._cannot_list):
            directories[:] = sorted(name for name in directories if not name.startswith("."))
            yield from (Path(folder, name) for name in sorted(files) if not name.startswith("."))

    def _cannot_list(self, error: OSError) -> NoReturn:
        reason = f"cannot list {error.filename!r}: {error.strerror}"
        raise SourceUnavailable(f"source {self._name!r}: {reason}; its documents would look deleted") from error

    def _size(self, path: Path) -> int | None:
        """The size in bytes, 0 of what is no file inside the source; None when it was deleted while we listed."""
        try:
            target = path.resolve(strict=True)
            inside = target.is_relative_to(self._directory) and target.is_file()
            return target.stat().st_size if inside else 0
        except (OSError, RuntimeError):
            return 0 if path.is_symlink() or path.exists() else None


def nothing_matches(name: str, place: str, globs: Globs, seen: int) -> SourceEmpty:
    """The error of a source `name` at `place` that holds `seen` files, none of which is wanted."""
    what = f"none of its {seen} files matches include = {list(globs.patterns)!r}" if seen else "it holds no file"
    return SourceEmpty(f"source {name!r}: no documents in {place!r}: {what}")


def require_size(ref: DocumentRef, size_bytes: int, max_bytes: int) -> None:
    """Raise DocumentUnreadable for a document that is larger than `max_bytes`."""
    if size_bytes > max_bytes:
        limit = f"{max_bytes / _MEBIBYTE:.1f} MiB that max_document_mib allows"
        raise DocumentUnreadable(ref.uri, f"its {size_bytes / _MEBIBYTE:.1f} MiB are more than the {limit}")


def _read_at_most(ref: DocumentRef, file: BinaryIO, max_bytes: int) -> bytes:
    # The file may have grown since its size was taken.
    content = file.read(max_bytes + 1)
    require_size(ref, len(content), max_bytes)
    return content
