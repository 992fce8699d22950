"""A sentence as the sequence of words that make its claim, and how such a sequence lies in a text."""

import re
from dataclasses import dataclass
from functools import lru_cache

from agents.evaluation.terms import (
    CODE_SPAN,
    CONTRACTED_NOT,
    FUNCTION_WORDS,
    NEGATIONS,
    NUMBER_WORDS,
    TOKEN,
    is_exact,
    stem,
)

NOT = "not"
_CONDITIONS = """
if unless except until only when while most some few sometimes usually may might
"""
_RELATIONS = """
all both more less least before after above below over under up down off out once again by from into against with than
yes always
"""
# They say nothing that could be wrong.
_FILLERS = """
use uses used using way thing things want wants need needs allow allows possible able
"""
CONDITIONS = frozenset(_CONDITIONS.split())
"""A text that says one of these is not quoted without it."""
_RELATION_WORDS = frozenset(_RELATIONS.split())
_FILLER_WORDS = frozenset(_FILLERS.split())
_SAME = dict.fromkeys(NEGATIONS, NOT) | {"every": "all", "each": "all"}
_BOUNDARY_WORDS = frozenset(["and", "or", "but", "whereas"])
_BOUNDARY = re.compile(r"[.,;:()!?|\u2013\u2014\n]")
_BOUNDARY_DISTANCE = 3
_PART = re.compile(r"\w+")
_PIECE = re.compile(rf"{CODE_SPAN.pattern}|{TOKEN.pattern}")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")

SKIPPED_WORD = 0.25
"""What an alignment loses for a word of the text that the sentence leaves out between its own."""


@dataclass(frozen=True)
class Claim:
    """The words of a claim, each field one value a word.

    `groups` number the exact token (code, number, identifier) that a word is part of, if any. `places` count all words
    of the text, and more where a clause ends: how far apart two words stand.

    Columns and no objects of words: thousands of claims are kept, and the garbage collector, which stops the event
    loop, looks at every object but at no tuple of strings and numbers.
    """

    stems: tuple[str, ...]
    groups: tuple[int | None, ...]
    places: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.stems)

    def binds(self, index: int) -> bool:
        """Whether leaving that word out changes what is said."""
        word = self.stems[index]
        return self.groups[index] is not None or word in _RELATION_WORDS or word in CONDITIONS or word == NOT


@dataclass(frozen=True)
class Alignment:
    """Pairs (index of the sentence's word, index of the text's word) in order, and the score of them all."""

    pairs: tuple[tuple[int, int], ...]
    score: float


NOTHING = Claim((), (), ())


@lru_cache(maxsize=2048)
def claim_of(text: str) -> Claim:
    """The words of `text` that carry its claim, in order: content, relations, conditions, negations, exact tokens."""
    plain = CONTRACTED_NOT.sub(" not ", _THOUSANDS.sub("", text))
    words: list[tuple[str, int | None, int]] = []
    place = end = group = 0
    for piece in _PIECE.finditer(plain):
        if _BOUNDARY.search(plain, end, piece.start()):
            place += _BOUNDARY_DISTANCE
        end = piece.end()
        exact = piece.group(1) is not None or is_exact(piece.group())
        group += exact
        for part in _PART.findall(piece.group().replace("_", " ").casefold()):
            place += 1 + _BOUNDARY_DISTANCE * (part in _BOUNDARY_WORDS and not exact)
            if (known := _known(part, exact)) is not None:
                words.append((known, group if exact else None, place))
    return Claim(*(tuple(column) for column in zip(*words, strict=True))) if words else NOTHING


def _known(word: str, exact: bool) -> str | None:
    word = NUMBER_WORDS.get(word, word)
    if exact:
        return stem(word)
    word = _SAME.get(word, word)
    if word == NOT or word in _RELATION_WORDS or word in CONDITIONS:
        return word
    return None if word in FUNCTION_WORDS or word in _FILLER_WORDS else stem(word)


def align(sentence: Claim, text: Claim) -> Alignment:
    """The best way to find the words of `sentence` in `text` in their order.

    An aligned word counts 1, a word of the text that is skipped between aligned ones costs `SKIPPED_WORD`. This is
    Needleman and Wunsch's alignment (1970) with free ends in the text.
    """
    rows = [[0.0] * (len(text) + 1)]
    for word in sentence.stems:
        above, row = rows[-1], [0.0]
        for column, candidate in enumerate(text.stems, start=1):
            best = max(above[column], row[-1] - SKIPPED_WORD, 0.0)
            row.append(max(best, above[column - 1] + 1) if candidate == word else best)
        rows.append(row)
    end = max(range(len(text) + 1), key=lambda column: rows[-1][column])
    return Alignment(_pairs(sentence, text, rows, end), rows[-1][end])


def _pairs(sentence: Claim, text: Claim, rows: list[list[float]], column: int) -> tuple[tuple[int, int], ...]:
    pairs: list[tuple[int, int]] = []
    row = len(sentence)
    while row and column and rows[row][column] > 0:
        here = rows[row][column]
        same = sentence.stems[row - 1] == text.stems[column - 1]
        if same and here == rows[row - 1][column - 1] + 1:
            row, column = row - 1, column - 1
            pairs.append((row, column))
        elif here == rows[row - 1][column]:
            row -= 1
        else:
            column -= 1
    return tuple(reversed(pairs))


def keeps_company(claim: Claim, aligned: frozenset[int]) -> bool:
    """Whether every aligned word stands nearer to an aligned exact token than to one of its kind that was left out.

    `make down` and `make up` may stand in one sentence; what is said next to the one is not said of the other.
    """
    return all(_keeps_company(claim, aligned, numeric) for numeric in (False, True))


def _keeps_company(claim: Claim, aligned: frozenset[int], numeric: bool) -> bool:
    words = zip(claim.stems, claim.groups, claim.places, strict=True)
    exact = [(group, place) for word, group, place in words if group is not None and word.isnumeric() is numeric]
    held = {claim.groups[index] for index in aligned}
    ours = [place for group, place in exact if group in held]
    others = [place for group, place in exact if group not in held]
    if not ours or not others:
        return True
    places = [claim.places[index] for index in aligned]
    return all(min(abs(p - place) for p in ours) < min(abs(p - place) for p in others) for place in places)
