import asyncio
from collections.abc import Callable

import httpx
import pytest
import stamina

from agents.routes.documents import stitch
from tests.agents.conftest import Running
from tests.agents.corpus_generation import CORPUS, corpus_chunks


def test_passages_carry_rank_and_score_of_each_leg_and_of_the_fusion(service: Running) -> None:
    body = {"query": "Which port does the agent service listen on?", "limit": 3}
    found = httpx.post(f"{service.url}/v1/search", json=body, timeout=60).json()
    assert [passage["rank"] for passage in found["passages"]] == [1, 2, 3]
    best = found["passages"][0]
    assert best["chunk"]["chunk_id"] == "commands.md#2"
    assert best["lexical"]["rank"] == best["dense"]["rank"] == 1
    assert best["lexical"]["score"] > 0
    assert -1 <= best["dense"]["score"] <= 1.001
    assert found["generation"] == "g1"


def test_a_document_is_whole_and_its_chunks_lie_in_it(service: Running) -> None:
    uri = "file:///corpus/knowledge.md"
    document = httpx.get(f"{service.url}/v1/documents", params={"uri": uri, "generation": "g1"}, timeout=60).json()
    text = (CORPUS / "knowledge.md").read_text()
    assert len(document["chunks"]) == 3
    for span in document["chunks"]:
        assert document["text"][span["start"] : span["end"]] == text[span["start"] : span["end"]]


async def test_a_search_whose_caller_goes_away_ends_at_the_model_too(service: Running) -> None:
    query, gateway = "Which port does nobody wait for?", service.gateway
    gateway.embeds = False
    async with httpx.AsyncClient(base_url=service.url, timeout=120) as client:
        searching = asyncio.create_task(client.post("/v1/search", json={"query": query}))
        await _until(lambda: query in gateway.awaited)
        searching.cancel()
        await asyncio.wait({searching})
    await _until(lambda: query in gateway.abandoned)
    # It was not the time for a vector that ended, which would have been a 503.
    await _until(lambda: 'route="/v1/search",status="499"' in httpx.get(f"{service.url}/metrics", timeout=60).text)
    gateway.embeds = True


async def _until(is_so: Callable[[], bool]) -> None:
    async for attempt in stamina.retry_context(on=AssertionError, timeout=90, attempts=None, wait_max=0.1):
        with attempt:
            assert is_so()


def test_an_unknown_document_and_an_unknown_generation_are_404(service: Running) -> None:
    for params in ({"uri": "file:///none"}, {"uri": "file:///corpus/knowledge.md", "generation": "g9"}):
        response = httpx.get(f"{service.url}/v1/documents", params=params, timeout=60)
        assert response.status_code == 404
        assert response.json()["error"]["message"]


def test_overlapping_chunks_are_stitched_once() -> None:
    chunk = corpus_chunks()[0]
    text = "Überall dieselben Zeichen, und noch mehr."
    cut = [(2, 20), (10, 30), (32, len(text))]
    from dataclasses import replace

    chunks = [replace(chunk, text=text[a:b], start=a, end=b) for a, b in cut]
    stitched = stitch(chunks)
    assert len(stitched) == len(text)
    assert all(stitched[a:b] == text[a:b] for a, b in cut)


SECURITY_HEADERS = {
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@pytest.mark.parametrize(
    ("path", "by", "more"),
    [
        ("/readyz", "https", {"strict-transport-security": "max-age=31536000", "cache-control": "no-store"}),
        ("/v1/models", "http", {"strict-transport-security": None, "cache-control": "no-store"}),
        ("/v1/nothing", "https", {"strict-transport-security": "max-age=31536000", "cache-control": "no-store"}),
        ("/", "https", {"strict-transport-security": "max-age=31536000", "cache-control": "no-cache"}),
        ("/page/app.js", "http", {"strict-transport-security": None, "cache-control": "no-cache"}),
    ],
)
def test_every_answer_has_the_security_headers(
    path: str, by: str, more: dict[str, str | None], service: Running
) -> None:
    headers = httpx.get(f"{service.url}{path}", headers={"x-forwarded-proto": by}, timeout=60).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    wanted = {**SECURITY_HEADERS, **more}
    assert {name: headers.get(name) for name in wanted} == wanted


def test_what_the_page_loads_is_not_sent_again_while_it_is_the_same(service: Running) -> None:
    known = httpx.get(f"{service.url}/page/app.js", timeout=60).headers["etag"]
    again = httpx.get(f"{service.url}/page/app.js", headers={"if-none-match": known}, timeout=60)
    assert (again.status_code, again.headers["cache-control"], again.content) == (304, "no-cache", b"")


def test_metrics_and_security_headers(service: Running) -> None:
    service.ask("Who won the cup in Brazil?")
    metrics = httpx.get(f"{service.url}/metrics", timeout=60)
    assert 'agents_requests_total{route="/v1/ask",status="200"} 1.0' in metrics.text
    assert 'agents_answers_total{kind="abstained"} 1.0' in metrics.text
    assert "agents_ready 1.0" in metrics.text
    page = httpx.get(service.url, timeout=60)
    assert "unsafe-inline" not in page.headers["content-security-policy"]
    assert page.headers["content-type"].startswith("text/html")
    assert httpx.get(f"{service.url}/healthz", timeout=60).json() == {"status": "alive"}
