"""What an evaluation found, kept as one JSON file a run so that the next run can compare itself with it."""

import hashlib
from pathlib import Path

from pydantic import Field

from tasks.environment.quality import JUDGED, JudgedMetric, Metric
from tasks.evaluation.retrieval_metrics import recall_at, reciprocal_rank
from tasks.golden.dataset import Kind
from tasks.report_files import Kept, KeptReport


class AnswerRow(Kept):
    """A full answer. `similarity` (-1..1) and `rouge_l` (0..1) compare it with the reference of an answerable question.

    `groundedness` (0..1) is None when the answer has no sentence. `uncompared` says why `similarity` is missing
    where it should be there.
    """

    kind: str
    text: str
    groundedness: float | None
    similarity: float | None
    rouge_l: float | None
    seconds: float
    uncompared: str | None = None


CUTOFF = 5
"""The k of recall@k."""
OF_EVIDENCE: tuple[Metric, ...] = ("recall_at_5", "mrr", "context_precision", "context_recall")
"""The metrics of a search for evidence, which answerable questions have."""
NO_NUMBER = "it is not a finite number (NaN or infinite)"


class QuestionRow(Kept):
    """One question's result. `ranks` (from 1, None: not found) are of its evidence quotes, in their order.

    What comes of the search is None where `unsearched` says why it failed, and there are no ranks then. The context
    scores (0..1) are None for questions without evidence; `answer` is None when only searched, and where `failed` says
    why the service gave none. `judged` holds a judge's scores (0..1), and `unjudged` why others are missing; a metric
    in neither was not asked for.
    """

    id: str
    kind: Kind
    question: str
    relevancy: float | None
    abstained: bool | None
    ranks: tuple[int | None, ...]
    context_precision: float | None
    context_recall: float | None
    answer: AnswerRow | None
    judged: dict[JudgedMetric, float] = Field(default_factory=dict)
    unjudged: dict[JudgedMetric, str] = Field(default_factory=dict)
    failed: str | None = None
    unsearched: str | None = None

    @property
    def answerable(self) -> bool:
        """Whether the documents answer the question."""
        return self.kind != "unanswerable"

    @property
    def asked(self) -> bool:
        """Whether a full answer was asked for."""
        return self.answer is not None or self.failed is not None

    @property
    def scores(self) -> dict[Metric, float]:
        """What is known of the question and its answer, by metric."""
        answer, ranks = self.answer, self.ranks
        known: dict[Metric, float | None] = {
            "recall_at_5": recall_at(ranks, CUTOFF) if ranks else None,
            "mrr": reciprocal_rank(ranks) if ranks else None,
            "abstention_accuracy": None if self.abstained is None else float(self.abstained != self.answerable),
            "context_precision": self.context_precision,
            "context_recall": self.context_recall,
            "answer_similarity": answer.similarity if answer else None,
            "rouge_l": answer.rouge_l if answer else None,
            "groundedness": answer.groundedness if answer else None,
            **self.judged,
        }
        return {metric: value for metric, value in known.items() if value is not None}

    @property
    def missing(self) -> dict[Metric, str]:
        """Why scores are missing that the question should have."""
        known = self.scores
        due: dict[Metric, str] = {}
        if self.unsearched is not None:
            of_search: tuple[Metric, ...] = OF_EVIDENCE if self.answerable else ()
            due |= dict.fromkeys((*of_search, "abstention_accuracy"), self.unsearched)
        if self.ranks:
            due |= {"context_precision": NO_NUMBER, "context_recall": NO_NUMBER}
        if self.answerable and self.asked:
            uncompared = self.answer.uncompared if self.answer is not None else None
            due |= {"answer_similarity": self.failed or uncompared or NO_NUMBER, "rouge_l": self.failed or NO_NUMBER}
        if self.failed is not None:
            due |= {"groundedness": self.failed, **(dict.fromkeys(JUDGED, self.failed) if self.answerable else {})}
        return {**{metric: why for metric, why in due.items() if metric not in known}, **self.unjudged}


class Inputs(Kept):
    """Everything that can change an evaluation's result, by digest or value."""

    golden: str
    knowledge: str
    service: str
    models: dict[str, str]
    settings: dict[str, object]

    def changed_since(self, other: "Inputs") -> list[str]:
        """The names of what is not as it was in `other`, such as `knowledge` or `settings.agents`."""
        pairs = {
            "golden": (self.golden, other.golden),
            "knowledge": (self.knowledge, other.knowledge),
            "service": (self.service, other.service),
            **{
                f"models.{name}": (self.models.get(name), other.models.get(name)) for name in self.models | other.models
            },
            **{
                f"settings.{name}": (self.settings.get(name), other.settings.get(name))
                for name in self.settings | other.settings
            },
        }
        return [name for name, (now, before) in pairs.items() if now != before]


class Judging(Kept):
    """What became of the judge: `kappa` is its agreement with people on the statements that they labelled.

    `labelled` counts those that it gave a verdict of, and `unlabelled` the others; `kappa` is None where it is
    undefined, and `interval` is its 95 % interval. `halted` says that its `tokens` ended before all scores were there.
    """

    model: str
    tokens: int
    halted: bool
    labelled: int
    unlabelled: int = 0
    kappa: float | None
    interval: tuple[float, float] | None

    @property
    def finished(self) -> bool:
        """Whether it gave a verdict of every statement, and its tokens sufficed."""
        return not self.halted and self.labelled > 0 and not self.unlabelled

    def calibrated(self, least_kappa: float) -> bool:
        """Whether it agrees with people well enough to fail a run."""
        return self.kappa is not None and self.kappa >= least_kappa


class Report(KeptReport):
    """One evaluation. `scores` holds every metric of the environment file that was defined for these questions.

    `intervals` are their 95 % intervals. `refused` says why the run failed, and is empty for one that passed. `corpus`
    names the sources that were measured, and is None in a report of a version that did not record them.
    """

    environment: str
    generation: str
    corpus: str | None = None
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

    @property
    def searched(self) -> int:
        """How many questions were searched for."""
        return sum(row.unsearched is None for row in self.rows)

    @property
    def whole(self) -> bool:
        """Whether it has all that was asked for: what failed, such as a search or the judge, may not fail again."""
        judged = self.judging is None or self.judging.finished
        return judged and not any(row.missing for row in self.rows)


def reusable(reports: list[Report], inputs: Inputs, answers: int) -> Report | None:
    """The newest whole report from exactly these inputs that has at least `answers` full answers.

    None when there is none.
    """
    enough = (report for report in reports if report.whole and report.answered >= answers)
    return next((report for report in enough if report.inputs == inputs), None)


def tree_digest(directory: Path, pattern: str) -> str:
    """SHA-256 over the paths and contents of the files below `directory` that match `pattern`."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob(pattern)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(directory).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
