import httpx

from agents.routes.documents import stitch
from tests.agents.conftest import Running
from tests.agents.corpus_generation import CORPUS, corpus_chunks


def test_passages_carry_rank_and_score_of_each_leg_and_of_the_fusion(service: Running) -> None:
    body = {"query": "Which port does the agent service listen on?", "limit": 3}
    found = httpx.post(f"{service.url}/v1/search", json=body).json()
    assert [passage["rank"] for passage in found["passages"]] == [1, 2, 3]
    best = found["passages"][0]
    assert best["chunk"]["chunk_id"] == "commands.md#2"
    assert best["lexical"]["rank"] == best["dense"]["rank"] == 1
    assert best["lexical"]["score"] > 0
    assert -1 <= best["dense"]["score"] <= 1.001
    assert found["generation"] == "g1"


def test_a_document_is_whole_and_its_chunks_lie_in_it(service: Running) -> None:
    uri = "file:///corpus/knowledge.md"
    document = httpx.get(f"{service.url}/v1/documents", params={"uri": uri, "generation": "g1"}).json()
    text = (CORPUS / "knowledge.md").read_text()
    assert len(document["chunks"]) == 3
    for span in document["chunks"]:
        assert document["text"][span["start"] : span["end"]] == text[span["start"] : span["end"]]


def test_an_unknown_document_and_an_unknown_generation_are_404(service: Running) -> None:
    for params in ({"uri": "file:///none"}, {"uri": "file:///corpus/knowledge.md", "generation": "g9"}):
        response = httpx.get(f"{service.url}/v1/documents", params=params)
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


def test_metrics_and_security_headers(service: Running) -> None:
    service.ask("Who won the cup in Brazil?")
    metrics = httpx.get(f"{service.url}/metrics")
    assert 'agents_requests_total{route="/v1/ask",status="200"} 1.0' in metrics.text
    assert 'agents_answers_total{kind="abstained"} 1.0' in metrics.text
    assert "agents_ready 1.0" in metrics.text
    page = httpx.get(service.url)
    assert "unsafe-inline" not in page.headers["content-security-policy"]
    assert page.headers["content-type"].startswith("text/html")
    assert httpx.get(f"{service.url}/healthz").json() == {"status": "alive"}
