"""The documents of a prompt are read back out of the text that a trace keeps of it."""

import json

import pytest

from agents.knowledge.search import Passage
from agents.prompt import documents_in, messages
from agents.settings import Prompt
from agents.tracing.masking import mask
from tests.agents.corpus_generation import corpus_chunks

CHUNKS = corpus_chunks()[:2]


def traced(question: str, refusal: str | None = None) -> str:
    """The prompt as a span carries it, when it leaves the service."""
    passages = [Passage(chunk, "g1", 0.9, None, None) for chunk in CHUNKS]
    return mask(json.dumps(messages(question, passages, Prompt(), 2048, 160, refusal), ensure_ascii=False))


@pytest.mark.parametrize("refusal", [None, "nothing in it was in the documents"])
def test_the_documents_come_back_whole(refusal: str | None) -> None:
    said = documents_in(traced("What does `make down` stop? I am joe@example.org", refusal))
    assert said == "\n\n".join(chunk.searchable_text for chunk in CHUNKS)


@pytest.mark.parametrize(
    "other",
    [
        "What does `make down` stop?",
        json.dumps([{"role": "user", "content": "Statement: It is.\n\nPassage 1:\nIt is."}]),
        json.dumps([]),
        json.dumps(messages("Nothing was found?", (), Prompt(), 2048, 160)),
        # As masking leaves it where a secret ends with a quotation mark.
        '[{"role": "user", "content": "Documents:\\n[secret]"}]"}]',
    ],
)
def test_another_text_has_none(other: str) -> None:
    assert documents_in(other) is None
