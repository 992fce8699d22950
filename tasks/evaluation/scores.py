"""From questions and what the service said of them to rows, and from rows to the metrics of the environment file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.agent_service.http_api import NoAnswer, SearchAnswer, TimedAnswer
from tasks.environment.quality import Metric
from tasks.evaluation.defined_metrics import defined_intervals, defined_values, finite, mean_of_defined
from tasks.evaluation.report import AnswerRow, QuestionRow
from tasks.evaluation.retrieval_metrics import RankedPassage, abstention_accuracy, evidence_ranks
from tasks.golden.dataset import GoldenQuestion

if TYPE_CHECKING:
    from tasks.evaluation.ragas_metrics import AnswerScores, ContextScores

Embed = Callable[[str], Sequence[float]]


@task(task_run_name="score-answers", cache_policy=NO_CACHE)
def question_rows(
    questions: Sequence[GoldenQuestion],
    searched: Sequence[SearchAnswer | NoAnswer],
    asked: Mapping[str, TimedAnswer | NoAnswer],
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
    from tasks.evaluation.ragas_metrics import Contexts, score_answers, score_contexts

    searches = {question.id: search for question, search in zip(questions, searched, strict=True)}
    found = {identity: search for identity, search in searches.items() if isinstance(search, SearchAnswer)}
    labelled = [question for question in questions if question.evidence]
    sought = [question for question in labelled if question.id in found]
    contexts = score_contexts(
        [
            Contexts(
                tuple(passage.chunk.text for passage in found[question.id].passages[:passages]),
                tuple(evidence.quote for evidence in question.evidence),
            )
            for question in sought
        ]
    )
    said = {identity: answer for identity, answer in asked.items() if isinstance(answer, TimedAnswer)}
    failed = {identity: answer.reason for identity, answer in asked.items() if isinstance(answer, NoAnswer)}
    compared = [question for question in labelled if question.id in said]
    answers = score_answers([(said[question.id].said.answer, question.reference) for question in compared], embed)
    context_of = {question.id: scores for question, scores in zip(sought, contexts, strict=True)}
    scores_of = {question.id: scores for question, scores in zip(compared, answers, strict=True)}
    answer_of = {identity: _answer_row(answer, scores_of.get(identity)) for identity, answer in said.items()}
    return tuple(
        _question_row(
            question,
            searches[question.id],
            context_of.get(question.id),
            answer_of.get(question.id),
            failed.get(question.id),
            stored,
            relevancy_threshold,
        )
        for question in questions
    )


def _question_row(
    question: GoldenQuestion,
    search: SearchAnswer | NoAnswer,
    context: "ContextScores | None",
    answer: AnswerRow | None,
    failed: str | None,
    stored: Mapping[str, str],
    relevancy_threshold: float,
) -> QuestionRow:
    if isinstance(search, NoAnswer):
        return QuestionRow(
            id=question.id,
            kind=question.kind,
            question=question.question,
            relevancy=None,
            abstained=None,
            ranks=(),
            context_precision=None,
            context_recall=None,
            answer=answer,
            failed=failed,
            unsearched=search.reason,
        )
    ranked = [RankedPassage(passage.chunk.path, passage.chunk.text) for passage in search.passages]
    evidence = ((stored.get(each.document, each.document), each.quote) for each in question.evidence)
    return QuestionRow(
        id=question.id,
        kind=question.kind,
        question=question.question,
        relevancy=search.relevancy,
        abstained=search.relevancy < relevancy_threshold or not search.passages,
        ranks=evidence_ranks(ranked, evidence),
        context_precision=None if context is None else finite(context.precision),
        context_recall=None if context is None else finite(context.recall),
        answer=answer,
        failed=failed,
    )


def _answer_row(answer: TimedAnswer, scores: "AnswerScores | None") -> AnswerRow:
    return AnswerRow(
        kind=answer.said.kind,
        text=answer.said.answer,
        groundedness=answer.said.groundedness,
        similarity=None if scores is None or scores.similarity is None else finite(scores.similarity),
        rouge_l=None if scores is None else finite(scores.rouge_l),
        seconds=answer.seconds,
        uncompared=None if scores is None else scores.uncompared,
    )


def metric_values(rows: Sequence[QuestionRow], metrics: Iterable[Metric]) -> dict[Metric, float]:
    """The value (0..1) of every metric asked for; one that is undefined for these rows is left out."""
    return defined_values(rows, metrics, _measure)


def metric_intervals(rows: Sequence[QuestionRow], metrics: Iterable[Metric]) -> dict[Metric, tuple[float, float]]:
    """The 95 % bootstrap interval over the questions of every metric that is defined."""
    return defined_intervals(rows, metrics, _measure)


def _measure(metric: Metric, rows: Sequence[QuestionRow]) -> float | None:
    if metric == "abstention_accuracy":
        return _abstention(rows)
    return mean_of_defined(row.scores.get(metric) for row in rows)


def _abstention(rows: Sequence[QuestionRow]) -> float | None:
    decisions = [(row.answerable, row.abstained) for row in rows if row.abstained is not None]
    if len({answerable for answerable, _ in decisions}) < 2:
        return None
    return abstention_accuracy(decisions)
