"""The key of whoever operates the service: a version is asked golden questions with it before people get that version.

It is in a file and not in the database, because it is there before the first administrator is, and is renewed by date.
"""

import hmac
from pathlib import Path

from agents.access.api_key import digest
from agents.caller import Caller

OPERATOR = Caller("operator", "key", frozenset({"ask", "search"}))
LEAST_CHARACTERS = 32


class OperatorKeyUnavailable(Exception):
    """The key cannot be read, or is too short to be one; says which file, never what is in it."""


class OperatorKey:
    """Reads `file` each time, so that a renewed key needs no restart."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def is_key(self, key: str) -> bool:
        """Whether `key` is the one in the file, in a time that does not depend on where they differ.

        Raises:
            OperatorKeyUnavailable: nobody can tell.
        """
        try:
            kept = self._file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise OperatorKeyUnavailable(f"the operator's key cannot be read: {error}") from error
        if len(kept) < LEAST_CHARACTERS:
            raise OperatorKeyUnavailable(
                f"the operator's key in {str(self._file)!r} is too short: it needs {LEAST_CHARACTERS} characters"
            )
        return hmac.compare_digest(digest(key), digest(kept))
