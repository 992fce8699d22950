"""What an evaluation found, kept as one JSON file a run so that the next run can compare itself with it."""

import hashlib
from pathlib import Path

from pydantic import Field

from tasks.environment.quality import JudgedMetric, Metric
from tasks.golden import Kind
from tasks.report_files import Kept, KeptReport


class AnswerRow(Kept):
    """A full answer. `similarity` (-1..1) and `rouge_l` (0..1) compare it with the reference of an answerable question.

    `groundedness` (0..1) is None when the answer has no sentence.
    """

    kind: str
    text: str
    groundedness: float | None
    similarity: float | None
    rouge_l: float | None
    seconds: float


class QuestionRow(Kept):
    """One question's result. `ranks` (from 1, None: not found) are of its evidence quotes, in their order.

    The context scores (0..1) are None for questions without evidence; `answer` is None when only searched. `judged`
    holds a judge's scores (0..1), and `unjudged` why others are missing; a metric in neither was not asked for.
    """

    id: str
    kind: Kind
    question: str
    relevancy: float
    abstained: bool
    ranks: tuple[int | None, ...]
    context_precision: float | None
    context_recall: float | None
    answer: AnswerRow | None
    judged: dict[JudgedMetric, float] = Field(default_factory=dict)
    unjudged: dict[JudgedMetric, str] = Field(default_factory=dict)

    @property
    def answerable(self) -> bool:
        """Whether the documents answer the question."""
        return self.kind != "unanswerable"


class Inputs(Kept):
    """Everything that can change an evaluation's result, by digest or value."""

    golden: str
    knowledge: str
    service: str
    models: dict[str, str]
    settings: dict[str, object]


class Judging(Kept):
    """What became of the judge: `kappa` is its agreement with people on the statements that they labelled.

    `labelled` counts those that it gave a verdict of; `kappa` is None where it is undefined, and `interval` is its 95 %
    interval. `halted` says that its `tokens` ended before all scores were there.
    """

    model: str
    tokens: int
    halted: bool
    labelled: int
    kappa: float | None
    interval: tuple[float, float] | None

    def calibrated(self, least_kappa: float) -> bool:
        """Whether it agrees with people well enough to fail a run."""
        return self.kappa is not None and self.kappa >= least_kappa


class Report(KeptReport):
    """One evaluation. `scores` holds every metric of the environment file that was defined for these questions.

    `intervals` are their 95 % intervals. `refused` says why the run failed, and is empty for one that passed.
    """

    environment: str
    generation: str
    inputs: Inputs
    scores: dict[Metric, float]
    rows: tuple[QuestionRow, ...]
    seconds: float
    intervals: dict[Metric, tuple[float, float]] = Field(default_factory=dict)
    judging: Judging | None = None
    refused: tuple[str, ...] = ()

    @property
    def answered(self) -> int:
        """How many questions were answered in full."""
        return sum(row.answer is not None for row in self.rows)


def reusable(reports: list[Report], inputs: Inputs, answers: int) -> Report | None:
    """The newest report from exactly these inputs with at least `answers` full answers; None when there is none."""
    return next((report for report in reports if report.inputs == inputs and report.answered >= answers), None)


def tree_digest(directory: Path, pattern: str) -> str:
    """SHA-256 over the paths and contents of the files below `directory` that match `pattern`."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob(pattern)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(directory).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
