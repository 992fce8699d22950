"""The embedding model's own tokenizer: what bounds a chunk is what the model reads."""

import re
from functools import lru_cache
from pathlib import Path

from semantic_text_splitter import TextSplitter
from tokenizers import Regex, Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import Sequence, Split

# The reference WordPiece makes one unknown token of a longer word, llama.cpp cuts it into pieces. Cutting
# such a word before it is counted makes the count follow the server, and never fall far below it.
_LONGEST_WORD = 100

# The splitter's time grows with the square of a word's length (40,000 letters: 14 s), so that encoded data on
# one line would stop a refresh: such a word is cut beforehand.
_ENDLESS_WORD = re.compile(r"\w{1000}")

# Words repeat: counting a text by its words' remembered counts takes a tenth of the time of encoding it.
_REMEMBERED_WORDS = 2**16


class TokenizerMissing(Exception):
    """There is no tokenizer.json where the model's files should be, or it cannot be loaded."""


class EmbeddingTokenizer:
    """Counts tokens, and splits text within a number of tokens.

    A count includes the special tokens that the model adds around its input (2 for BERT models).
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._counts_by_words = isinstance(tokenizer.model, WordPiece)
        if self._counts_by_words:
            words = Split(Regex(f".{{1,{_LONGEST_WORD}}}"), "isolated")
            before = tokenizer.pre_tokenizer
            tokenizer.pre_tokenizer = Sequence([before, words]) if before is not None else words
        self._tokenizer = tokenizer
        self._word_tokens = lru_cache(_REMEMBERED_WORDS)(self._encoded_tokens)
        self._splitters: dict[tuple[int, int], TextSplitter] = {}
        self.special_tokens: int = tokenizer.num_special_tokens_to_add(False)

    def count(self, text: str) -> int:
        """The number of tokens of one model input, special tokens included."""
        return self.special_tokens + self._text_tokens(text)

    def last(self, text: str, tokens: int) -> str:
        """The longest end of `text` that has at most `tokens` tokens, special tokens not counted."""
        offsets: list[tuple[int, int]] = self._tokenizer.encode(text, add_special_tokens=False).offsets
        if len(offsets) <= tokens:
            return text
        return text[offsets[len(offsets) - tokens][0] :] if tokens > 0 else ""

    def split(self, text: str, tokens: int, overlap_tokens: int) -> list[tuple[int, str]]:
        """Pieces of `text` with the character offset of each: at most `tokens` tokens, special tokens not counted.

        A piece ends at the highest boundary that fits (blank line, line, sentence, word), and starts up to
        `overlap_tokens` before the end of the one before it. Every character is in a piece.
        """
        bounds = (tokens, overlap_tokens)
        if bounds not in self._splitters:
            self._splitters[bounds] = TextSplitter.from_callback(self._text_tokens, tokens, overlap_tokens, trim=False)
        splitter = self._splitters[bounds]
        ends = [*(run.end() for run in _ENDLESS_WORD.finditer(text)), len(text)]
        starts = [0, *ends[:-1]]
        return [
            (start + offset, piece)
            for start, end in zip(starts, ends, strict=True)
            for offset, piece in splitter.chunk_indices(text[start:end])
        ]

    def _text_tokens(self, text: str) -> int:
        if not self._counts_by_words:
            return self._encoded_tokens(text)
        # WordPiece never joins what a space or a line end parts. Other white space stays inside a "word" here,
        # because the model's normaliser drops some of it (form feed) and so joins what it parts.
        words = text.replace("\n", " ").split(" ")
        return sum(
            self._word_tokens(word) if len(word) <= _LONGEST_WORD else self._encoded_tokens(word) for word in words
        )

    def _encoded_tokens(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)


def load_tokenizer(path: Path) -> EmbeddingTokenizer:
    """Load a `tokenizer.json`, without the truncation and padding that it may ask for.

    Raises TokenizerMissing when the file is not there or is not a tokenizer.
    """
    if not path.is_file():
        raise TokenizerMissing(f"no tokenizer at {str(path)!r}: deploy the models first, they bring it")
    try:
        return EmbeddingTokenizer(Tokenizer.from_file(str(path)))
    except Exception as error:  # the Rust binding raises nothing more specific than Exception
        raise TokenizerMissing(f"{str(path)!r} is not a tokenizer.json ({error}): deploy the models again") from error
