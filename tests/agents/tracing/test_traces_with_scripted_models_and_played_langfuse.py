import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.agents.conftest import Running
from tests.agents.corpus_generation import build_generation, chunks_of
from tests.agents.scripted_gateway import DIMENSION
from tests.agents.signed_in import Doorkeeper, access
from tests.agents.tracing.conftest import StartTraced
from tests.agents.tracing.played_langfuse import PlayedLangfuse, ReceivedSpan, wait_for

STOPS = "`make down` stops every process that `make up` started."
GROUNDED = f"{STOPS} Runs that are still going are cancelled first."
QUESTION = "What does make down stop?"


def asked(traced: Running, langfuse: PlayedLangfuse, question: str = QUESTION) -> dict[str, list[ReceivedSpan]]:
    return langfuse.trace(traced.ask(question).json()["trace_id"])


def metric(running: Running, name: str) -> float:
    lines = httpx.get(f"{running.url}/metrics", timeout=60).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def metadata(span: ReceivedSpan) -> dict[str, Any]:
    prefix = "langfuse.trace.metadata."
    return {key.removeprefix(prefix): value for key, value in span.attributes.items() if key.startswith(prefix)}


def test_a_question_is_one_tree_of_agents_states_and_calls(traced: Running, langfuse: PlayedLangfuse) -> None:
    traced.gateway.reply = GROUNDED
    spans = asked(traced, langfuse)
    (root,) = spans["invoke_agent orchestrator"]
    (rag,) = spans["invoke_agent rag"]
    (verify,) = spans["verify"]
    (retrieve,) = spans["retrieve"]
    (embedding,) = spans["embeddings embedding"]
    (retrieval,) = spans["retrieval knowledge"]
    (chat,) = spans["chat chat"]
    (judge,) = spans["judge"]
    assert root.parent_id == ""
    assert rag.parent_id == spans["answer"][0].parent_id == root.span_id
    assert verify.parent_id == retrieve.parent_id == rag.span_id
    # The question is embedded while the knowledge base is verified.
    assert embedding.parent_id == verify.span_id
    assert retrieval.parent_id == retrieve.span_id
    assert judge.parent_id == spans["invoke_agent evaluator"][0].span_id
    assert chat.parent_id == spans["answer"][0].span_id
    assert len(spans["check"]) == len(spans["answer"]) - 1 == 2
    everything = [span for same in spans.values() for span in same]
    assert all(root.began <= span.began <= span.ended for span in everything)
    states = sorted(
        spans["verify"] + spans["retrieve"] + spans["judge"] + spans["answer"] + spans["check"],
        key=lambda span: span.began,
    )
    assert all(before.ended <= after.began for before, after in pairwise(states))


def test_spans_say_what_the_conventions_and_langfuse_read(traced: Running, langfuse: PlayedLangfuse) -> None:
    traced.gateway.reply = GROUNDED
    traced.gateway.usage = {"prompt_tokens": 321, "completion_tokens": 12, "total_tokens": 333, "cost": 2.5e-06}
    traced.gateway.headers = {"x-litellm-cache-key": "abc"}
    spans = asked(traced, langfuse)
    (root,) = spans["invoke_agent orchestrator"]
    assert root.attributes["langfuse.observation.type"] == "agent"
    assert root.attributes["gen_ai.agent.name"] == "orchestrator"
    assert root.attributes["langfuse.observation.input"] == QUESTION
    assert root.attributes["langfuse.observation.output"].startswith("`make down` stops every process")
    (chat,) = spans["chat chat"]
    said = chat.attributes
    assert (said["gen_ai.operation.name"], said["gen_ai.provider.name"]) == ("chat", "litellm")
    assert (said["gen_ai.request.model"], said["langfuse.observation.type"]) == ("chat", "generation")
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == (321, 12)
    assert json.loads(said["langfuse.observation.cost_details"]) == {"total": 2.5e-06}
    assert said["langfuse.observation.metadata.cache_hit"] is True
    assert said["langfuse.observation.metadata.tokens_estimated"] is False
    assert said["langfuse.observation.output"] == GROUNDED
    assert json.loads(said["langfuse.observation.input"])[0]["role"] == "system"
    assert said["gen_ai.response.time_to_first_chunk"] > 0
    assert said["langfuse.observation.completion_start_time"]
    (embedding,) = spans["embeddings embedding"]
    assert embedding.attributes["gen_ai.embeddings.dimension.count"] == DIMENSION
    (retrieval,) = spans["retrieval knowledge"]
    found = json.loads(retrieval.attributes["gen_ai.retrieval.documents"])
    assert retrieval.attributes["gen_ai.retrieval.query.text"] == QUESTION
    assert retrieval.attributes["gen_ai.data_source.id"] == "g1"
    assert found[0]["document"] == "file:///corpus/commands.md"
    assert found[0]["lexical_score"] > 0
    assert -1 <= found[0]["dense_score"] <= 1
    judged = {name: event["gen_ai.evaluation.score.value"] for name, event in spans["judge"][0].events}
    assert 0.35 <= judged["gen_ai.evaluation.result"] <= 1
    assert metric(traced, 'agents_tokens_total{direction="input",model="chat"}') >= 321
    assert metric(traced, "agents_cost_dollars_total") > 0


