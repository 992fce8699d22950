"""What a golden question can be asked of, and whether its quote proves it."""

import pytest

from agents.knowledge.documents import DocumentRef
from agents.knowledge.parsing import parse
from tasks.golden.dataset import Evidence, GoldenQuestion
from tasks.golden.documents import GoldenDocument
from tasks.golden.proposals import Proposal, same_words
from tasks.golden.proposing import Dropped, Passage, Suggestion, open_passages, propose
from tests.golden_environment import MAIL, PRINT


def document(path: str, content: str) -> GoldenDocument:
    parsed = parse(DocumentRef("test", f"file:///{path}", path, len(content)), content.encode())
    return GoldenDocument(path, parsed.text, parsed.sections)


def about(identity: str, path: str, quote: str) -> GoldenQuestion:
    evidence = (Evidence(document=path, quote=quote),)
    return GoldenQuestion(id=identity, kind="answerable", question=identity, reference="So.", evidence=evidence)


@pytest.mark.parametrize(("quote", "sections"), [("batches", 0), ("urgent", 1), ("Only members", 2)])
def test_a_quote_lies_in_one_section(quote: str, sections: int) -> None:
    mail = document("mail.md", MAIL)
    assert mail.sections_of([quote]) == (mail.sections[sections],)


def test_passages_are_of_sections_without_a_question_and_of_unasked_documents_first() -> None:
    documents = [document("mail.md", MAIL), document("print.md", PRINT)]
    passages = open_passages(documents, [about("a01", "mail.md", "Only members")], 2)
    assert [passage.document.path for passage in passages] == ["print.md", "print.md", "mail.md", "mail.md"]
    assert [passage.text.splitlines()[-1] for passage in passages[2:]] == [
        "Mail is sent every hour, and at once when it is urgent.",
        "Mail is sent in batches.",
    ]


def test_questions_that_differ_in_case_and_marks_only_are_the_same() -> None:
    assert same_words("How do I\nprint?") == same_words("how do I print")
    assert same_words("How do I print?") != same_words("How do I fax?")


PRINTING = document("print.md", PRINT)
BUTTON = "Press the green button to print."
KNOWN = [about("a41", "print.md", "Paper is in the drawer.")]


@pytest.mark.parametrize(
    ("question", "quote", "reason"),
    [
        ("How do I print?", "press the green button", "the quote is not verbatim"),
        ("How do I print?", "print", "the quote is not verbatim, once"),
        ("How do I print?", "to print.  Paper", "the quote is not verbatim"),
        ("How do I print?", "Only members may send mail.", "the quote is not verbatim"),
        ("How do I print?", "Paper is in the drawer.", "another question has the same quote"),
        ("A41?", BUTTON, "the question is asked already"),
    ],
)
def test_a_suggestion_that_does_not_hold_is_dropped(question: str, quote: str, reason: str) -> None:
    suggested = Suggestion(question=question, answer="So.", quote=quote)
    (outcome,) = propose([Passage(PRINTING, PRINTING.text)], KNOWN, lambda _: suggested)
    assert isinstance(outcome, Dropped)
    assert outcome.reason.startswith(reason)


def test_what_was_just_proposed_counts_as_asked_and_takes_the_next_id() -> None:
    suggested = Suggestion(question="How do I print?", answer="Press it.", quote=BUTTON)
    first, second = propose([Passage(PRINTING, PRINTING.text)] * 2, KNOWN, lambda _: suggested)
    assert isinstance(first, Proposal)
    assert (first.id, first.decision, first.evidence[0].quote) == ("a42", "", BUTTON)
    assert second == Dropped("the question is asked already")
