"""Whether an answer is right, without a model that judges: by what it cites, and by which reference it resembles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.embedding import vectors
from bench.processes import in_new_process
from bench.refreshing import work_of
from bench.route_cases import NOWHERE, Case
from tasks.environment import Environment


@dataclass(frozen=True)
class Said:
    """What the service said to a case on a route, as the JSON of /v1/ask, and after how many seconds."""

    route: str
    case: Case
    answer: Mapping[str, Any]
    seconds: float

    @property
    def text(self) -> str:
        """The sentences, without the numbers of their citations; empty for an abstention."""
        return " ".join(sentence["text"] for sentence in self.answer["sentences"])


@dataclass(frozen=True)
class Answered:
    """One question on one route. `similarity` (-1..1) compares the answer with its reference; None where it is none.

    `cites_evidence`: one of its citations holds labelled evidence. `resembles_own`: of the references of all questions
    it is most similar to that of its own.
    """

    route: str
    place: str
    kind: str
    cites_evidence: bool
    similarity: float | None
    resembles_own: bool
    seconds: float

    @property
    def right(self) -> bool:
        """Whether it answers from the evidence what was asked, or refuses where nothing answers."""
        if self.place == NOWHERE:
            return self.kind == "abstained"
        return self.kind != "abstained" and self.cites_evidence and self.resembles_own


def compared(environment: Environment, said: Sequence[Said]) -> tuple[Answered, ...]:
    """Everything that was said, against the references of all cases that have evidence."""
    answerable = list(dict.fromkeys(one.case for one in said if one.case.place != NOWHERE))
    references = [case.reference for case in answerable]
    work = work_of(environment, environment.knowledge.sources)
    # An abstention says nothing; the vector in its place is not looked at.
    embedded = in_new_process(vectors, work, [*references, *(one.text or "nothing" for one in said)])
    cosines = np.asarray(embedded[len(references) :]) @ np.asarray(embedded[: len(references)]).T
    rows = zip(said, cosines.tolist(), strict=True)
    return tuple(_answered(one, dict(zip(answerable, row, strict=True))) for one, row in rows)


def _answered(said: Said, similarities: Mapping[Case, float]) -> Answered:
    case, kind = said.case, said.answer["kind"]
    compares = case in similarities and kind != "abstained"
    return Answered(
        said.route,
        case.place,
        kind,
        cites(said.answer["citations"], case.evidence),
        similarities[case] if compares else None,
        compares and similarities[case] == max(similarities.values()),
        said.seconds,
    )


def cites(citations: Sequence[Mapping[str, Any]], evidence: frozenset[str]) -> bool:
    """Whether a citation is of a chunk, or of a page on the web, that holds the evidence."""
    return any({citation["chunk_id"], citation["document_uri"]} & evidence for citation in citations)
