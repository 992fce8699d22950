"""What calls of the judge count for, also those that fail and are tried again; the judge behind the API is scripted."""

import asyncio

import openai
import pytest
from pydantic import SecretStr
from ragas.metrics.collections.answer_relevancy.util import AnswerRelevanceOutput

from agents.token_estimate import estimate_tokens
from tasks.evaluation.judge_model import ANSWER_TOKENS, ATTEMPTS, JudgeModel, JudgeSpent
from tasks.evaluation.ragas_judged import JudgeAddress, run_judge
from tasks.golden.verdicts import read_verdicts
from tests.tasks.evaluation.scripted_judge import TOKENS, ScriptedJudge

PROMPT = 'One question. \ninput: {"response": "Yes."}Output: '
RESERVED = estimate_tokens(PROMPT) + ANSWER_TOKENS


def called(judge: ScriptedJudge, most_tokens: int) -> tuple[int, type[Exception] | None]:
    """The tokens that one call took, and how it failed."""

    async def call() -> tuple[int, type[Exception] | None]:
        async with openai.AsyncOpenAI(base_url=f"{judge.url}/v1", api_key="sk", max_retries=0) as client:
            model = JudgeModel(client, "judge", most_tokens)
            try:
                await model.agenerate(PROMPT, AnswerRelevanceOutput)
            except (JudgeSpent, openai.OpenAIError) as error:
                return model.tokens, type(error)
            return model.tokens, None

    return asyncio.run(call())


def test_every_attempt_counts_what_it_may_have_taken(judge: ScriptedJudge) -> None:
    judge.failing = [500, 503]
    assert called(judge, 100_000) == (2 * RESERVED + TOKENS, None)
    assert len(judge.calls) == ATTEMPTS == 3

    judge.failing = [500] * ATTEMPTS
    assert called(judge, 100_000) == (ATTEMPTS * RESERVED, openai.InternalServerError)


def test_no_attempt_is_made_that_could_pass_the_end(judge: ScriptedJudge) -> None:
    judge.failing = [500, 500]
    assert called(judge, 2 * RESERVED - 1) == (RESERVED, JudgeSpent)
    assert len(judge.calls) == 1


def test_who_is_turned_away_before_the_model_was_asked_has_taken_nothing(judge: ScriptedJudge) -> None:
    judge.failing = [429, 429]
    assert called(judge, RESERVED) == (TOKENS, None)


@pytest.mark.parametrize("status", [400, 401])
def test_what_would_fail_again_is_not_tried_again(judge: ScriptedJudge, status: int) -> None:
    judge.failing = [status]
    assert called(judge, 100_000)[0] == RESERVED
    assert len(judge.calls) == 1


def test_a_run_of_the_judge_counts_attempts_too(judge: ScriptedJudge) -> None:
    judge.failing = [500]
    address = JudgeAddress("judge", judge.url, SecretStr("sk"), 1_000_000)
    run = run_judge(address, [], (), read_verdicts(), lambda _: [1.0])
    assert None not in run.verdicts
    assert run.tokens > TOKENS * (len(judge.calls) - 1) + ANSWER_TOKENS
