"""The labelled questions of an evaluation, read from a file with one JSON object a line."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Kind = Literal["answerable", "paraphrase", "two_documents", "unanswerable"]
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]


class InvalidGoldenSet(Exception):
    """The golden set cannot be used: says which file, which line, which key, and what is allowed there."""


class Evidence(BaseModel):
    """What proves a reference answer: a verbatim `quote` of a document, named by its path within its source."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    document: Text
    quote: Text


class GoldenQuestion(BaseModel):
    """One labelled question; `evidence` is empty exactly for the kind `unanswerable`."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    kind: Kind
    question: Text
    reference: Text
    evidence: tuple[Evidence, ...]

    @property
    def answerable(self) -> bool:
        """Whether the documents answer the question, so that the service must not abstain."""
        return self.kind != "unanswerable"

    @model_validator(mode="after")
    def _evidence_fits_the_kind(self) -> Self:
        documents = {evidence.document for evidence in self.evidence}
        least = {"unanswerable": 0, "two_documents": 2}.get(self.kind, 1)
        if len(documents) < least or (self.kind == "unanswerable" and documents):
            raise ValueError(
                f"kind {self.kind!r} needs evidence from {'no' if least == 0 else f'at least {least}'} document(s), "
                f"but has it from {sorted(documents)!r}"
            )
        return self


Entry = TypeVar("Entry", bound=GoldenQuestion)


def read_golden_set(path: Path) -> tuple[GoldenQuestion, ...]:
    """Read every question of the file, in order.

    Raises:
        InvalidGoldenSet: the file is missing, empty or not UTF-8, a line is not JSON or has a wrong key or value, or
            an id occurs twice.
    """
    try:
        # Not `splitlines`: a quote may hold a line separator that is no end of a line in JSON Lines.
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError as error:
        raise InvalidGoldenSet(f"{path} does not exist; evaluation.dataset must name a file of questions") from error
    except UnicodeDecodeError as error:
        raise InvalidGoldenSet(f"{path} is not UTF-8: {error}") from error
    questions = tuple(
        read_golden_line(path, number, line, GoldenQuestion)
        for number, line in enumerate(lines, start=1)
        if line.strip()
    )
    if not questions:
        raise InvalidGoldenSet(f"{path} holds no question; it needs at least one JSON object")
    first_with: dict[str, int] = {}
    for number, question in enumerate(questions, start=1):
        if question.id in first_with:
            raise InvalidGoldenSet(
                f"{path}: id {question.id!r} occurs twice (questions {first_with[question.id]} and {number})"
            )
        first_with[question.id] = number
    return questions


def golden_digest(path: Path) -> str:
    """SHA-256 of the file, which identifies the golden set among an evaluation's inputs."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_golden_line(path: Path, number: int, line: str, kind: type[Entry]) -> Entry:
    """The question in one line of a file.

    Raises:
        InvalidGoldenSet: the line is not JSON or has a wrong key or value; says which.
    """
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or '(the whole line)'}: {problem['msg']}"
            + ("" if isinstance(problem["input"], dict) else f", got {json.dumps(problem['input'], default=str)[:120]}")
            for problem in error.errors(include_url=False)
        )
        raise InvalidGoldenSet(f"{path}, line {number}: {problems}") from error


def spread(questions: Sequence[GoldenQuestion], wanted: int | None) -> list[GoldenQuestion]:
    """`wanted` questions (None: all), evenly spread over the set, so that every kind has its share."""
    if wanted is None or wanted >= len(questions):
        return list(questions)
    return [questions[index * len(questions) // wanted] for index in range(wanted)]
