"""The judged metrics of an evaluation: which answers a judge is given, and how far it agrees with people."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.agent_service.http_api import NoAnswer, SearchAnswer
from tasks.environment import Environment
from tasks.environment.quality import JudgedMetric
from tasks.evaluation.bootstrap import bootstrap_interval
from tasks.evaluation.kappa import Verdicts, cohens_kappa
from tasks.evaluation.report import Judging, QuestionRow
from tasks.evaluation.site import Asked
from tasks.gateway import Gateway
from tasks.golden.dataset import GoldenQuestion
from tasks.golden.verdicts import LabelledVerdicts, read_verdicts

if TYPE_CHECKING:
    from tasks.evaluation.ragas_judged import JudgedAnswer, JudgedScores

Embed = Callable[[str], Sequence[float]]


@task(task_run_name="judge-answers", cache_policy=NO_CACHE, persist_result=False)
def judge_answers(
    settings: Environment,
    asked: Asked,
    questions: Sequence[GoldenQuestion],
    searched: Sequence[SearchAnswer | NoAnswer],
    rows: Sequence[QuestionRow],
    embed: Embed,
) -> tuple[tuple[QuestionRow, ...], Judging | None]:
    """The `rows` with what the judge says of their answers, and what became of the judge; None where there is none.

    Judged are the full answers of answerable questions: nothing else has a reference. What was not searched for cannot
    be judged, for the judge is shown what was found. `questions` and `searched` are in the order of `rows`.

    Raises:
        InvalidVerdicts: the statements that people judged cannot be read.
    """
    metrics, model = settings.evaluation.judged_metrics, settings.models.judge
    if not metrics or model is None:
        return tuple(rows), None
    # Importing RAGAS takes seconds, which whoever only names this module should not wait for.
    from tasks.evaluation.ragas_judged import JudgedAnswer

    judged = {
        row.id: JudgedAnswer(
            question=row.question,
            answer=row.answer.text,
            reference=question.reference,
            passages=tuple(found.chunk.text for found in search.passages[: settings.agents.passages]),
            # Who says nothing claims nothing.
            claims=row.answer.kind != "abstained",
        )
        for question, search, row in zip(questions, searched, rows, strict=True)
        if row.answer is not None and row.answerable and isinstance(search, SearchAnswer)
    }
    gateway = Gateway(asked.gateway, asked.key)
    scores, judging = ask_judge(settings, model, gateway, list(judged.values()), metrics, embed)
    scored = dict(zip(judged, scores, strict=True))
    return tuple(_with_scores(row, scored.get(row.id), metrics) for row in rows), judging


def _with_scores(row: QuestionRow, said: "JudgedScores | None", metrics: Sequence[JudgedMetric]) -> QuestionRow:
    if said is not None:
        return row.model_copy(update={"judged": said.scores, "unjudged": said.failures})
    if row.unsearched is not None and row.answer is not None and row.answerable:
        return row.model_copy(update={"unjudged": dict.fromkeys(metrics, row.unsearched)})
    return row


def ask_judge(
    settings: Environment,
    model: str,
    gateway: Gateway,
    answers: Sequence["JudgedAnswer"],
    metrics: Sequence[JudgedMetric],
    embed: Embed,
) -> "tuple[list[JudgedScores], Judging]":
    """What the judge `model` says of each of `answers`, in order, and what became of the judge.

    Raises:
        InvalidVerdicts: the statements that people judged cannot be read.
    """
    # Importing RAGAS takes seconds, which whoever only names this module should not wait for.
    from tasks.evaluation.ragas_judged import JudgeAddress, run_judge

    labelled = read_verdicts()
    judge = JudgeAddress(model, gateway.url, gateway.key, settings.evaluation.judge_tokens)
    run = run_judge(judge, answers, metrics, labelled, embed)
    return run.scores, _judging(model, run.verdicts, labelled, tokens=run.tokens, halted=run.halted)


def _judging(
    model: str, verdicts: Sequence[bool | None], labelled: LabelledVerdicts, *, tokens: int, halted: bool
) -> Judging:
    """How far the judge's `verdicts` (None: it gave none, which counts as disagreement) agree with those of people."""
    pairs: list[Verdicts] = [
        (not statement.supported if verdict is None else verdict, statement.supported)
        for verdict, statement in zip(verdicts, labelled.statements, strict=True)
    ]
    given = sum(verdict is not None for verdict in verdicts)
    kappa = cohens_kappa(pairs) if given else None
    return Judging(
        model=model,
        tokens=tokens,
        halted=halted,
        labelled=given,
        unlabelled=len(verdicts) - given,
        kappa=None if kappa is None else round(kappa, 4),
        interval=bootstrap_interval(pairs, cohens_kappa) if given else None,
    )
