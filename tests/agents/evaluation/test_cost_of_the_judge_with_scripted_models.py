"""What the judge costs when it is of no use: nothing when it is not asked, and all that it wrote when it is."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from opentelemetry.trace import NoOpTracer

from agents.evaluation.judge import Judge, JudgeFailed
from agents.gateway.circuit import FAILURES
from agents.gateway.client import ModelGateway
from agents.limits.budget import Budget
from agents.metrics import Metrics
from agents.settings import ChatModel
from agents.token_estimate import estimate_tokens
from agents.tracing.model_calls import ModelCalls
from tests.agents.conftest import KEY_VARIABLE, service_settings
from tests.agents.scripted_gateway import ScriptedGateway

QUESTION = "What does make down stop?"
TOKENS = 4096


@pytest.fixture
async def asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[tuple[ScriptedGateway, ModelGateway]]:
    monkeypatch.setenv(KEY_VARIABLE, "sk-test")
    scripted = ScriptedGateway()
    scripted.start()
    settings = service_settings(scripted.url, tmp_path)
    gateway = ModelGateway(settings.gateway, settings.models, 60, ModelCalls(NoOpTracer(), Metrics()))
    yield scripted, gateway
    await gateway.close()
    scripted.stop()


def judge(gateway: ModelGateway) -> Judge:
    return Judge(gateway, ChatModel(name="judge", context_tokens=8192))


async def test_a_judge_for_whom_no_time_is_left_is_not_asked(asked: tuple[ScriptedGateway, ModelGateway]) -> None:
    scripted, gateway = asked
    budget = Budget(0, TOKENS, 0, 0)
    for _ in range(2 * FAILURES):
        with pytest.raises(JudgeFailed, match="no time is left for the judge"):
            await judge(gateway).relevancy(QUESTION, [], budget)
    assert scripted.judged == []
    assert (budget.spent, budget.tokens) == (0, TOKENS)


async def test_what_a_judge_wrote_is_paid_for_though_nobody_can_use_it(
    asked: tuple[ScriptedGateway, ModelGateway],
) -> None:
    scripted, gateway = asked
    verdict = {"reason": "It says so at some length.", "rating": 7}
    scripted.verdicts = [verdict]
    budget = Budget(60, TOKENS, 0, 0)
    with pytest.raises(JudgeFailed, match="did not answer as RelevancyRating"):
        await judge(gateway).relevancy(QUESTION, [], budget)
    (sent,) = scripted.judged
    prompt = sum(estimate_tokens(message["content"]) for message in sent["messages"])
    assert budget.spent == prompt + estimate_tokens(json.dumps(verdict))
