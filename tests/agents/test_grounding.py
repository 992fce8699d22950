import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.grounding import check
from agents.knowledge.search import Passage
from agents.quoting import best_quotes
from agents.sentences import SentenceBuffer, sentence_spans
from tests.agents.corpus_generation import CORPUS, corpus_chunks

PASSAGES = [Passage(chunk, "g1", 1.0, None, None) for chunk in corpus_chunks()]
DOCUMENTS = {path.name: path.read_text() for path in CORPUS.glob("*.md")}
WORDS = sorted({word for text in DOCUMENTS.values() for word in text.split()})
THRESHOLD = 0.7


@pytest.mark.parametrize(
    "sentence",
    [
        "The agent service listens on port 8080.",
        "The platform keeps the last three generations.",
        "The flow `knowledge/local` refreshes the knowledge base every night at 03:00 UTC.",
        "LanceDB is the embedded store.",
        "A crash never serves half an index.",
        "The knowledge base stays on disk after stopping.",
    ],
)
def test_what_the_passages_say_passes(sentence: str) -> None:
    verdict = check(sentence, PASSAGES, THRESHOLD)
    assert verdict.passed, verdict


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("The agent service listens on port 808.", "'808'"),
        ("The agent service listens on port 80801.", "'80801'"),
        ("The platform keeps the last seven generations.", "'seven'"),
        ("The flow `knowledge/prod` refreshes the knowledge base.", "'knowledge/prod'"),
        ("`make destroy` stops every process.", "'make destroy'"),
        ("It runs on AWS with PostgreSQL.", "'PostgreSQL'"),
        ("A crash serves half an index.", "in the passages"),
        ("Kittens sleep under warm blankets.", "no passage says that"),
        ("Which port does the agent service listen on?", "question"),
        ("The knowledge base stays on disk after `make up`.", "in the passages"),
        ("Yes.", "too little"),
        ("The agent service listens on port 8080 at 03:00.", "no single passage"),
    ],
)
def test_what_the_passages_do_not_say_fails_with_the_reason(sentence: str, why: str) -> None:
    verdict = check(sentence, PASSAGES, THRESHOLD)
    assert not verdict.passed
    assert why in (verdict.failure or "")


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=25).map(" ".join))
def test_every_quote_is_verbatim_in_its_document(sentence: str) -> None:
    verdict = check(sentence, PASSAGES, THRESHOLD)
    for quote in [verdict.quote, *best_quotes(sentence, PASSAGES)]:
        if quote is not None:
            document = DOCUMENTS[quote.passage.chunk.path]
            assert document[quote.document_start : quote.document_end] == quote.text != ""


@given(
    st.sampled_from([text for chunk in corpus_chunks() for text in re.split(r"(?<=\.)\s", chunk.text)]),
    st.integers(min_value=0, max_value=10**12),
    st.integers(min_value=0, max_value=20),
)
def test_a_sentence_with_a_number_that_no_passage_has_never_passes(sentence: str, number: int, position: int) -> None:
    numbers = {int(found) for text in DOCUMENTS.values() for found in re.findall(r"\d+", text)}
    if number in numbers:
        return
    words = sentence.split()
    words.insert(min(position, len(words)), str(number))
    assert not check(" ".join(words), PASSAGES, THRESHOLD).passed


@given(st.text(max_size=300))
def test_the_check_takes_any_text(sentence: str) -> None:
    assert 0 <= check(sentence, PASSAGES, THRESHOLD).score <= 1


@given(st.text(alphabet="ab. !?\n-1)。", max_size=80))
def test_sentences_cover_all_but_white_space(text: str) -> None:
    spans = sentence_spans(text)
    assert "".join("".join(text[a:b] for a, b in spans).split()) == "".join(text.split())
    assert all(text[a:b] == text[a:b].strip() for a, b in spans)


@given(st.text(alphabet="ab. !?\n-1)[]。", max_size=80), st.integers(min_value=1, max_value=7))
def test_arriving_text_gives_the_same_sentences_however_it_is_cut(text: str, size: int) -> None:
    whole, pieces = SentenceBuffer(), SentenceBuffer()
    expected = whole.feed(text) + whole.finish()
    found = [s for i in range(0, len(text), size) for s in pieces.feed(text[i : i + size])] + pieces.finish()
    assert found == expected


def test_abbreviations_versions_and_lists() -> None:
    text = "Use e.g. version 3.5.0 of it. Then:\n- first\n- second\n\n1. Go on."
    assert [text[a:b] for a, b in sentence_spans(text)] == [
        "Use e.g. version 3.5.0 of it.",
        "Then:",
        "- first",
        "- second",
        "1. Go on.",
    ]
