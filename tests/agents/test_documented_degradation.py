"""Every dependency that docs/answers.md says something of goes away in a test, in the place that is named here."""

import re
from pathlib import Path

from tasks.environment import REPOSITORY

HERE = Path(__file__).parent
DOCUMENT = REPOSITORY / "docs" / "answers.md"
SCRIPTED = "test_degradation_with_scripted_models.py"
STATE = "test_state_away_with_scripted_models.py"
JUDGE = "evaluation/test_judge_with_scripted_models.py"
LANGFUSE = "tracing/test_langfuse_away_with_scripted_models_and_played_langfuse.py"
TESTED = {
    "the gateway, or the embedding model": [
        (SCRIPTED, "test_gateway_away_is_503_with_the_time_to_wait_and_mends_itself"),
        (SCRIPTED, "test_embedding_model_alone_away_is_503_and_mends_itself"),
    ],
    "the reasoning model alone": [(SCRIPTED, "test_a_model_that_dies_while_it_writes_leaves_quotes")],
    "the judge": [
        (JUDGE, "test_a_judge_that_fails_leaves_the_score_that_needs_none"),
        (JUDGE, "test_a_judge_that_fails_at_a_sentence_leaves_the_check_that_needs_none"),
    ],
    "the store": [
        (SCRIPTED, "test_store_away_leaves_the_web_and_mends_itself"),
        (SCRIPTED, "test_store_and_web_away_is_503"),
        (SCRIPTED, "test_store_away_and_nothing_on_the_web_that_fits_is_503"),
        ("test_store_away_with_played_opensearch.py", "test_a_store_that_stops_answering_keeps_nobody_waiting"),
    ],
    "the web search server, or Tavily": [
        (SCRIPTED, "test_web_search_away_leaves_the_knowledge_base_and_is_asked_again_when_it_is_back"),
        (SCRIPTED, "test_tavily_refusing_leaves_the_knowledge_base_until_it_answers_again"),
    ],
    "Prefect": [(SCRIPTED, "test_prefect_away_leaves_the_generation_that_is_there")],
    "Langfuse": [
        (LANGFUSE, "test_questions_are_answered_when_nobody_listens"),
        (LANGFUSE, "test_an_answer_and_readyz_say_that_traces_are_lost_until_langfuse_takes_them_again"),
        (LANGFUSE, "test_the_queue_of_spans_is_bounded_and_the_newest_are_kept"),
    ],
    "Valkey": [("limits/test_limits_with_scripted_models.py", "test_without_valkey_each_replica_counts_for_itself")],
    "the state database": [
        (STATE, "test_where_nobody_signs_in_answers_go_on_and_are_not_kept"),
        (STATE, "test_where_callers_sign_in_nobody_gets_in_until_it_is_back"),
    ],
}


def test_every_dependency_that_is_documented_goes_away_in_a_test() -> None:
    section = DOCUMENT.read_text(encoding="utf-8").partition("needs is away?\n")[2].partition("\n## ")[0]
    _, _, *rows = re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)
    assert rows == list(TESTED)


def test_the_tests_that_are_named_are_there() -> None:
    named = [each for tests in TESTED.values() for each in tests]
    missing = [(file, test) for file, test in named if f"def {test}(" not in (HERE / file).read_text(encoding="utf-8")]
    assert missing == []
