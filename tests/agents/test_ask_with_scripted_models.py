import asyncio
import json
from collections.abc import Callable

import httpx
import pytest

from tests.agents.conftest import Running
from tests.agents.corpus_generation import CORPUS, build_generation, corpus_chunks

GROUNDED = "`make down` stops every process that `make up` started. Runs that are still going are cancelled first."


def events_of(service: Running, question: str) -> list[tuple[str, dict[str, object]]]:
    headers = {"accept": "text/event-stream"}
    response = httpx.post(f"{service.url}/v1/ask", json={"question": question}, headers=headers, timeout=120)
    assert response.status_code == 200, response.text
    parts = [block.split("\n", 1) for block in response.text.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in parts]


def test_a_grounded_answer_is_given_with_verbatim_citations(service: Running) -> None:
    service.gateway.reply = GROUNDED
    response = service.ask("What does make down stop?")
    answer = response.json()
    assert response.status_code == 200
    assert answer["kind"] == "answered"
    assert answer["answer"] == (
        "`make down` stops every process that `make up` started. [1] Runs that are still going are cancelled first. [2]"
    )
    first = answer["citations"][0]
    assert first["quote"] == "`make down` stops every process that `make up` started, and nothing else."
    assert (CORPUS / "commands.md").read_text()[first["start"] : first["end"]] == first["quote"]
    assert (first["generation"], first["document_uri"]) == ("g1", "file:///corpus/commands.md")
    assert first["heading_path"] == ["Commands of the platform", "Stopping"]
    assert answer["route"] == ["verify", "retrieve", "judge", "answer", "check"]
    assert answer["groundedness"] == 1.0
    assert answer["trace_id"] == response.headers["x-trace-id"]
    assert {"embed", "search", "judge", "model", "check", "total"} <= answer["timings_ms"].keys()


def test_an_invented_sentence_is_dropped_and_the_rest_stays(service: Running) -> None:
    service.gateway.reply = f"The agent service listens on port 9999. {GROUNDED}"
    answer = service.ask("What does make down stop?").json()
    assert "9999" not in answer["answer"]
    assert answer["kind"] == "answered"


def test_an_answer_without_support_becomes_quotes(service: Running) -> None:
    service.gateway.reply = "Kubernetes was written at Google in 2014. It is very nice."
    answer = service.ask("Which port does the agent service listen on?").json()
    assert answer["kind"] == "quoted"
    assert "The agent service listens on port 8080. [1]" in answer["answer"]
    assert [sentence["text"] for sentence in answer["sentences"]] == [c["quote"] for c in answer["citations"]]


def test_an_irrelevant_question_is_not_answered_and_costs_no_model_call(service: Running) -> None:
    answer = service.ask("Who won the football championship in Brazil?").json()
    assert answer["kind"] == "abstained"
    assert answer["answer"].startswith("I do not know")
    assert answer["citations"] == []
    assert answer["relevancy"] < 0.35
    assert service.gateway.prompts == []


@pytest.mark.parametrize(
    "question",
    [
        "Was macht make down?",
        "它如何停止所有进程",
        "؟كيف أوقف المنصة",
        "🦆" * 400,
        "make " * 1500,
        '" OR 1=1 ^~*:( --',
    ],
)
def test_any_language_and_any_signs_get_an_answer(service: Running, question: str) -> None:
    service.gateway.reply = GROUNDED
    response = service.ask(question)
    assert response.status_code == 200, response.text
    assert response.json()["kind"] in {"answered", "quoted", "abstained"}


def test_a_question_that_is_too_long_for_the_model_is_noted(service: Running) -> None:
    service.gateway.reply = GROUNDED
    long = "What does make down stop? " + "make down stops every process. " * 100
    assert service.ask("What does make down stop?").json()["notes"] == []
    (note,) = service.ask(long).json()["notes"]
    (asked,) = [int(word) for word in note.split() if word.isdecimal()]
    assert note == f"the model was asked the first {asked} characters of the question"
    prompt = service.gateway.prompts[-1][-1]["content"]
    assert long[:asked].rstrip() in prompt
    assert long[: asked + 20] not in prompt


