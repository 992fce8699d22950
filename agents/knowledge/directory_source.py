"""Documents below a directory."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

from agents.knowledge.documents import DocumentRef, DocumentUnreadable
from agents.knowledge.globs import Globs
from agents.knowledge.sources import SourceMissing, SourceUnavailable, nothing_matches, require_size


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


def _read_at_most(ref: DocumentRef, file: BinaryIO, max_bytes: int) -> bytes:
    # The file may have grown since its size was taken.
    content = file.read(max_bytes + 1)
    require_size(ref, len(content), max_bytes)
    return content
