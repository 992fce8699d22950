"""Words of a text as evidence: content words, their stems and weights, and tokens that must match exactly."""

import re
from functools import lru_cache

TOKEN = re.compile(r"\w(?:[\w./:@+=-]*\w)?")
_PART = re.compile(r"\w+")
CODE_SPAN = re.compile(r"(?<!`)`++([^`]+)`+")
_CODE_MARKS = frozenset("_/:@=+.")

_FUNCTION = """
a about above after again all also although am an and any are as at be because been before being below between both but
by can could did do does doing done down during each either else etc ever every few for from further had has have having
he her here hers him his how however i if in into is it its itself just least less let like many may me might mine more
most much must my myself now of off often on once one only or other others our ours out over own per please quite rather
s same shall she should since so some such t than that the their theirs them then there these they this those though
through thus to too under until up upon us very was we well were what whatever when where whether which while who whom
whose why will with within would yet you your yours not no nor never none cannot without neither tell explain describe
mean means give
"""
_EVERYDAY = """
able add allow ask back bad become begin best better big bring call case change come different example find first get go
good happen help keep kind know last long look main make new next number old part people place possible put question
right run say see set show start still stop sure take thing things think time try turn use used useful user want way
work year
"""
_NUMBERS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty
"""
FUNCTION_WORDS = frozenset(_FUNCTION.split())
NEGATIONS = frozenset(["not", "no", "never", "none", "cannot", "nor", "neither", "without"])
CONTRACTED_NOT = re.compile(r"\b\w+n['\u2019]t\b", re.IGNORECASE)
# "one" is mostly a pronoun.
NUMBER_WORDS = {word: str(number) for number, word in enumerate(_NUMBERS.split()) if word != "one"} | {
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "sixty": "60",
    "hundred": "100",
    "thousand": "1000",
}


def stem(word: str) -> str:
    """Cut common English endings so that `deploys`, `deployed` and `deployment` meet; other words stay as they are."""
    word = word.casefold()
    for ending, replacement in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + replacement
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1].isalpha() and word[-1] not in "aeiouls":
        return word[:-1]
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


_ENDINGS = (
    ("ments", ""),
    ("ment", ""),
    ("ings", ""),
    ("ing", ""),
    ("ions", ""),
    ("ion", ""),
    ("sses", "ss"),
    ("ies", "y"),
    ("ied", "y"),
    ("ss", "ss"),
    ("us", "us"),
    ("ers", ""),
    ("er", ""),
    ("ed", ""),
    ("es", ""),
    ("s", ""),
    ("ly", ""),
)


@lru_cache(maxsize=2048)
def content_terms(text: str) -> frozenset[str]:
    """The stems of all words of `text` that carry meaning; identifiers also contribute their parts."""
    words = (part for part in _PART.findall(text.replace("_", " ").casefold()) if part not in FUNCTION_WORDS)
    return frozenset(stem(word) for word in words)


@lru_cache(maxsize=4096)
def weight(term: str) -> float:
    """How much a stem says about the subject: 0.5 for everyday words, 1 to 1.5 by length, 2 with a digit in it.

    Stands in for rarity in the language, so that it depends on the word alone and not on a corpus.
    """
    if any(character.isnumeric() for character in term):
        return 2.0
    if term in _EVERYDAY_STEMS:
        return 0.5
    return 1.5 if len(term) >= 7 else 1.0


_EVERYDAY_STEMS = frozenset(stem(word) for word in _EVERYDAY.split())


def exact_tokens(text: str) -> frozenset[str]:
    """What a paraphrase may not change: numbers, number words, code spans, paths, options, identifiers, CamelCase."""
    code = {" ".join(match.split()) for match in CODE_SPAN.findall(text)}
    tokens = {token for token in TOKEN.findall(CODE_SPAN.sub(" ", text)) if is_exact(token)}
    return frozenset(entry for entry in code | tokens if entry)


def is_exact(token: str) -> bool:
    """Whether a paraphrase may not change `token`: numbers, paths, options, identifiers, CamelCase."""
    if token.casefold() in NUMBER_WORDS or any(character.isnumeric() for character in token):
        return True
    if any(mark in token for mark in _CODE_MARKS):
        return True
    return any(character.isupper() for character in token[1:])


def holds_exactly(text: str, token: str) -> bool:
    """Whether `token` occurs in `text` as a whole, whatever its case; `1,000` equals `1000`, `twelve` equals `12`."""
    forms = {token, NUMBER_WORDS.get(token.casefold(), token)}
    return any(_whole(_plain(form)).search(_plain(text)) for form in forms)


@lru_cache(maxsize=1024)
def _plain(text: str) -> str:
    without_separators = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    return " ".join(without_separators.replace("`", " ").casefold().split())


@lru_cache(maxsize=1024)
def _whole(token: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?<!\d[.,]){re.escape(token)}(?!\w)(?![.,]\d)")
