"""The judge is asked about what scores without a model leave open, and nothing else waits for it."""

import re
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from tests.agents.talking import Talk, talk, web_route
from tests.agents.web_search.tavily_api import page

STOP = "What does make down stop?"
PARAPHRASE = "Shutting the platform down ends whatever processes it had launched."
QUOTE = "`make down` stops every process that `make up` started, and nothing else."
JUDGE = {"name": "judge", "context_tokens": 8192}
CHAT = {"name": "chat", "context_tokens": 2048}
EMBEDDING = {"name": "embedding", "fingerprint": "f" * 64, "dimension": 256, "context_tokens": 512}
SETTINGS = {
    "models": {"reasoning": CHAT, "embedding": EMBEDDING, "judge": JUDGE},
    "routing": {"certain_from": 0.55},
    "budgets": {"corrections": 0},
}
ON_THE_WEB = "Flamengo won the football championship in Brazil in 2019. The final was played in Rio."


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Generator[Talk]:
    with talk(tmp_path_factory.mktemp("judge"), web=False, settings=SETTINGS) as running:
        yield running


@pytest.fixture(autouse=True)
def anew(talking: Talk) -> None:
    for asked in (talking.gateway.judged, talking.gateway.verdicts, talking.gateway.prompts):
        asked.clear()


def test_what_is_surely_relevant_and_verbatim_is_not_judged(talking: Talk) -> None:
    talking.gateway.reply = QUOTE
    assert talking.ask(STOP)["kind"] == "answered"
    assert talking.gateway.judged == []


def test_what_is_not_surely_relevant_is_rated(talking: Talk) -> None:
    talking.gateway.reply = QUOTE
    unclear = "Does halting the platform leave anything of make up running?"
    talking.gateway.verdicts = [{"reason": "It says so.", "rating": 2}]
    answer = talking.ask(unclear)
    assert (answer["kind"], answer["relevancy"], answer["notes"]) == ("answered", 1.0, [])
    talking.gateway.verdicts = [{"reason": "It speaks of something else.", "rating": 0}]
    assert talking.ask(unclear)["kind"] == "abstained"
    assert {body["model"] for body in talking.gateway.judged} == {"judge"}
    assert talking.gateway.judged[0]["response_format"]["type"] == "json_schema"


def test_the_time_of_a_judge_is_not_taken_for_that_of_a_first_word(talking: Talk) -> None:
    talking.gateway.reply = QUOTE
    talking.gateway.verdicts = [{"reason": "It says so.", "rating": 2}]
    talking.ask("Does halting the platform leave anything of make up running?")
    assert talking.gateway.judged
    metrics = httpx.get(f"{talking.running.url}/metrics", timeout=60).text
    assert 'agents_first_token_seconds_count{model="chat"}' in metrics
    assert 'agents_first_token_seconds_count{model="judge"}' not in metrics
    assert 'agents_tokens_total{direction="output",model="judge"}' in metrics


def test_a_judge_that_fails_leaves_the_score_that_needs_none(talking: Talk) -> None:
    answer = talking.ask("Who won the football championship in Brazil?")
    assert answer["kind"] == "abstained"
    assert answer["notes"][0].startswith("relevancy was scored without a judge: model 'judge'")


def test_a_judge_that_fails_at_a_sentence_leaves_the_check_that_needs_none(talking: Talk) -> None:
    talking.gateway.reply = PARAPHRASE
    answer = talking.ask(STOP)
    assert answer["kind"] == "quoted"
    assert answer["notes"][0].startswith("groundedness was scored without a judge: model 'judge'")


def test_a_judge_that_writes_something_else_is_not_believed(talking: Talk) -> None:
    talking.gateway.verdicts = [{"rating": 7}]
    answer = talking.ask("Who won the football championship in Brazil?")
    assert "did not answer as RelevancyRating" in answer["notes"][0]


def test_a_paraphrase_is_released_with_the_quote_that_the_judge_found(talking: Talk) -> None:
    talking.gateway.reply = PARAPHRASE
    talking.gateway.verdicts = [{"reason": "Same.", "supported": True, "passage": 1, "quote": QUOTE}]
    answer = talking.ask(STOP)
    assert answer["kind"] == "answered"
    assert answer["citations"][0]["quote"] == QUOTE


@pytest.mark.parametrize(
    "verdict",
    [
        {"reason": "Made up.", "supported": True, "passage": 1, "quote": "Everything ends when the sun goes down."},
        {"reason": "Where?", "supported": True, "passage": 99, "quote": QUOTE},
        {"reason": "It is not in there.", "supported": False, "passage": 0, "quote": ""},
    ],
)
def test_a_judge_that_quotes_what_nobody_wrote_is_not_believed(talking: Talk, verdict: dict[str, object]) -> None:
    talking.gateway.reply = PARAPHRASE
    talking.gateway.verdicts = [verdict]
    answer = talking.ask(STOP)
    assert answer["kind"] == "quoted"
    assert "the sun" not in str(answer["notes"])


def test_what_the_judge_writes_is_told_to_nobody(talking: Talk) -> None:
    talking.gateway.reply = PARAPHRASE
    evil = "<img src=https://evil.test>"
    talking.gateway.verdicts = [{"reason": evil, "supported": False, "passage": 0, "quote": ""}]
    told = talking.events(STOP)
    assert '"reason":"the judge refuses it"' in told
    assert "evil" not in told
    talking.gateway.verdicts = [{"reason": evil, "rating": 7, evil: 1}]
    assert "evil" not in talking.events("Who won the football championship in Brazil?")


def test_numbers_are_never_left_to_the_judge(talking: Talk) -> None:
    talking.gateway.reply = "Shutting down ends all 42 processes of the platform."
    talking.gateway.verdicts = [{"reason": "Sure.", "supported": True, "passage": 1, "quote": QUOTE}]
    assert talking.ask(STOP)["kind"] == "quoted"
    assert talking.gateway.judged == []


def test_what_the_web_says_stands_between_marks_that_its_author_cannot_know(tmp_path: Path) -> None:
    with talk(tmp_path, settings=SETTINGS) as online:
        web_route(online, on=True)
        online.tavily.results = [page(ON_THE_WEB, "https://football.example.com/2019", "Champions")]
        online.gateway.reply = "The decisive match took place in Rio."
        marks: set[str] = set()
        for _ in range(2):
            online.gateway.verdicts = [
                {"reason": "It speaks of something else.", "rating": 0},
                {"reason": "Same.", "supported": True, "passage": 1, "quote": "The final was played in Rio."},
            ]
            answer = online.ask("Where was the final of the football championship in Brazil played?")
            assert answer["citations"][0]["origin"] == "web"
            system, user = (message["content"] for message in online.gateway.judged[-1]["messages"])
            (mark,) = re.findall(r"=== web [0-9a-f]{16} ===", system)
            assert f"Passage 1:\n{mark}\n{ON_THE_WEB}\n{mark}" in user
            marks.add(mark)
        assert len(marks) == 2
        assert "=== web" not in str(online.gateway.judged[0]), "passages of the knowledge base have no marks"
