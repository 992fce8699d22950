"""The RAGAS metrics that a judge model scores, and the judge's verdicts on statements that people judged.

Importing this module imports RAGAS, which takes seconds: import it where answers are judged. Source: RAGAS 0.4.3,
"Faithfulness", "Answer Relevancy", "Context Precision", "Context Recall", "Answer Correctness"; Es et al., RAGAS:
Automated Evaluation of Retrieval Augmented Generation, 2023.
"""

import asyncio
import math
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import openai
from pydantic import SecretStr, ValidationError
from ragas.metrics.collections import (
    AnswerCorrectness,
    AnswerRelevancy,
    ContextPrecisionWithReference,
    ContextRecall,
    Faithfulness,
)
from ragas.metrics.collections.faithfulness.util import NLIStatementInput, NLIStatementOutput, NLIStatementPrompt
from ragas.metrics.result import MetricResult

from tasks.environment.quality import JudgedMetric
from tasks.evaluation.judge_model import JudgeModel, JudgeSpent
from tasks.evaluation.ragas_metrics import Embed, RagasEmbedding, unanswered
from tasks.golden.verdicts import LabelledVerdicts

AT_ONCE = 4
STATEMENTS_AT_ONCE = 8
"""As many as an answer has statements, which the metric asks together."""

Ask = Callable[["JudgedAnswer"], Awaitable[MetricResult]]


@dataclass(frozen=True)
class JudgedAnswer:
    """An answer with its question, its reference, and the passages (best first) that it was written from.

    `claims` says whether it asserts something of its own, which passages may or may not support.
    """

    question: str
    answer: str
    reference: str
    passages: tuple[str, ...]
    claims: bool


@dataclass
class JudgedScores:
    """What the judge said of one answer: scores (0..1), and why others are missing; the rest was not asked."""

    scores: dict[JudgedMetric, float] = field(default_factory=dict[JudgedMetric, float])
    failures: dict[JudgedMetric, str] = field(default_factory=dict[JudgedMetric, str])


@dataclass(frozen=True)
class JudgeRun:
    """All that a judge did in a run. `verdicts` holds one a labelled statement, None where it gave none."""

    scores: list[JudgedScores]
    verdicts: list[bool | None]
    tokens: int
    halted: bool


@dataclass(frozen=True)
class JudgeAddress:
    """The judge's name at the gateway, the gateway's base URL and key, and the tokens that a run may take."""

    model: str
    gateway: str
    key: SecretStr
    most_tokens: int


def run_judge(
    judge: JudgeAddress,
    answers: Sequence[JudgedAnswer],
    metrics: Sequence[JudgedMetric],
    labelled: LabelledVerdicts,
    embed: Embed,
) -> JudgeRun:
    """Have the judge give its verdicts on what people judged, and then score each answer by each metric.

    A call that fails, an answer of another shape, an empty text and a NaN are failures of that score and of nothing
    else. When the tokens are used up, what is left is not asked.
    """
    os.environ["RAGAS_DO_NOT_TRACK"] = "true"
    return asyncio.run(_run_judge(judge, answers, metrics, labelled, embed))


async def _run_judge(
    judge: JudgeAddress,
    answers: Sequence[JudgedAnswer],
    metrics: Sequence[JudgedMetric],
    labelled: LabelledVerdicts,
    embed: Embed,
) -> JudgeRun:
    # The model tries again itself, and counts what each attempt takes.
    async with openai.AsyncOpenAI(
        base_url=f"{judge.gateway}/v1", api_key=judge.key.get_secret_value(), max_retries=0
    ) as client:
        model = JudgeModel(client, judge.model, judge.most_tokens)
        asks = _asks(model, embed)
        results = [JudgedScores() for _ in answers]
        turns = asyncio.Semaphore(AT_ONCE)
        try:
            verdicts = await _verdicts(model, labelled)
        except JudgeSpent:
            return JudgeRun(results, [None] * len(labelled.statements), model.tokens, halted=True)

        async def score(answer: JudgedAnswer, result: JudgedScores) -> bool:
            async with turns:
                try:
                    for metric in metrics:
                        await _score(metric, asks[metric], answer, result)
                except JudgeSpent:
                    return False
                return True

        done = await asyncio.gather(*(score(*each) for each in zip(answers, results, strict=True)))
        return JudgeRun(results, verdicts, model.tokens, halted=not all(done))


def _asks(model: JudgeModel, embed: Embed) -> Mapping[JudgedMetric, Ask]:
    embedding = RagasEmbedding(embed)
    faithfulness, relevancy = Faithfulness(model), AnswerRelevancy(model, embedding)
    precision, recall = ContextPrecisionWithReference(model), ContextRecall(model)
    correctness = AnswerCorrectness(model, embedding)
    return {
        "faithfulness": lambda of: faithfulness.ascore(of.question, of.answer, list(of.passages)),
        "answer_relevancy": lambda of: relevancy.ascore(of.question, of.answer),
        "judged_context_precision": lambda of: precision.ascore(of.question, of.reference, list(of.passages)),
        "judged_context_recall": lambda of: recall.ascore(of.question, list(of.passages), of.reference),
        "answer_correctness": lambda of: correctness.ascore(of.question, of.answer, of.reference),
    }


async def _score(metric: JudgedMetric, ask: Ask, answer: JudgedAnswer, result: JudgedScores) -> None:
    if metric == "faithfulness" and not answer.claims:
        return
    if metric in ("faithfulness", "judged_context_precision", "judged_context_recall") and not answer.passages:
        # RAGAS does not foresee it; nothing that was found is of any use.
        result.scores[metric] = 0.0
        return
    try:
        value = float((await ask(answer)).value)
    except (openai.OpenAIError, ValueError) as error:
        # RAGAS raises a ValueError where a text that it needs is empty; pydantic's ValidationError is one too.
        result.failures[metric] = _failure(error)
        return
    if math.isfinite(value):
        result.scores[metric] = value
    else:
        result.failures[metric] = "the judge's verdicts give no number (NaN)"


async def _verdicts(model: JudgeModel, labelled: LabelledVerdicts) -> list[bool | None]:
    """Asked with the prompt by which `Faithfulness` asks."""
    prompt, context = NLIStatementPrompt(), "\n".join(labelled.passages)
    statements = [each.statement for each in labelled.statements]
    verdicts: list[bool | None] = []
    for start in range(0, len(statements), STATEMENTS_AT_ONCE):
        asked = statements[start : start + STATEMENTS_AT_ONCE]
        text = prompt.to_string(NLIStatementInput(context=context, statements=asked))
        try:
            said = (await model.agenerate(text, NLIStatementOutput)).statements
        except (openai.OpenAIError, ValidationError):
            said = []
        # A judge that leaves one out or adds one cannot be told which verdict is whose.
        fits = len(said) == len(asked)
        verdicts += [bool(each.verdict) for each in said] if fits else [None] * len(asked)
    return verdicts


def _failure(error: openai.OpenAIError | ValueError) -> str:
    if isinstance(error, openai.OpenAIError):
        return unanswered(error)
    if isinstance(error, ValidationError):
        return f"the judge's answer has another shape: {error.error_count()} errors"
    return f"RAGAS cannot score it: {error}"
