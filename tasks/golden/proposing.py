"""Has a chat model propose golden questions, a passage each; what does not hold is dropped and counted."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from tasks.golden.dataset import Evidence, GoldenQuestion
from tasks.golden.documents import GoldenDocument
from tasks.golden.proposals import Proposal, same_words

FEW = 5
"""A document with fewer questions is proposed for by itself."""


class Suggestion(BaseModel):
    """What a model makes of a passage."""

    # Not by a pattern: llama.cpp makes a grammar of the schema, and of few patterns.
    model_config = ConfigDict(str_strip_whitespace=True)

    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    quote: str = Field(min_length=1)


@dataclass(frozen=True)
class Passage:
    """The text of a section in which no question has its evidence."""

    document: GoldenDocument
    text: str


@dataclass(frozen=True)
class Dropped:
    """A suggestion that is not worth a person's time, and why."""

    reason: str


Ask = Callable[[str], Suggestion | Dropped]


def open_passages(
    documents: Sequence[GoldenDocument], known: Sequence[GoldenQuestion], per_document: int
) -> list[Passage]:
    """Up to `per_document` passages of each document without evidence of `known` questions, longest first.

    Documents come in the order of their questions, those without any first.
    """
    asked = questions_by_document(known)
    chosen: list[Passage] = []
    for document in sorted(documents, key=lambda each: (asked[each.path], each.path)):
        quotes = [each.quote for question in known for each in question.evidence if each.document == document.path]
        taken = document.sections_of(quotes)
        texts = [document.text[each.start : each.end].strip() for each in document.sections if each not in taken]
        chosen += [Passage(document, text) for text in sorted(texts, key=len, reverse=True)[:per_document]]
    return chosen


def questions_by_document(questions: Sequence[GoldenQuestion]) -> Counter[str]:
    """How many questions have evidence in each document, by path."""
    return Counter(path for question in questions for path in {each.document for each in question.evidence})


def propose(passages: Sequence[Passage], known: Sequence[GoldenQuestion], ask: Ask) -> Iterator[Proposal | Dropped]:
    """What comes of each passage, as soon as it is there; `known` are the accepted questions and the open proposals.

    Raises:
        ModelAway: as `ask` does; what came before holds.
    """
    questions = list(known)
    for passage in passages:
        suggested = ask(passage.text)
        outcome = suggested if isinstance(suggested, Dropped) else _checked(suggested, passage, questions)
        if isinstance(outcome, Proposal):
            questions.append(outcome)
        yield outcome


def _checked(suggested: Suggestion, passage: Passage, known: Sequence[GoldenQuestion]) -> Proposal | Dropped:
    document, quote = passage.document, suggested.quote
    if quote not in passage.text or document.problem(quote) is not None:
        return Dropped("the quote is not verbatim, once and within a paragraph of the document")
    if any(same_words(each.question) == same_words(suggested.question) for each in known):
        return Dropped("the question is asked already")
    if any(_one_line(each.quote) == _one_line(quote) for question in known for each in question.evidence):
        return Dropped("another question has the same quote")
    return Proposal(
        id=_next_id(known),
        kind="answerable",
        question=suggested.question,
        reference=suggested.answer,
        evidence=(Evidence(document=document.path, quote=quote),),
        decision="",
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _next_id(known: Sequence[GoldenQuestion]) -> str:
    numbers = [int(each.id[1:]) for each in known if each.id[0] == "a" and each.id[1:].isdecimal()]
    return f"a{max(numbers, default=0) + 1:02}"
