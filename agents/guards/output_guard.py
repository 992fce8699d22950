"""What no answer may say, whatever the model was talked into: secrets, and what the model was told."""

import base64
import re
import unicodedata
from collections.abc import Iterable

from agents.guards.visible_text import visible

SAME_WORDS = 8
"""So many words of the instructions in a row are no accident; shorter runs are everyday language."""
_SHORTEST_SECRET = 8
_WORD = re.compile(r"[^\W_]+")


class OutputGuard:
    """Knows `secrets` and the `instructions` of the models. It holds by comparison alone, and asks no model."""

    def __init__(self, secrets: Iterable[str], instructions: Iterable[str]) -> None:
        self._secrets = frozenset(form for secret in secrets for form in _forms(secret))
        self._instructions = frozenset(run for text in instructions for run in _runs(text))

    def refusal(self, text: str) -> str | None:
        """Why `text` may not be shown, without its words; None when it may."""
        squeezed = _squeezed(text)
        if any(form in squeezed for form in self._secrets):
            return "it holds a secret"
        if not self._instructions.isdisjoint(_runs(text)):
            return "it repeats the instructions"
        return None


def _forms(secret: str) -> set[str]:
    """A secret as it is, backwards, in base64 (at each offset into three bytes) and in hexadecimal; see `_squeezed`."""
    if len(secret) < _SHORTEST_SECRET:
        return set()
    data = secret.encode()
    # The first and the last characters depend on what stands around the secret.
    encoded = {base64.b64encode(b"\0" * offset + data).decode()[4 if offset else 0 : -4] for offset in range(3)}
    forms = {secret, secret[::-1], data.hex(), *encoded}
    return {squeezed for form in forms if len(squeezed := _squeezed(form)) >= _SHORTEST_SECRET}


def _words(text: str) -> list[str]:
    """Compatible forms of letters, such as wide ones, count as the letters; hidden characters do not count at all."""
    return [word.casefold() for word in _WORD.findall(unicodedata.normalize("NFKC", visible(text)))]


def _squeezed(text: str) -> str:
    """Letters and digits alone, in lower case: spelling a secret out with dots or spaces changes nothing."""
    return "".join(_words(text))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _words(text)
    return {tuple(words[index : index + SAME_WORDS]) for index in range(len(words) - SAME_WORDS + 1)}
