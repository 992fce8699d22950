"""From questions and what the service said of them to rows, and from rows to the metrics of the environment file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.assistant_api import SearchAnswer, TimedAnswer
from tasks.defined_metrics import defined_intervals, defined_values, mean_of_defined
from tasks.environment.quality import JudgedMetric, Metric
from tasks.evaluation_report import AnswerRow, QuestionRow
from tasks.golden import GoldenQuestion
from tasks.retrieval_metrics import RankedPassage, abstention_accuracy, evidence_ranks, recall_at, reciprocal_rank

if TYPE_CHECKING:
    from tasks.ragas_metrics import AnswerScores, ContextScores

CUTOFF = 5
"""The k of recall@k."""

Embed = Callable[[str], Sequence[float]]


def spread(questions: Sequence[GoldenQuestion], wanted: int | None) -> list[GoldenQuestion]:
    """`wanted` questions (None: all), evenly spread over the set, so that every kind has its share."""
    if wanted is None or wanted >= len(questions):
        return list(questions)
    return [questions[index * len(questions) // wanted] for index in range(wanted)]


@task(task_run_name="score-answers", cache_policy=NO_CACHE)
def question_rows(
    questions: Sequence[GoldenQuestion],
    searched: Sequence[SearchAnswer],
    asked: Mapping[str, TimedAnswer],
    *,
    stored: Mapping[str, str],
    relevancy_threshold: float,
    passages: int,
    embed: Embed,
) -> tuple[QuestionRow, ...]:
    """One row a question, in order.

    `asked` is by question id. `stored` is that of the golden inputs. `passages` is how many of those found an answer is
    made from. `embed` makes the vector of a text, by which answers are compared with their references.
    """
    # Importing RAGAS takes seconds, which whoever only names this module should not wait for.
    from tasks.ragas_metrics import Contexts, score_answers, score_contexts

    found = {question.id: search for question, search in zip(questions, searched, strict=True)}
    labelled = [question for question in questions if question.evidence]
    contexts = score_contexts(
        [
            Contexts(
                tuple(passage.chunk.text for passage in found[question.id].passages[:passages]),
                tuple(evidence.quote for evidence in question.evidence),
            )
            for question in labelled
        ]
    )
    compared = [question for question in labelled if question.id in asked]
    answers = score_answers([(asked[question.id].said.answer, question.reference) for question in compared], embed)
    context_of = {question.id: scores for question, scores in zip(labelled, contexts, strict=True)}
    answer_of = {
        question.id: _answer_row(asked[question.id], scores) for question, scores in zip(compared, answers, strict=True)
    }
    for question in questions:
        if question.id in asked and question.id not in answer_of:
            answer_of[question.id] = _answer_row(asked[question.id], None)
    return tuple(
        _question_row(
            question,
            found[question.id],
            context_of.get(question.id),
            answer_of.get(question.id),
            stored,
            relevancy_threshold,
        )
        for question in questions
    )


def _question_row(
    question: GoldenQuestion,
    search: SearchAnswer,
    context: "ContextScores | None",
    answer: AnswerRow | None,
    stored: Mapping[str, str],
    relevancy_threshold: float,
) -> QuestionRow:
    ranked = [RankedPassage(passage.chunk.path, passage.chunk.text) for passage in search.passages]
    evidence = ((stored.get(each.document, each.document), each.quote) for each in question.evidence)
    return QuestionRow(
        id=question.id,
        kind=question.kind,
        question=question.question,
        relevancy=search.relevancy,
        abstained=search.relevancy < relevancy_threshold or not search.passages,
        ranks=evidence_ranks(ranked, evidence),
        context_precision=None if context is None else context.precision,
        context_recall=None if context is None else context.recall,
        answer=answer,
    )


def _answer_row(answer: TimedAnswer, scores: "AnswerScores | None") -> AnswerRow:
    return AnswerRow(
        kind=answer.said.kind,
        text=answer.said.answer,
        groundedness=answer.said.groundedness,
        similarity=None if scores is None else scores.similarity,
        rouge_l=None if scores is None else scores.rouge_l,
        seconds=answer.seconds,
    )


def metric_values(rows: Sequence[QuestionRow], metrics: Iterable[Metric]) -> dict[Metric, float]:
    """The value (0..1) of every metric asked for; one that is undefined for these rows is left out."""
    return defined_values(rows, metrics, _measure)


def metric_intervals(rows: Sequence[QuestionRow], metrics: Iterable[Metric]) -> dict[Metric, tuple[float, float]]:
    """The 95 % bootstrap interval over the questions of every metric that is defined."""
    return defined_intervals(rows, metrics, _measure)


def _measure(metric: Metric, rows: Sequence[QuestionRow]) -> float | None:
    return _METRICS[metric](rows)


def _judged(metric: JudgedMetric, rows: Sequence[QuestionRow]) -> float | None:
    return mean_of_defined(row.judged.get(metric) for row in rows)


def _abstention(rows: Sequence[QuestionRow]) -> float | None:
    if len({row.answerable for row in rows}) < 2:
        return None
    return abstention_accuracy((row.answerable, row.abstained) for row in rows)


_METRICS: dict[Metric, Callable[[Sequence[QuestionRow]], float | None]] = {
    "recall_at_5": lambda rows: mean_of_defined(recall_at(row.ranks, CUTOFF) for row in rows if row.ranks),
    "mrr": lambda rows: mean_of_defined(reciprocal_rank(row.ranks) for row in rows if row.ranks),
    "abstention_accuracy": _abstention,
    "context_precision": lambda rows: mean_of_defined(row.context_precision for row in rows),
    "context_recall": lambda rows: mean_of_defined(row.context_recall for row in rows),
    "answer_similarity": lambda rows: mean_of_defined(row.answer.similarity for row in rows if row.answer),
    "rouge_l": lambda rows: mean_of_defined(row.answer.rouge_l for row in rows if row.answer),
    "groundedness": lambda rows: mean_of_defined(row.answer.groundedness for row in rows if row.answer),
    "faithfulness": partial(_judged, "faithfulness"),
    "answer_relevancy": partial(_judged, "answer_relevancy"),
    "judged_context_precision": partial(_judged, "judged_context_precision"),
    "judged_context_recall": partial(_judged, "judged_context_recall"),
    "answer_correctness": partial(_judged, "answer_correctness"),
}
