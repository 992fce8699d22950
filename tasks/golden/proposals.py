"""Proposed golden questions: a file beside the dataset, in which people decide what becomes a question."""

import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tasks.golden.dataset import GoldenQuestion, InvalidGoldenSet, read_golden_line, read_golden_set
from tasks.golden.documents import GoldenDocuments


class ProposalsRefused(Exception):
    """What was accepted does not hold, so that nothing was taken: a line each, with its number and the reason."""


class Proposal(GoldenQuestion):
    """A golden question that nobody has accepted yet; `decision` is what a person makes of it."""

    decision: Literal["", "accept", "reject"]

    @property
    def question_alone(self) -> GoldenQuestion:
        """The question as the dataset holds it."""
        return GoldenQuestion.model_validate(self.model_dump(exclude={"decision"}))


@dataclass(frozen=True)
class ProposalLine:
    """A proposal, and the line of the file that holds it: its number from 1, and its text."""

    number: int
    text: str
    proposal: Proposal


@dataclass(frozen=True)
class Settled:
    """How many proposals were accepted and rejected, and how many wait for a decision."""

    accepted: int
    rejected: int
    waiting: int


def proposals_file(dataset: Path) -> Path:
    """Where the proposals for a dataset lie."""
    return dataset.with_name("proposals.jsonl")


def accepted_questions(dataset: Path) -> tuple[GoldenQuestion, ...]:
    """The questions of the dataset; none where it does not exist yet.

    Raises:
        InvalidGoldenSet: it exists and cannot be used.
    """
    return read_golden_set(dataset) if dataset.exists() else ()


def read_proposals(path: Path) -> tuple[ProposalLine, ...]:
    """Every proposal of the file, in order; none where there is no file.

    Raises:
        InvalidGoldenSet: a line is no proposal.
    """
    if not path.exists():
        return ()
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise InvalidGoldenSet(f"{path} is not UTF-8: {error}") from error
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    return tuple(
        ProposalLine(number, line, read_golden_line(path, number, line, Proposal)) for number, line in numbered
    )


def append_lines(path: Path, entries: Iterable[GoldenQuestion]) -> None:
    """Add a line for each entry; the file is there afterwards as it was, or with all of them."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    begun = f"{before}\n" if before and not before.endswith("\n") else before
    added = "".join(f"{json.dumps(entry.model_dump(mode='json'), ensure_ascii=False)}\n" for entry in entries)
    _write(path, begun + added)


def same_words(question: str) -> str:
    """What two questions have in common that differ in case, white space and punctuation only."""
    return " ".join(re.findall(r"\w+", question.casefold()))


def settle(dataset: Path, documents: GoldenDocuments) -> Settled:
    """Take what people accepted into the dataset, and everything that they decided out of the proposals.

    Raises:
        ProposalsRefused: an accepted one does not hold; both files are as they were.
        InvalidGoldenSet: one of the files cannot be read.
    """
    file = proposals_file(dataset)
    proposals = read_proposals(file)
    known = accepted_questions(dataset)
    # A run that was ended between the two files has taken these already.
    marked = [(line.number, line.proposal.question_alone) for line in proposals if line.proposal.decision == "accept"]
    accepted = [(number, question) for number, question in marked if question not in known]
    if problems := _problems(accepted, known, documents):
        raise ProposalsRefused("\n".join(f"{file}, line {number}: {problem}" for number, problem in problems))
    append_lines(dataset, [question for _, question in accepted])
    waiting = [line.text for line in proposals if line.proposal.decision == ""]
    if len(waiting) < len(proposals):
        _write(file, "".join(f"{text}\n" for text in waiting))
    return Settled(len(marked), len(proposals) - len(marked) - len(waiting), len(waiting))


def _problems(
    accepted: Sequence[tuple[int, GoldenQuestion]], known: Sequence[GoldenQuestion], documents: GoldenDocuments
) -> list[tuple[int, str]]:
    ids = {question.id for question in known}
    asked = {same_words(question.question): question.id for question in known}
    found: list[tuple[int, str]] = []
    for number, question in accepted:
        if question.id in ids:
            found.append((number, f"the id {question.id!r} is taken"))
        if (same := asked.get(same_words(question.question))) is not None:
            found.append((number, f"{same!r} asks the same: {question.question!r}"))
        found += [(number, problem) for each in question.evidence if (problem := documents.problem(each)) is not None]
        ids.add(question.id)
        asked.setdefault(same_words(question.question), question.id)
    return found


def _write(path: Path, text: str) -> None:
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)
