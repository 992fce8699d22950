"""What the gate found of the generations that are kept, noted in the store."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from agents.knowledge.refusal import Cell
from agents.knowledge.store import KnowledgeStore

NOTE = "gate-verdicts"


class Check(BaseModel):
    """One comparison: what the candidate has, what the serving generation has (None: nothing to compare with), and
    what was demanded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    candidate: float
    serving: float | None
    demanded: str
    passed: bool

    @property
    def row(self) -> dict[str, Cell]:
        """A line of the table that a run shows."""
        outcome = "passed" if self.passed else "FAILED"
        serving = None if self.serving is None else round(self.serving, 4)
        return {
            "check": self.name,
            "candidate": round(self.candidate, 4),
            "serving": serving,
            "demanded": self.demanded,
            "outcome": outcome,
        }


class Verdict(BaseModel):
    """Whether a generation may serve. `scores` are its golden scores, and `questions_digest` says on which questions.

    `best` are the best scores of it and of those that served before it, so that many small losses do not add up.
    `remark` says what could not be compared, and why. `worse` are the questions whose evidence is found later than in
    the serving generation, or no longer (rank None), as (question id, rank before, rank now).
    """

    # A refresh of the version before reads what this one noted.
    model_config = ConfigDict(frozen=True, extra="ignore")

    generation: str
    compared_with: str | None
    at: datetime
    checks: tuple[Check, ...]
    scores: dict[str, float]
    best: dict[str, float] = Field(default_factory=dict)
    questions: int
    questions_digest: str | None
    worse: tuple[tuple[str, int | None, int | None], ...]
    remark: str | None

    @property
    def passed(self) -> bool:
        """Whether every check did."""
        return all(check.passed for check in self.checks)

    @property
    def rows(self) -> tuple[dict[str, Cell], ...]:
        """The checks, and then the questions that became worse, as a table."""
        questions: tuple[dict[str, Cell], ...] = tuple(
            {
                "check": f"rank of the evidence of question {name!r}",
                "candidate": now,
                "serving": before,
                "demanded": "looked at, not demanded",
                "outcome": "worse",
            }
            for name, before, now in self.worse
        )
        return (*(check.row for check in self.checks), *questions)


_VERDICTS = TypeAdapter(dict[str, Verdict])


def verdicts(store: KnowledgeStore) -> Mapping[str, Verdict]:
    """The verdicts by generation."""
    text = store.note(NOTE)
    return {} if text is None else _VERDICTS.validate_json(text)


def note_verdict(store: KnowledgeStore, verdict: Verdict) -> None:
    """Remember a verdict in place of the generation's former one; those of generations that are gone are forgotten."""
    kept = {manifest.generation for manifest in store.manifests()}
    others = {name: known for name, known in verdicts(store).items() if name in kept}
    store.write_note(NOTE, _VERDICTS.dump_json({**others, verdict.generation: verdict}).decode())


def refused_generations(store: KnowledgeStore) -> frozenset[str]:
    """The generations that did not pass the gate."""
    return frozenset(name for name, verdict in verdicts(store).items() if not verdict.passed)
