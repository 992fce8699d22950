"""The golden set that the project ships: complete, balanced, and true to the documents."""

from collections import Counter

import pytest

from agents.knowledge.documents import DocumentRef
from agents.knowledge.parsing import parse
from tasks.environment import REPOSITORY
from tasks.golden.dataset import GoldenQuestion, read_golden_set

DOCUMENTS = REPOSITORY / "docs"
QUESTIONS = read_golden_set(REPOSITORY / "golden" / "questions.jsonl")
LEAST = {"answerable": 25, "paraphrase": 18, "two_documents": 10, "unanswerable": 15}


def text_of(name: str) -> str:
    path = DOCUMENTS / name
    content = path.read_bytes()
    return parse(DocumentRef("documentation", path.as_uri(), name, len(content)), content).text


def test_no_kind_of_question_is_rare() -> None:
    counts = Counter(question.kind for question in QUESTIONS)
    assert all(counts[kind] >= least for kind, least in LEAST.items()), counts


def test_no_question_is_asked_twice() -> None:
    asked = Counter(" ".join(question.question.lower().split()) for question in QUESTIONS)
    assert [question for question, times in asked.items() if times > 1] == []


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_every_quote_is_verbatim_in_its_document(question: GoldenQuestion) -> None:
    for evidence in question.evidence:
        text = " ".join(text_of(evidence.document).split())
        assert " ".join(evidence.quote.split()) in text, f"{evidence.document} does not hold {evidence.quote!r}"


def test_a_quote_proves_one_thing_only() -> None:
    for question in QUESTIONS:
        for evidence in question.evidence:
            assert text_of(evidence.document).count(evidence.quote) == 1, (question.id, evidence.quote)
