"""OpenSearch stops answering, or is gone, while people talk to the service. OpenSearch and the models are played."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import stamina

from tests.agents.played_opensearch import PlayedOpenSearch, playing_opensearch, store_of
from tests.agents.talking import Talk, talk
from tests.agents.web_search.tavily_api import page

STOP = "What does make down stop?"
GROUNDED = "`make down` stops every process that `make up` started."
WEB_PAGE = "On the web they say that `make down` stops every process that `make up` started."
AT_ONCE = 16
"""More than there are threads for the calls of a store."""


@pytest.fixture
def opensearch(tmp_path: Path) -> Iterator[PlayedOpenSearch]:
    with playing_opensearch(tmp_path / "elsewhere") as played:
        yield played


@pytest.fixture
def talking(tmp_path: Path, opensearch: PlayedOpenSearch) -> Iterator[Talk]:
    with talk(tmp_path, settings={"store": store_of(opensearch)}) as running:
        running.gateway.reply = GROUNDED
        running.tavily.results = [page(WEB_PAGE)]
        assert running.ask(STOP)["generation"] == "g1"
        yield running


async def ask_at_once(talking: Talk) -> list[httpx.Response]:
    async with httpx.AsyncClient(base_url=talking.running.url, timeout=60) as client:
        asked = [client.post("/v1/ask", json={"question": STOP}) for _ in range(AT_ONCE)]
        return await asyncio.gather(*asked)


def answered_from_the_store_again(talking: Talk) -> None:
    for attempt in stamina.retry_context(on=AssertionError, timeout=90, attempts=None, wait_max=0.2):
        with attempt:
            answer = talking.ask(STOP)
            assert (answer["kind"], answer["generation"], answer["notes"]) == ("answered", "g1", [])


def test_a_store_that_stops_answering_keeps_nobody_waiting(talking: Talk, opensearch: PlayedOpenSearch) -> None:
    opensearch.answers.clear()
    for response in asyncio.run(ask_at_once(talking)):
        assert response.status_code == 200, response.text
        answer = response.json()
        assert {citation["origin"] for citation in answer["citations"]} == {"web"}
        assert answer["notes"][0].startswith("the knowledge base could not be asked: ")
        assert "does not answer" in answer["notes"][0]
    assert not talking.running.wait_until_ready(False).json()["checks"]["knowledge"]["ok"]
    opensearch.answers.set()
    answered_from_the_store_again(talking)


def test_a_store_that_is_gone_is_503_where_the_web_is_away_too(talking: Talk, opensearch: PlayedOpenSearch) -> None:
    opensearch.stop()
    talking.web.stop()
    talking.running.wait_until_ready(False)
    refused = talking.running.ask(STOP)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "store_unavailable")
    assert int(refused.headers["retry-after"]) > 0
    opensearch.start()
    answered_from_the_store_again(talking)
