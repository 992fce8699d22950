"""What an answer takes off its caller's tokens: all that models were sent and said, whoever asked them, and no more."""

import asyncio
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina

from agents.caller import LOCAL
from agents.evaluation.judge import RelevancyRating
from agents.state.database import StateDatabase
from agents.state.settings import SqliteSettings
from agents.state.usage import Usage, today
from agents.token_estimate import estimate_tokens
from tests.agents.talking import Talk, talk
from tests.agents.web_search.tavily_api import page

STOP = "What does make down stop?"
QUOTE = "`make down` stops every process that `make up` started, and nothing else."
INVENTED = "The platform was written in 1999 by eleven people."
MODELS = {
    "reasoning": {"name": "chat", "context_tokens": 2048},
    "embedding": {"name": "embedding", "fingerprint": "f" * 64, "dimension": 256, "context_tokens": 512},
    "judge": {"name": "judge", "context_tokens": 8192},
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def talking(tmp_path: Path, database: Path) -> Generator[Talk]:
    access = {"state": {"engine": "sqlite", "path": str(database)}, "allowance": {"tokens_per_day": 1_000_000}}
    # Nothing is so certain that it is not judged.
    settings = {"models": MODELS, "access": access, "routing": {"certain_from": 1.0}}
    with talk(tmp_path, settings=settings) as running:
        running.tavily.results = [page("`make down` is over within eleven seconds on a laptop.")]
        yield running


def used(database: Path) -> int:
    async def read() -> int:
        state = StateDatabase(SqliteSettings(database))
        try:
            return await Usage(state).used(LOCAL.id, today())
        finally:
            await state.close()

    return asyncio.run(read())


def used_in_the_end(database: Path, least: int, most: int) -> None:
    """What was reserved is given back beside the answer."""
    for attempt in stamina.retry_context(on=AssertionError, timeout=90, attempts=None, wait_max=0.1):
        with attempt:
            assert least <= used(database) <= most


def sent(talking: Talk) -> int:
    """Tokens of all prompts that arrived at the models, and of the question that was embedded."""
    prompts: list[Any] = [*talking.gateway.prompts, *(body["messages"] for body in talking.gateway.judged)]
    return estimate_tokens(STOP) + sum(estimate_tokens(one["content"]) for prompt in prompts for one in prompt)


def test_drafts_that_were_thrown_away_verdicts_and_web_pages_are_counted(talking: Talk, database: Path) -> None:
    verdict = {"reason": "It says so in part.", "rating": 1}
    talking.gateway.verdicts = [verdict]
    talking.gateway.first_replies = [INVENTED]
    talking.gateway.reply = QUOTE
    answer = talking.ask(STOP)
    assert (answer["corrections"], "supplement" in answer["route"]) == (1, True)
    assert (len(talking.gateway.prompts), len(talking.gateway.judged)) == (2, 1)
    assert "eleven seconds" in json.dumps(talking.gateway.prompts[0])
    said = [INVENTED, QUOTE, RelevancyRating.model_validate(verdict).model_dump_json()]
    expected = sent(talking) + sum(map(estimate_tokens, said))
    used_in_the_end(database, expected, expected)


def test_a_search_costs_what_its_query_takes_to_embed(talking: Talk, database: Path) -> None:
    found = httpx.post(f"{talking.running.url}/v1/search", json={"query": STOP}, timeout=60)
    assert found.status_code == 200
    assert used(database) == estimate_tokens(STOP)


def test_an_answer_that_nobody_waits_for_costs_what_it_had_used_by_then(talking: Talk, database: Path) -> None:
    talking.gateway.reply = QUOTE
    talking.gateway.held_after = 2
    talking.gateway.verdicts = [{"reason": "It says all.", "rating": 2}]
    url, body, headers = f"{talking.running.url}/v1/ask", {"question": STOP}, {"accept": "text/event-stream"}
    with httpx.stream("POST", url, json=body, headers=headers, timeout=60) as response:
        lines = response.iter_lines()
        assert any('"state":"answer"' in line for line in lines)
        for attempt in stamina.retry_context(on=AssertionError, timeout=90, attempts=None, wait_max=0.1):
            with attempt:
                assert talking.gateway.prompts
    verdict = estimate_tokens(RelevancyRating(reason="It says all.", rating=2).model_dump_json())
    used_in_the_end(database, sent(talking) + verdict, sent(talking) + verdict + estimate_tokens(QUOTE))
