"""How the gate shows who it is: the key that a service lets in, at every call. The service is scripted."""

import logging

import pytest
from pydantic import SecretStr

from tasks.agent_service.http_api import AssistantUnavailable, accepted_key, ask, search_all
from tests.tasks.scripted_assistant import scripted_assistant

NEW, OLD = SecretStr("the-new-key"), SecretStr("the-old-key")


def test_the_key_is_sent_with_every_question_and_search(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), scripted_assistant({"Why?": "here.md"}, key="the-new-key") as service:
        assert ask.fn(service.url, "Why?", 10, NEW).answer.kind == "answered"
        assert len(search_all.fn(service.url, ["Why?"], 5, 10, NEW)) == 1
    assert service.asked == [("/v1/ask", "Bearer the-new-key"), ("/v1/search", "Bearer the-new-key")]
    assert "the-new-key" not in caplog.text


@pytest.mark.parametrize(("lets_in", "found"), [("the-new-key", NEW), ("the-old-key", OLD)])
def test_a_service_that_a_renewed_key_has_not_reached_is_asked_with_the_one_before(
    lets_in: str, found: SecretStr
) -> None:
    with scripted_assistant({}, key=lets_in) as service:
        assert accepted_key.fn(service.url, (NEW, OLD), 10) == found


def test_a_service_that_lets_no_key_in_is_named_with_what_it_said() -> None:
    with (
        scripted_assistant({}, key="another") as service,
        pytest.raises(AssistantUnavailable, match=r"/v1/models was refused with every key.*401.*not known") as caught,
    ):
        accepted_key.fn(service.url, (NEW, OLD), 10)
    assert "the-new-key" not in str(caught.value)


def test_without_keys_nobody_says_who_asks() -> None:
    with scripted_assistant({}) as service:
        assert accepted_key.fn(service.url, (), 10) is None
    assert service.asked == []


def test_whoever_asked_too_often_asks_again_when_the_service_says() -> None:
    with scripted_assistant({"Why?": "here.md"}) as service:
        service.statuses = [429, 429]
        assert ask.fn(service.url, "Why?", 10).answer.kind == "answered"
    assert len(service.asked) == 3
