"""The names in a question: products, places and people, told by how they are written."""

import re
from functools import lru_cache

from agents.evaluation.sentences import sentence_spans
from agents.evaluation.terms import content_terms

_WORD = re.compile(r"\w+")


@lru_cache(maxsize=256)
def names(question: str) -> frozenset[str]:
    """The stems of the words in `question` that are written as names are.

    These are words with a capital letter that do not begin a sentence, and words with a digit or with a capital letter
    further inside. A question whose words mostly begin with a capital letter (a headline, or shouting) tells nothing
    by them and has no names; nor has one in small letters, or in a script without capitals.
    """
    words = [
        (match.group(), index == 0)
        for start, end in sentence_spans(question)
        for index, match in enumerate(_WORD.finditer(question[start:end]))
        if match.group() != "I"
    ]
    within = [word for word, first in words if not first]
    if 2 * sum(word[0].isupper() for word in within) > len(within):
        return frozenset()
    named = [word for word, first in words if (word[0].isupper() and not first) or _is_marked(word)]
    return content_terms(" ".join(named))


def _is_marked(word: str) -> bool:
    return any(character.isupper() for character in word[1:]) or any(character.isdecimal() for character in word)
