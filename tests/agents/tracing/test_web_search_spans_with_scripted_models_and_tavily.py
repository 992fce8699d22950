import json
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.agents.talking import Talk, talk
from tests.agents.tracing.played_langfuse import SECRET_KEY, PlayedLangfuse, langfuse_at
from tests.agents.web_search.tavily_api import page

QUESTION = "Who won the football championship in Brazil?"
TEXT = "Who won the football championship in Brazil: Botafogo won it."
URL = "https://football.example.com/brazil"


@pytest.fixture
def talking(tmp_path: Path, langfuse: PlayedLangfuse, monkeypatch: pytest.MonkeyPatch) -> Generator[Talk]:
    monkeypatch.setenv("TEST_SECRET", SECRET_KEY)
    with talk(tmp_path, settings={"langfuse": langfuse_at(langfuse.host).model_dump()}) as running:
        running.gateway.reply = TEXT
        yield running


def test_a_search_is_a_tool_call_with_its_pages_and_without_their_text(talking: Talk, langfuse: PlayedLangfuse) -> None:
    talking.tavily.results = [page(TEXT, URL, "Champions", 0.75)]
    spans = langfuse.trace(talking.ask(QUESTION)["trace_id"])
    (tool,) = spans["execute_tool web_search"]
    assert tool.parent_id == spans["search_web"][0].span_id
    said = tool.attributes
    assert (said["gen_ai.operation.name"], said["gen_ai.tool.name"]) == ("execute_tool", "web_search")
    assert said["langfuse.observation.type"] == "tool"
    assert json.loads(said["langfuse.observation.input"])["query"] == QUESTION
    found = [{"url": URL, "title": "Champions", "score": 0.75}]
    assert json.loads(said["langfuse.observation.output"]) == found
    assert TEXT not in json.dumps(said)


def test_a_search_that_fails_is_an_error_in_the_trace(talking: Talk, langfuse: PlayedLangfuse) -> None:
    talking.tavily.status = 500
    spans = langfuse.trace(talking.ask(QUESTION)["trace_id"])
    (tool,) = spans["execute_tool web_search"]
    assert tool.status == 2
    assert "WebSearchUnavailable" in tool.message
    assert spans["invoke_agent orchestrator"][0].status != 2
