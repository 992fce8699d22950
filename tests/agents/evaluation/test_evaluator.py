from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.evaluation.evaluator import relevancy
from agents.evaluation.names import names
from agents.knowledge.search import LegPosition, Passage
from tests.agents.corpus_generation import corpus_chunks


def passages(cosine: float) -> list[Passage]:
    return [Passage(chunk, "g1", 1.0, None, LegPosition(1, cosine)) for chunk in corpus_chunks()]


def test_more_evidence_of_either_kind_is_more_relevancy() -> None:
    known, unknown = "Which port does the agent service use?", "Which Azure region hosts Cassandra?"
    assert relevancy(known, passages(0.6)) > relevancy(known, passages(0.3)) > relevancy(unknown, passages(0.3))


def test_a_missing_name_costs_more_than_a_missing_everyday_word() -> None:
    best = passages(0.5)
    assert relevancy("Can I use the embedded store?", best) > relevancy("Is Cassandra the embedded store?", best)


def test_a_name_that_no_passage_knows_halves_the_score() -> None:
    known, unknown = "Which port does the service listen on?", "Which port does Grafana listen on?"
    assert relevancy(unknown, passages(0.5)) < 0.37 < relevancy(known, passages(0.5))
    assert relevancy("Is LanceDB the embedded store?", passages(0.5)) > 0.37


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("Which port does Grafana listen on?", {"grafana"}),
        ("Grafana listens on which port?", set()),
        ("Is LanceDB or S3 there? How do I ask?", {"lancedb", "s3"}),
        ("How do I restart Nginx?", {"nginx"}),
        ("WHICH PORT IS IT?", set()),
        ("How Do I Stop the Whole Platform?", set()),
        ("which port does grafana use", set()),
        ("\u5b83\u5982\u4f55\u505c\u6b62", set()),
        ("", set()),
    ],
)
def test_names_are_told_by_how_they_are_written(question: str, named: set[str]) -> None:
    assert names(question) == named


def test_nothing_found_is_irrelevant_and_no_dense_hit_leaves_the_words() -> None:
    assert relevancy("Which port?", []) == 0
    lexical_only = [replace(passage, dense=None) for passage in passages(1.0)]
    assert relevancy("agent service port", lexical_only) == pytest.approx(0.5)


@given(st.text(), st.floats(min_value=-1, max_value=1))
def test_it_is_a_share(question: str, cosine: float) -> None:
    assert 0 <= relevancy(question, passages(cosine)) <= 1
