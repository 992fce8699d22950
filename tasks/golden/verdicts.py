"""Statements that people judged, by which a judge model is judged: golden/verdicts.json."""

import hashlib
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.environment import REPOSITORY

VERDICTS = REPOSITORY / "golden" / "verdicts.json"
LEAST_STATEMENTS = 30
LEAST_OF_EITHER_KIND = 10
"""With fewer a judge agrees with people by luck."""
Label = Literal["supported", "swapped", "invented", "negated", "narrowed"]
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]


class InvalidVerdicts(Exception):
    """The labelled statements cannot be used; says which file and which key."""


class _Read(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class LabelledStatement(_Read):
    """A statement, and what a person says of it; every label but `supported` names how it strays from the passages."""

    statement: Text
    label: Label

    @property
    def supported(self) -> bool:
        """Whether the passages support it."""
        return self.label == "supported"


class LabelledVerdicts(_Read):
    """Statements that are all about the same passages."""

    passages: Annotated[list[Text], Field(min_length=1)]
    statements: Annotated[list[LabelledStatement], Field(min_length=1)]


def read_verdicts(path: Path = VERDICTS) -> LabelledVerdicts:
    """Read the labelled statements.

    Raises:
        InvalidVerdicts: the file is missing, not what it should be, or has too few statements to judge a judge by.
    """
    try:
        read = LabelledVerdicts.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InvalidVerdicts(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise InvalidVerdicts(f"{path} is refused: {error}") from error
    kinds = Counter(each.supported for each in read.statements)
    if len(read.statements) < LEAST_STATEMENTS or min(kinds[True], kinds[False]) < LEAST_OF_EITHER_KIND:
        raise InvalidVerdicts(
            f"{path} is refused: statements has {kinds[True]} that are supported and {kinds[False]} that are not; "
            f"label at least {LEAST_STATEMENTS}, and {LEAST_OF_EITHER_KIND} of either kind, as with fewer a judge "
            "agrees with people by luck"
        )
    return read


def verdicts_digest() -> str:
    """SHA-256 of the file."""
    return hashlib.sha256(VERDICTS.read_bytes()).hexdigest()
