from dataclasses import replace
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from bench.answered import Answered, cites
from bench.answers import Answers, tables
from bench.record import Machine, Measured
from bench.search_engine import Page, application

EVIDENCE = frozenset({"chunk-7", "https://web.example/12.txt"})


def answered(place: str, kind: str, cites_evidence: bool = True, resembles_own: bool = True) -> Answered:
    return Answered("three ways", place, kind, cites_evidence, 0.5, resembles_own, 2.0)


@pytest.mark.parametrize(
    ("one", "right"),
    [
        (answered("on the web", "answered"), True),
        (answered("in the documentation", "quoted"), True),
        (answered("on the web", "answered", cites_evidence=False), False),
        (answered("on the web", "answered", resembles_own=False), False),
        (answered("on the web", "abstained"), False),
        (answered("nowhere", "abstained", cites_evidence=False), True),
        (answered("nowhere", "quoted"), False),
    ],
)
def test_a_right_answer_rests_on_the_evidence_and_says_what_was_asked(one: Answered, right: bool) -> None:
    assert one.right is right


@pytest.mark.parametrize(
    ("chunk", "address", "held"),
    [("chunk-7", "file:///a.md", True), ("", "https://web.example/12.txt", True), ("chunk-8", "file:///a.md", False)],
)
def test_evidence_is_cited_by_chunk_or_by_address(chunk: str, address: str, held: bool) -> None:
    assert cites([{"chunk_id": chunk, "document_uri": address}], EVIDENCE) is held


def test_the_table_counts_what_is_right_and_what_was_answered_wrongly() -> None:
    said = (answered("on the web", "answered"), answered("nowhere", "quoted"), answered("nowhere", "abstained"))
    machine = Machine(2, 23.5, "A CPU", 0.25, {"Python": "3.11.7"})
    section = tables(Measured(datetime(2026, 1, 2, tzinfo=UTC), machine, Answers(14, 1000, all_routes(said))))
    row = "| three ways | 0 of 0 (0.00) | 1 of 2 (0.50) | 1 of 1 (1.00) | 2 of 3 (0.67) | 1 | 0.50 | 2.0 s |"
    assert row in section
    assert "3 questions, each on every route: 0 with evidence in the documentation, 2 with evidence nowhere" in section


def all_routes(said: tuple[Answered, ...]) -> tuple[Answered, ...]:
    routes = ("always the knowledge base", "always the web", "three ways")
    return tuple(replace(one, route=route) for route in routes for one in said)


def test_the_search_engine_finds_what_was_found_beforehand() -> None:
    pages = [Page(f"https://web.example/{number}.txt", str(number), "Text.") for number in range(3)]
    with TestClient(application({"Who?": pages})) as client:
        asked = client.post("/search", json={"query": "Who?", "max_results": 2}).json()
        assert [result["url"] for result in asked["results"]] == [page.url for page in pages[:2]]
        assert client.post("/search", json={"query": "What?", "max_results": 2}).json()["results"] == []
