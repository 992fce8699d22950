import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.embedding import combined_rate
from bench.figures import evenly_by_length, percentile


@pytest.mark.parametrize(("share", "expected"), [(0.05, 1), (0.5, 10), (0.95, 19), (1, 20)])
def test_percentile_is_a_value_of_the_sample(share: float, expected: int) -> None:
    assert percentile(list(range(20, 0, -1)), share) == expected


def test_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


@given(st.lists(st.text(max_size=30), min_size=1), st.integers(min_value=1, max_value=40))
def test_even_sample_has_the_wanted_size_and_keeps_the_order(texts: list[str], wanted: int) -> None:
    numbered = [f"{number}:{text}" for number, text in enumerate(texts)]
    sample = evenly_by_length(numbered, wanted)
    assert len(sample) == min(wanted, len(texts))
    assert sample == [text for text in numbered if text in set(sample)]


def test_even_sample_has_short_and_long_texts_in_their_shares() -> None:
    texts = ["a" * length for length in range(100)]
    assert [len(text) for text in evenly_by_length(texts, 4)] == [12, 37, 62, 87]


def test_rates_of_workers_add_up_though_one_ends_first() -> None:
    assert combined_rate([(1, 32, 4.0), (2, 32, 8.0), (1, 32, 4.0)]) == pytest.approx(64 / 8 + 32 / 8)
