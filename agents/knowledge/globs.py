"""Glob patterns over paths with forward slashes; `glob.translate` does this from Python 3.13 on."""

import re
from collections.abc import Sequence

_PIECE = re.compile(
    r"(?P<folders>(?<![^/])\*\*/)|(?P<rest>(?<![^/])\*\*$)|(?P<any>\*+)|(?P<one>\?)|(?P<set>\[!?[^\]]+\])|.", re.S
)
_MEANING = {"folders": "(?:[^/]+/)*", "rest": ".*", "any": "[^/]*", "one": "[^/]"}


class Globs:
    """Matches a path against alternatives: `**` is any number of directories, `*` and `?` stay within one."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self.patterns = tuple(patterns)
        self._expression = re.compile("|".join(f"(?:{_translated(pattern)})" for pattern in patterns) or r"(?!)", re.S)

    def match(self, path: str) -> bool:
        """Whether the whole of `path` matches one of the patterns."""
        return self._expression.fullmatch(path) is not None


def _translated(pattern: str) -> str:
    return "".join(_translated_piece(piece) for piece in _PIECE.finditer(pattern))


def _translated_piece(piece: re.Match[str]) -> str:
    kind = piece.lastgroup
    if kind is None:
        return re.escape(piece[0])
    if kind == "set":
        return piece[0].replace("[!", "[^", 1) if piece[0].startswith("[!") else piece[0]
    return _MEANING[kind]
