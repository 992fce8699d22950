"""How many tokens a text has, without the model's tokenizer at hand."""

import re

_PIECE = re.compile(r"[A-Za-z]+|\S")
_LONG_WORD = 12
_USUAL_LETTERS = 6


def cut_to_tokens(text: str, tokens: int) -> str:
    """The longest beginning of `text` that surely has at most `tokens` tokens in a subword vocabulary.

    A word counts a token for every three letters begun (two in words over 12 letters, which are rarely
    words), every other character counts one. English text has about half as many tokens as counted.
    """
    count = 0
    for piece in _PIECE.finditer(text):
        letters = len(piece.group())
        count += -(-letters // (2 if letters > _LONG_WORD else 3))
        if count > tokens:
            return text[: piece.start()].rstrip()
    return text


def estimate_tokens(text: str) -> int:
    """About how many tokens `text` has: one for every six letters begun of a word, one for every other character."""
    return sum(-(-len(piece.group()) // _USUAL_LETTERS) for piece in _PIECE.finditer(text))