def test_events_come_in_order_and_only_checked_sentences_are_released(service: Running) -> None:
    service.gateway.reply = f"Everything costs 42 dollars. {GROUNDED}"
    events = events_of(service, "What does make down stop?")
    names = [name for name, _ in events]
    judged = ["knowledge_verified", "passages_found", "relevancy_judged"]
    assert names[:7] == [name for known in judged for name in ("state_entered", known)] + ["state_entered"]
    assert names.index("sentence_dropped") < names.index("citation_made") < names.index("sentence_released")
    assert names[-1] == "done"
    assert "42" not in json.dumps([data for name, data in events if name == "sentence_released"])


def test_a_sentence_is_released_while_the_model_still_writes(service: Running) -> None:
    service.gateway.reply = GROUNDED
    service.gateway.held_after = 14
    body, headers = {"question": "What does make down stop?"}, {"accept": "text/event-stream"}
    with httpx.stream("POST", f"{service.url}/v1/ask", json=body, headers=headers, timeout=120) as response:
        for line in response.iter_lines():
            if line == "event: sentence_released":
                service.gateway.hold.set()
            if line == "event: done":
                break
    assert service.gateway.hold.is_set()


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json"])
async def test_a_client_that_goes_away_stops_the_model(service: Running, accept: str) -> None:
    service.gateway.reply = GROUNDED
    service.gateway.held_after = 14
    body, headers = {"question": "What does make down stop?"}, {"accept": accept}
    async with httpx.AsyncClient(timeout=120) as client:
        asking = asyncio.create_task(client.post(f"{service.url}/v1/ask", json=body, headers=headers))
        assert await asyncio.to_thread(service.gateway.held.wait, 90)
        asking.cancel()
        await asyncio.wait({asking})
    assert await asyncio.to_thread(service.gateway.cancelled.wait, 90)


def test_a_client_that_goes_away_in_the_middle_of_an_answer_ends_the_call_of_the_model(service: Running) -> None:
    service.gateway.reply = GROUNDED
    service.gateway.held_after = 14
    body, headers = {"question": "What does make down stop?"}, {"accept": "text/event-stream"}
    with httpx.stream("POST", f"{service.url}/v1/ask", json=body, headers=headers, timeout=60) as response:
        assert "event: sentence_released" in response.iter_lines()
        assert not service.gateway.cancelled.is_set()
    assert service.gateway.cancelled.wait(60)


def test_a_slow_model_leaves_what_was_released(start_service: Callable[..., Running]) -> None:
    service = start_service(answer_seconds=12)
    service.wait_until_ready()
    service.gateway.reply = GROUNDED
    service.gateway.held_after = 14
    answer = service.ask("What does make down stop?").json()
    assert answer["kind"] == "answered"
    assert len(answer["sentences"]) == 1
    assert answer["notes"] == ["the model was stopped after 12 s"]


def test_a_chat_model_that_fails_leads_to_quotes(service: Running) -> None:
    service.gateway.chat_status = 500
    answer = service.ask("What does make down stop?").json()
    assert answer["kind"] == "quoted"
    assert "reasoning model failed" in answer["notes"][0]


def test_filters_restrict_the_answer(service: Running) -> None:
    service.gateway.reply = "Nothing."
    uri = "file:///corpus/security.md"
    answer = service.ask("Where do secrets live?", filters={"document_uris": [uri]}).json()
    assert {citation["document_uri"] for citation in answer["citations"]} == {uri}


def test_a_new_generation_is_served_without_restart(service: Running) -> None:
    service.gateway.reply = GROUNDED
    build_generation(service.store, "g2", corpus_chunks())
    service.wait_until_generation("g2")
    assert service.ask("What does make down stop?").json()["generation"] == "g2"
