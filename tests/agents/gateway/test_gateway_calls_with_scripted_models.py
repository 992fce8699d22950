"""How often a model is asked that refuses, and how long one is waited for that says nothing."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest
import stamina
from opentelemetry.trace import NoOpTracer
from pydantic import BaseModel

from agents.gateway.client import GatewayUnavailable, ModelGateway
from agents.metrics import Metrics
from agents.tracing.model_calls import ModelCalls
from tests.agents.conftest import KEY_VARIABLE, service_settings
from tests.agents.corpus_generation import IDENTITY
from tests.agents.scripted_gateway import ScriptedGateway

ANSWER_SECONDS = 60.0
HI = "Hi"


class Verdict(BaseModel):
    said: str


@pytest.fixture
async def asked(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[tuple[ScriptedGateway, ModelGateway]]:
    monkeypatch.setenv(KEY_VARIABLE, "sk-test")
    scripted = ScriptedGateway()
    scripted.start()
    settings = service_settings(scripted.url, tmp_path)
    seconds = getattr(request, "param", ANSWER_SECONDS)
    gateway = ModelGateway(settings.gateway, settings.models, seconds, ModelCalls(NoOpTracer(), Metrics()))
    yield scripted, gateway
    await gateway.close()
    scripted.stop()


async def hears(gateway: ModelGateway) -> list[str]:
    return [piece.text async for piece in gateway.stream_chat([{"role": "user", "content": HI}], 16)]


async def is_left_alone(gateway: ModelGateway) -> None:
    """Ask until the model is left alone."""
    async for attempt in stamina.retry_context(on=AssertionError, timeout=90, attempts=None, wait_max=0.1):
        with attempt:
            with pytest.raises(GatewayUnavailable) as refusal:
                await hears(gateway)
            assert "no further calls for" in str(refusal.value)


async def test_what_the_gateway_refuses_is_not_asked_again(asked: tuple[ScriptedGateway, ModelGateway]) -> None:
    scripted, gateway = asked
    scripted.embedding_status = 500
    with pytest.raises(GatewayUnavailable, match="refused with status 500"):
        await gateway.embed(HI, IDENTITY)
    assert scripted.refused == 1


async def test_a_gateway_with_too_much_to_do_is_asked_again_when_it_says_so(
    asked: tuple[ScriptedGateway, ModelGateway],
) -> None:
    scripted, gateway = asked
    scripted.reply = HI
    for call in (lambda: gateway.embed(HI, IDENTITY), lambda: hears(gateway)):
        scripted.limited, scripted.refused = 1, 0
        assert await call()
        assert scripted.refused == 1


async def test_who_would_wait_too_long_is_told_for_how_long(asked: tuple[ScriptedGateway, ModelGateway]) -> None:
    scripted, gateway = asked
    scripted.limited, scripted.retry_after = 1, "3600"
    with pytest.raises(GatewayUnavailable, match="refused with status 429") as refusal:
        await gateway.embed(HI, IDENTITY)
    assert (refusal.value.retry_after, scripted.refused) == (3600, 1)


# The form in which LiteLLM refuses; with 429, if it is told so, which is the status of a rate as well.
@pytest.mark.parametrize("status", [422, 429])
async def test_a_budget_that_is_spent_is_said_and_not_asked_for_again(
    asked: tuple[ScriptedGateway, ModelGateway], status: int
) -> None:
    scripted, gateway = asked
    scripted.embedding_status = status
    said = "Budget has been exceeded! Current cost: 100.2, Max budget: 100.0"
    scripted.refusal = {"message": said, "type": "budget_exceeded", "param": None, "code": str(status)}
    for _ in range(7):  # more often than it takes for a circuit to open
        with pytest.raises(GatewayUnavailable, match="refused, because the service's budget there is spent") as refusal:
            await gateway.embed(HI, IDENTITY)
        assert refusal.value.retry_after == 600
    assert scripted.refused == 7


async def test_a_gateway_that_is_busy_for_longer_than_there_is_time_is_not_taken_for_silent(
    asked: tuple[ScriptedGateway, ModelGateway],
) -> None:
    scripted, gateway = asked
    # As long as it would be waited for, and longer than the time that is left.
    scripted.limited, scripted.retry_after = 1, "5"
    with pytest.raises(GatewayUnavailable, match="refused with status 429") as refusal:
        await gateway.fill("chat", [{"role": "user", "content": HI}], Verdict, 16, seconds=5)
    assert (refusal.value.retry_after, scripted.refused) == (5, 1)


@pytest.mark.parametrize("page", ["", "<html>Sign in</html>", "data: <html>\n\n"])
async def test_a_page_in_place_of_a_stream_is_no_answer(asked: tuple[ScriptedGateway, ModelGateway], page: str) -> None:
    scripted, gateway = asked
    scripted.page = page
    with pytest.raises(GatewayUnavailable, match="not a model's answer"):
        await hears(gateway)


@pytest.mark.parametrize("asked", [1.0], indirect=True)
async def test_a_model_that_says_nothing_is_left_alone_like_one_that_fails(
    asked: tuple[ScriptedGateway, ModelGateway],
) -> None:
    scripted, gateway = asked
    scripted.held_after = 0
    with pytest.raises(GatewayUnavailable, match="did not answer in time"):
        await hears(gateway)
    await is_left_alone(gateway)


async def test_a_model_is_asked_again_once_it_has_begun_a_draft_that_is_closed_early(
    asked: tuple[ScriptedGateway, ModelGateway],
) -> None:
    scripted, gateway = asked
    scripted.chat_status = 500
    await is_left_alone(gateway)
    scripted.chat_status, scripted.reply, scripted.held_after = 200, "It stops. And more.", 2
    async for attempt in stamina.retry_context(on=GatewayUnavailable, timeout=90, attempts=None, wait_max=0.1):
        with attempt:
            async with aclosing(gateway.stream_chat([{"role": "user", "content": HI}], 16)) as draft:
                assert (await anext(draft)).text == "It"
    # Nor is what failed before held against the model any more.
    scripted.chat_status, scripted.held_after = 500, None
    with pytest.raises(GatewayUnavailable, match="refused with status 500"):
        await hears(gateway)
    scripted.chat_status = 200
    assert "".join(await hears(gateway)) == "It stops. And more."


async def test_a_model_whose_answers_break_off_is_left_alone(asked: tuple[ScriptedGateway, ModelGateway]) -> None:
    scripted, gateway = asked
    choice = {"index": 0, "delta": {"content": HI}, "finish_reason": None}
    begun = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "chat", "choices": [choice]}
    scripted.page = f"data: {json.dumps(begun)}\n\ndata: <html>\n\n"
    async with aclosing(gateway.stream_chat([{"role": "user", "content": HI}], 16)) as draft:
        assert (await anext(draft)).text == HI
        with pytest.raises(GatewayUnavailable, match="not a model's answer"):
            await anext(draft)
    await is_left_alone(gateway)
