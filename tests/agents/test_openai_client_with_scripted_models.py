import time
from collections.abc import Generator

import pytest
import stamina
from openai import APIStatusError, BadRequestError, NotFoundError, OpenAI, UnprocessableEntityError
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionStreamOptionsParam

from tests.agents.conftest import Running

GROUNDED = "`make down` stops every process that `make up` started. Runs that are still going are cancelled first."
EXPECTED = (
    "`make down` stops every process that `make up` started. [1] Runs that are still going are cancelled first. [2]\n\n"
    "[1] Commands of the platform > Stopping (commands.md)\n"
    "[2] Commands of the platform > Stopping (commands.md)"
)
CONVERSATION: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Hello!"},
    {"role": "user", "content": [{"type": "text", "text": "What does make down stop?"}]},
]


@pytest.fixture
def client(service: Running) -> Generator[OpenAI]:
    service.gateway.reply = GROUNDED
    with OpenAI(base_url=f"{service.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_models_are_listed(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["agentic-eks"]
    assert client.models.retrieve("agentic-eks") == client.models.list().data[0]
    with pytest.raises(NotFoundError, match="'gpt-4' does not exist"):
        client.models.retrieve("gpt-4")


def test_an_answer_with_footnotes_and_citations(client: OpenAI) -> None:
    completion = client.chat.completions.create(model="agentic-eks", messages=CONVERSATION, temperature=0.2)
    assert completion.choices[0].message.content == EXPECTED
    assert completion.choices[0].finish_reason == "stop"
    extra = completion.model_extra or {}
    assert [citation["number"] for citation in extra["citations"]] == [1, 2]


def test_a_streamed_answer_is_the_same(client: OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="agentic-eks", messages=CONVERSATION, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == EXPECTED
    assert len(chunks) == 5
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert len((chunks[-1].model_extra or {})["citations"]) == 2


def test_none_is_as_if_it_was_left_out(client: OpenAI) -> None:
    nothing: dict[str, None] = dict.fromkeys(["temperature", "max_tokens", "tools", "tool_choice", "user"])
    completion = client.chat.completions.create(
        model="agentic-eks", messages=CONVERSATION, stream=None, stream_options=None, n=None, extra_body=nothing
    )
    assert completion.choices[0].message.content == EXPECTED


def test_all_chunks_of_an_answer_are_of_one_moment(client: OpenAI, service: Running) -> None:
    service.gateway.held_after = 2
    with client.chat.completions.create(model="agentic-eks", messages=CONVERSATION, stream=True) as stream:
        first = next(stream)
        for attempt in stamina.retry_context(on=AssertionError, timeout=60, attempts=None, wait_max=0.1):
            with attempt:
                assert int(time.time()) > first.created
        service.gateway.hold.set()
        assert {chunk.created for chunk in stream} == {first.created}


def test_a_stream_that_is_closed_ends_the_call_of_the_model(client: OpenAI, service: Running) -> None:
    service.gateway.held_after = 14
    with client.chat.completions.create(model="agentic-eks", messages=CONVERSATION, stream=True) as stream:
        assert any(chunk.choices[0].delta.content for chunk in stream)
        assert not service.gateway.cancelled.is_set()
    assert service.gateway.cancelled.wait(60)


def test_usage_is_counted_where_it_is_asked_for(client: OpenAI) -> None:
    whole = client.chat.completions.create(model="agentic-eks", messages=CONVERSATION).usage
    assert whole is not None
    assert whole.total_tokens == whole.prompt_tokens + whole.completion_tokens
    assert 0 < whole.prompt_tokens < whole.completion_tokens
    options: ChatCompletionStreamOptionsParam = {"include_usage": True}
    *chunks, last = client.chat.completions.create(
        model="agentic-eks", messages=CONVERSATION, stream=True, stream_options=options
    )
    assert last.choices == []
    assert last.usage == whole
    assert all(chunk.usage is None for chunk in chunks)
    assert [chunk.choices[0].finish_reason for chunk in chunks][-1] == "stop"


def test_a_long_conversation_is_counted_as_a_whole(client: OpenAI) -> None:
    said: list[ChatCompletionMessageParam] = [{"role": "assistant", "content": "word " * 20_000}]
    usage = client.chat.completions.create(model="agentic-eks", messages=[*said, *CONVERSATION]).usage
    shorter = client.chat.completions.create(model="agentic-eks", messages=CONVERSATION).usage
    assert usage is not None
    assert shorter is not None
    assert usage.prompt_tokens == shorter.prompt_tokens + 20_000
    assert usage.completion_tokens == shorter.completion_tokens


@pytest.mark.parametrize("stream", [False, True])
def test_it_says_that_it_does_not_know(client: OpenAI, stream: bool) -> None:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Who won the cup in Brazil?"}]
    if stream:
        chunks = client.chat.completions.create(model="agentic-eks", messages=messages, stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    else:
        text = client.chat.completions.create(model="agentic-eks", messages=messages).choices[0].message.content or ""
    assert text.startswith("I do not know")


@pytest.mark.parametrize("stream", [False, True])
def test_what_kept_an_answer_from_being_better_is_said_beside_it(
    service: Running, client: OpenAI, stream: bool
) -> None:
    service.gateway.chat_status = 500
    if stream:
        extra = list(client.chat.completions.create(model="agentic-eks", messages=CONVERSATION, stream=True))[-1]
    else:
        extra = client.chat.completions.create(model="agentic-eks", messages=CONVERSATION)
    said = extra.model_extra or {}
    assert said["kind"] == "quoted"
    assert said["notes"][0].startswith("the reasoning model failed: model 'chat'")
    assert (said["route"][-1], said["generation"], said["freshness"]["stale"]) == ("quote", "g1", False)


def test_errors_are_the_clients_own(client: OpenAI) -> None:
    with pytest.raises(NotFoundError, match="'gpt-4' does not exist"):
        client.chat.completions.create(model="gpt-4", messages=CONVERSATION)
    with pytest.raises(BadRequestError, match="no message of the user"):
        client.chat.completions.create(model="agentic-eks", messages=[{"role": "system", "content": "x"}])
    with pytest.raises(UnprocessableEntityError, match="empty"):
        client.chat.completions.create(model="agentic-eks", messages=[{"role": "user", "content": " "}])
    with pytest.raises(UnprocessableEntityError, match="n"):
        client.chat.completions.create(model="agentic-eks", messages=CONVERSATION, n=2)


def test_a_gateway_that_is_down_is_the_clients_503(service: Running, client: OpenAI) -> None:
    service.gateway.embedding_status = 500
    with pytest.raises(APIStatusError) as caught:
        client.chat.completions.create(model="agentic-eks", messages=CONVERSATION, stream=True)
    assert caught.value.status_code == 503
