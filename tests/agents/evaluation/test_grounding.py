import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.evaluation.grounding import check
from agents.evaluation.quoting import best_quotes
from agents.evaluation.sentences import SentenceBuffer, sentence_spans
from agents.knowledge.search import Passage
from tests.agents.corpus_generation import CORPUS, corpus_chunks
from tests.agents.evaluation.labelled_sentences import LABELLED

PASSAGES = [Passage(chunk, "g1", 1.0, None, None) for chunk in corpus_chunks()]
DOCUMENTS = {path.name: path.read_text() for path in CORPUS.glob("*.md")}
WORDS = sorted({word for text in DOCUMENTS.values() for word in text.split()})
THRESHOLD = 0.7


@pytest.mark.parametrize(("label", "sentence"), LABELLED)
def test_what_the_passages_say_passes_and_nothing_else(label: str, sentence: str) -> None:
    verdict = check(sentence, "", PASSAGES, THRESHOLD)
    assert verdict.passed is (label == "supported"), verdict


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("The agent service listens on port 808.", "'808'"),
        ("The agent service listens on port 80801.", "'80801'"),
        ("The platform keeps the last seven generations.", "'seven'"),
        ("The flow `knowledge/prod` refreshes the knowledge base.", "'knowledge/prod'"),
        ("`make destroy` stops every process.", "'make destroy'"),
        ("It runs on AWS with PostgreSQL.", "'PostgreSQL'"),
        ("A crash serves half an index.", "no passage says that"),
        ("Kittens sleep under warm blankets.", "no passage says that"),
        ("Which port does the agent service listen on?", "question"),
        ("The knowledge base stays on disk after `make up`.", "no passage says that"),
        ("Yes.", "too little"),
        ("These are the last generations:", "announces"),
        ("The agent listens on UTC.", "no passage says that"),
        ("A crash, half of it, never of an immutable service, serves secrets of an index.", "no passage says that"),
        ("The agent service listens on port 8080 at 03:00.", "no single passage"),
    ],
)
def test_what_the_passages_do_not_say_fails_with_the_reason(sentence: str, why: str) -> None:
    verdict = check(sentence, "", PASSAGES, THRESHOLD)
    assert not verdict.passed
    assert why in f"{verdict.failure}: {verdict.details}"


def test_repeating_the_question_is_no_answer() -> None:
    question = "Does the knowledge base stay on the disk?"
    assert check("The knowledge base stays on the disk.", question, PASSAGES, THRESHOLD).failure == (
        "it repeats the question"
    )


def test_a_row_of_a_table_is_read_with_the_names_of_its_columns() -> None:
    table = "| component | port |\n| --- | --- |\n| gateway | 4000 |\n| agent service | 8080 |"
    passages = [Passage(replace(corpus_chunks()[0], text=table, heading_path=("Ports",)), "g1", 1.0, None, None)]
    assert check("The agent service uses port 8080.", "", passages, THRESHOLD).passed
    assert not check("The gateway uses port 8080.", "", passages, THRESHOLD).passed
    assert not check("The component is the port.", "", passages, THRESHOLD).passed


def test_the_headings_above_may_say_what_a_sentence_is_about() -> None:
    text = "It listens on the loopback interface. Secrets are elsewhere."
    passages = [Passage(replace(corpus_chunks()[0], text=text, heading_path=("Agent service",)), "g1", 1.0, None, None)]
    assert check("The agent service listens on the loopback interface.", "", passages, THRESHOLD).passed
    assert not check("The gateway listens on the loopback interface.", "", passages, THRESHOLD).passed
    assert not check("The agent listens on the loopback interface.", "", passages, THRESHOLD).passed


REPEATING = "The server listens on the loopback interface if it has a port."


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        (REPEATING, True),
        ("Agent service: the server listens on the loopback interface if it has a port, the agent service.", True),
        ("If agent service, when agent service, if agent service: " + REPEATING, True),
        ("the server port " * 100 + "agent service", False),
        ("agent service " * 5 + REPEATING, False),
        ("if when " * 5 + REPEATING, False),
    ],
)
def test_a_word_is_supported_no_more_often_than_it_was_said(sentence: str, supported: bool) -> None:
    chunk = replace(corpus_chunks()[0], text=REPEATING, heading_path=("Agent service",))
    assert check(sentence, "", [Passage(chunk, "g1", 1.0, None, None)], 0.5).passed is supported


def test_a_name_of_a_column_may_stand_anywhere_but_not_again_and_again() -> None:
    table = "| component | port |\n| --- | --- |\n| gateway | 4000 |"
    passages = [Passage(replace(corpus_chunks()[0], text=table, heading_path=("Ports",)), "g1", 1.0, None, None)]
    assert check("The port of the component gateway is port 4000.", "", passages, THRESHOLD).passed
    assert not check("The port " * 5 + "of the gateway is 4000.", "", passages, THRESHOLD).passed


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=25).map(" ".join))
def test_every_quote_is_verbatim_in_its_document(sentence: str) -> None:
    verdict = check(sentence, "", PASSAGES, THRESHOLD)
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
    assert not check(" ".join(words), "", PASSAGES, THRESHOLD).passed


@given(st.text(max_size=300))
def test_the_check_takes_any_text(sentence: str) -> None:
    assert 0 <= check(sentence, "", PASSAGES, THRESHOLD).score <= 1


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


def test_a_sentence_does_not_end_within_code() -> None:
    text = 'Run `make ask Q="How? So."` in a shell. Then wait.'
    assert [text[a:b] for a, b in sentence_spans(text)] == [text[:39], "Then wait."]


def test_abbreviations_versions_and_lists() -> None:
    text = "Use e.g. version 3.5.0 of it. Then:\n- first\n- second\n\n1. Go on."
    assert [text[a:b] for a, b in sentence_spans(text)] == [
        "Use e.g. version 3.5.0 of it.",
        "Then:",
        "- first",
        "- second",
        "1. Go on.",
    ]
