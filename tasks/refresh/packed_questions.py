"""Labelled questions as one short word, for the command line of a job: Linux takes 128 KiB an argument."""

import base64
import zlib
from collections.abc import Sequence

from pydantic import TypeAdapter

from tasks.golden.dataset import GoldenQuestion

_QUESTIONS = TypeAdapter(tuple[GoldenQuestion, ...])


def pack(questions: Sequence[GoldenQuestion]) -> str:
    """The questions, compressed, in the letters of base64."""
    return base64.b64encode(zlib.compress(_QUESTIONS.dump_json(tuple(questions)))).decode()


def unpack(packed: str) -> tuple[GoldenQuestion, ...]:
    """What `pack` was given.

    Raises:
        ValueError, zlib.error: it was made by something else.
    """
    return _QUESTIONS.validate_json(zlib.decompress(base64.b64decode(packed)))
