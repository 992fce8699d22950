"""Text without what people do not see: characters in which instructions or data can hide."""

import unicodedata
from itertools import groupby, islice

MOST_MARKS = 30
"""So many combining marks may follow each other, as in Unicode's stream-safe format (UAX 15, section 13)."""
_KEPT = frozenset("\n\t\u200c\u200d")
"""Line ends and tabs, and the two joiners that Persian and Indian scripts are written with."""
_HIDDEN = frozenset(["Cc", "Cf", "Co", "Cs"])
_VARIATION_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))


def visible(text: str) -> str:
    """`text` composed (NFC), without control, format, private and tag characters and variation selectors.

    Among these are the marks that reverse the direction of text and the tags that spell out invisible ASCII; see
    Unicode Technical Standard 39 and Boucher and Anderson, "Trojan Source" (2021). Of a longer run of combining marks
    the first `MOST_MARKS` are kept.
    """
    # Texts are long and have few different characters: each is looked up once.
    characters = set(text)
    if hidden := {ord(character): None for character in characters if _is_hidden(character)}:
        text = text.translate(hidden)
    if marks := {character for character in characters if unicodedata.combining(character)}:
        text = _without_stacks(text, marks)
    return unicodedata.normalize("NFC", text)


def _without_stacks(text: str, marks: set[str]) -> str:
    # Composing sorts every run of marks, in time that grows with its square, while Python's lock is held.
    runs = groupby(text, marks.__contains__)
    return "".join("".join(islice(run, MOST_MARKS) if combining else run) for combining, run in runs)


def _is_hidden(character: str) -> bool:
    if character in _KEPT:
        return False
    if any(ord(character) in selectors for selectors in _VARIATION_SELECTORS):
        return True
    return unicodedata.category(character) in _HIDDEN
