import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.evaluation.sentences import sentence_spans
from agents.evaluation.terms import content_terms, weight
from agents.web_passages import PASSAGE_CHARACTERS, web_passages
from agents.web_search.client import WebResult

QUESTION = "Which port does the agent service listen on in 2026?"
WORDS = st.sampled_from(["port", "ports", "agent", "service", "listens", "2026", "a", "the", "kitten", "x" * 150])
SENTENCES = st.lists(WORDS, min_size=1, max_size=8).map(lambda words: " ".join(words) + ".")
LONG_SENTENCES = st.integers(min_value=200, max_value=300).map(lambda times: "port " * times + "agent.")
PAGES = st.lists(st.one_of(SENTENCES, SENTENCES, LONG_SENTENCES), min_size=1, max_size=30).map(" ".join)


def result(text: str) -> WebResult:
    return WebResult("https://docs.example.com/ports", "Ports", text, 0.5)


def best_part(text: str) -> tuple[int, int, float]:
    """What is said of the best part, looked for in the plainest way: every sentence with all that follow."""
    parts: list[tuple[int, int, float]] = []
    spans = sentence_spans(text)
    for first, (start, stop) in enumerate(spans):
        within = [span for span in spans[first:] if span[1] <= start + PASSAGE_CHARACTERS]
        end = within[-1][1] if within else start + PASSAGE_CHARACTERS
        sentences = [text[slice(*span)] for span in within or [(start, stop)]]
        terms = {term for sentence in sentences for term in content_terms(sentence)}
        parts.append((start, end, sum(weight(term) for term in terms & content_terms(QUESTION))))
    return max(parts, key=lambda part: part[2])


@given(PAGES)
@settings(deadline=None)
def test_the_part_that_speaks_most_of_the_question_is_found(text: str) -> None:
    (passage,) = web_passages(QUESTION, [result(text)])
    start, end, score = best_part(text)
    assert (passage.chunk.start, passage.chunk.end, passage.score) == (start, end, score + 0.5)
    assert passage.chunk.text == text[start:end]


def test_a_page_of_very_many_sentences_is_searched_to_its_end() -> None:
    text = "a. " * 10_000 + "The agent service listens on port 8080."
    (passage,) = web_passages(QUESTION, [result(text)])
    assert passage.chunk.text.endswith("port 8080.")
    assert len(passage.chunk.text) <= PASSAGE_CHARACTERS


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_page_without_text_is_left_out(text: str) -> None:
    assert web_passages(QUESTION, [result(text)]) == ()