def test_every_span_names_what_was_running_and_the_root_what_made_the_knowledge(
    traced: Running, langfuse: PlayedLangfuse
) -> None:
    traced.gateway.reply = GROUNDED
    spans = asked(traced, langfuse)
    for span in (span for same in spans.values() for span in same):
        assert span.attributes["langfuse.trace.name"] == "answer"
        assert (span.attributes["langfuse.release"], span.attributes["langfuse.environment"]) == (
            "sha256:feed",
            "local",
        )
        assert len(metadata(span)["prompt_version"]) == 12
        assert span.resource["service.version"] == "sha256:feed"
    root = metadata(spans["invoke_agent orchestrator"][0])
    assert (root["generation"], root["flow_run"], root["git_commit"]) == ("g1", "11111111", "abc1234")
    assert root["kind"] == "answered"
    assert json.loads(root["route"]) == ["verify", "retrieve", "judge", "answer", "check"]
    assert metadata(spans["chat chat"][0])["generation"] == "g1"


def test_a_trace_says_in_which_conversation_and_under_a_pseudonym_who_asked(
    langfuse: PlayedLangfuse, start_traced: StartTraced, tmp_path: Path
) -> None:
    running, _ = start_traced(langfuse.host, access(tmp_path / "state.db"))
    keys = Doorkeeper(tmp_path / "state.db")

    def root(owner: str) -> dict[str, Any]:
        body = {"question": QUESTION, "conversation_id": "c1"}
        response = httpx.post(f"{running.url}/v1/ask", json=body, headers=keys.headers(owner), timeout=60)
        return langfuse.trace(response.json()["trace_id"])["invoke_agent orchestrator"][0].attributes

    jane, again, joe = root("jane@example.com"), root("jane@example.com"), root("joe@example.com")
    assert jane["session.id"] == again["session.id"] != joe["session.id"]
    assert jane["session.id"].startswith("c1.")
    assert len(jane["user.id"]) == 32
    assert jane["user.id"] == again["user.id"] != joe["user.id"]
    assert "jane" not in json.dumps([span.attributes for span in langfuse.spans])


def test_nobody_is_told_apart_where_nobody_signs_in(traced: Running, langfuse: PlayedLangfuse) -> None:
    (root,) = asked(traced, langfuse)["invoke_agent orchestrator"]
    assert not {"user.id", "session.id"} & set(root.attributes)


def test_nothing_personal_leaves(traced: Running, langfuse: PlayedLangfuse) -> None:
    traced.gateway.reply = f"Ask jane@example.com, her key is sk-proj-abcdefghijk. {GROUNDED}"
    question = "What does make down stop? I am joe@example.org, +1 415 555 0132, card 4111111111111111."
    spans = asked(traced, langfuse, question)
    texts = json.dumps([[span.attributes, span.events, span.message] for same in spans.values() for span in same])
    for secret in ("jane@", "sk-proj", "joe@", "555 0132", "41111111"):
        assert secret not in texts
    (root,) = spans["invoke_agent orchestrator"]
    assert root.attributes["langfuse.observation.input"] == (
        "What does make down stop? I am [e-mail], [telephone], card [card]."
    )


