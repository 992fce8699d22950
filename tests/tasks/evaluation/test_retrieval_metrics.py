"""The retrieval metrics on rankings worked out by hand, and laws that hold for every ranking."""

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.retrieval_metrics import (
    RankedPassage,
    abstention_accuracy,
    evidence_ranks,
    holds_quote,
    ndcg_at,
    recall_at,
    reciprocal_rank,
)

ranks = st.lists(st.none() | st.integers(1, 50), min_size=1)
decisions = st.lists(st.tuples(st.booleans(), st.booleans()))
words = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1)


def test_a_quote_is_held_whole_across_line_breaks_or_by_half() -> None:
    quote = "the cat sat on the mat all day"
    assert holds_quote("Yesterday the cat\nsat on  the mat all day long.", quote)
    assert holds_quote("on the mat all day, then it left", quote)
    assert not holds_quote("the cat ate all day", quote)


def test_ranks_are_of_the_first_passage_of_the_right_document() -> None:
    passages = [RankedPassage("b.md", "one two three"), RankedPassage("a.md", "four"), RankedPassage("a.md", "one two")]
    assert evidence_ranks(passages, [("a.md", "one two"), ("b.md", "three"), ("a.md", "zigzag")]) == (3, 1, None)


def test_recall_and_reciprocal_rank_by_hand() -> None:
    assert recall_at((1, 6, None, 5), 5) == 0.5
    assert reciprocal_rank((4, None, 2)) == 0.5
    assert reciprocal_rank((None,)) == 0


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((1, 2), 1.0),
        ((None, None), 0.0),
        ((2,), 1 / log2(3)),
        ((1, 3), (1 + 1 / log2(4)) / (1 + 1 / log2(3))),
        ((4,), 0.0),
        ((1, 2, 3, None, None), 1.0),
        # One result that holds two items cannot be better than the best order of results with one each.
        ((1, 1), 1.0),
    ],
)
def test_gain_by_hand(found: tuple[int | None, ...], expected: float) -> None:
    assert ndcg_at(found, 3) == pytest.approx(expected)


def test_abstention_accuracy_weighs_both_kinds_alike() -> None:
    answerable_right = [(True, False)] * 9 + [(True, True)]
    assert abstention_accuracy([*answerable_right, (False, True), (False, False)]) == pytest.approx((0.9 + 0.5) / 2)


def test_undefined_metrics_are_refused() -> None:
    with pytest.raises(ValueError, match="without evidence"):
        recall_at((), 5)
    with pytest.raises(ValueError, match="without evidence"):
        ndcg_at((), 5)
    with pytest.raises(ValueError, match="both answerable and unanswerable"):
        abstention_accuracy([(True, False)])


@given(ranks, st.integers(1, 50))
def test_recall_grows_with_the_cutoff_and_is_a_share(found: list[int | None], cutoff: int) -> None:
    assert 0 <= recall_at(found, cutoff) <= recall_at(found, cutoff + 1) <= 1


@given(ranks)
def test_the_reciprocal_rank_is_that_of_the_best_item(found: list[int | None]) -> None:
    score = reciprocal_rank(found)
    assert score == max((reciprocal_rank([rank]) for rank in found), default=0)
    assert (score > 0) == (recall_at(found, 50) > 0)


@given(decisions.filter(lambda pairs: len({answerable for answerable, _ in pairs}) == 2))
def test_deciding_the_opposite_gives_the_complement(pairs: list[tuple[bool, bool]]) -> None:
    opposite = [(answerable, not abstained) for answerable, abstained in pairs]
    assert abstention_accuracy(pairs) + abstention_accuracy(opposite) == pytest.approx(1)


@given(st.lists(words, min_size=1), st.lists(words), st.lists(words))
def test_a_text_holds_each_of_its_own_parts(quote: list[str], before: list[str], after: list[str]) -> None:
    assert holds_quote("\n".join([*before, *quote, *after]), " ".join(quote))