def test_no_secret_of_a_document_leaves_at_the_beginning_of_a_line_or_in_quotes(
    traced: Running, langfuse: PlayedLangfuse
) -> None:
    traced.gateway.reply = STOPS
    lines = '4111111111111111\nsk-lf-0123456789abcdef\n+4930123456789\npassword: hunter2222\nDB_PASSWORD="hunter3333"'
    document = f'# Commands\n\n## Stopping\n\n{STOPS}\n{lines}\nIt is over at the "end".\n'
    build_generation(traced.store, "g2", chunks_of("commands.md", document))
    traced.wait_until_generation("g2")
    spans = asked(traced, langfuse)
    texts = json.dumps([[span.attributes, span.events, span.message] for same in spans.values() for span in same])
    for secret in ("41111111", "0123456789abcdef", "4930123456789", "hunter2222", "hunter3333"):
        assert secret not in texts
    # And the prompt is still one that an evaluation of traces can read.
    (chat,) = spans["chat chat"]
    masked = '[card]\n[key]\n[telephone]\npassword: [secret]\nDB_PASSWORD="[secret]"\nIt is over at the "end".'
    assert f"{STOPS}\n{masked}" in json.loads(chat.attributes["langfuse.observation.input"])[-1]["content"]


def test_a_client_that_goes_away_ends_every_span(traced: Running, langfuse: PlayedLangfuse) -> None:
    traced.gateway.reply, traced.gateway.held_after = GROUNDED, 14
    headers = {"accept": "text/event-stream"}
    with httpx.stream(
        "POST", f"{traced.url}/v1/ask", json={"question": QUESTION}, headers=headers, timeout=60
    ) as response:
        trace_id = response.headers["x-trace-id"]
        assert "event: sentence_released" in (line for line in response.iter_lines())
    spans = langfuse.trace(trace_id)
    (root,) = spans["invoke_agent orchestrator"]
    assert root.attributes["langfuse.observation.level"] == "WARNING"
    assert root.status != 2
    assert "langfuse.observation.output" not in root.attributes
    (chat,) = spans["chat chat"]
    assert chat.attributes["langfuse.observation.metadata.tokens_estimated"] is True
    assert chat.attributes["gen_ai.usage.output_tokens"] > 0
    assert traced.gateway.cancelled.wait(60)


def test_what_fails_is_an_error_in_the_trace(traced: Running, langfuse: PlayedLangfuse) -> None:
    traced.gateway.embedding_status = 500
    response = traced.ask(QUESTION)
    assert response.status_code == 503
    spans = langfuse.trace(response.headers["x-trace-id"])
    assert spans["invoke_agent orchestrator"][0].status == 2
    assert "GatewayUnavailable" in spans["embeddings embedding"][0].message


def test_the_openai_interface_is_traced_too_and_a_probe_is_not(traced: Running, langfuse: PlayedLangfuse) -> None:
    traced.gateway.reply = GROUNDED
    body = {"model": "agentic-eks", "messages": [{"role": "user", "content": QUESTION}], "stream": True}
    response = httpx.post(f"{traced.url}/v1/chat/completions", json=body, timeout=120)
    spans = langfuse.trace(response.headers["x-trace-id"])
    assert spans["chat chat"]
    assert {span.trace_id for span in langfuse.spans} == {response.headers["x-trace-id"]}


def test_a_trace_parent_of_the_caller_is_not_taken_over(traced: Running, langfuse: PlayedLangfuse) -> None:
    traced.gateway.reply = GROUNDED
    foreign = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{foreign}-b7ad6b7169203331-01"}
    answer = httpx.post(f"{traced.url}/v1/ask", json={"question": QUESTION}, headers=headers, timeout=120).json()
    assert answer["trace_id"] != foreign
    assert langfuse.trace(answer["trace_id"])["invoke_agent orchestrator"][0].parent_id == ""


def test_the_scores_of_an_answer_arrive(traced: Running, langfuse: PlayedLangfuse) -> None:
    traced.gateway.reply = GROUNDED
    answer = traced.ask(QUESTION).json()

    def both() -> dict[str, Any]:
        found = {score["name"]: score for score in langfuse.scores if score["traceId"] == answer["trace_id"]}
        assert set(found) == {"relevancy", "groundedness"}
        return found

    found = wait_for(both)
    assert found["relevancy"]["value"] == pytest.approx(answer["relevancy"])
    assert found["groundedness"]["value"] == 1.0
    assert found["relevancy"]["environment"] == "local"
