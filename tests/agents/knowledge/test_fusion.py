import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.knowledge.fusion import FusionSettings, Scored, fuse, min_max_fusion, reciprocal_rank_fusion

RANKINGS = st.lists(
    st.tuples(st.text(min_size=1, max_size=3), st.floats(-50, 50)), max_size=20, unique_by=lambda scored: scored[0]
).map(lambda ranking: sorted(ranking, key=lambda scored: -scored[1]))


def test_rrf_sums_reciprocal_ranks() -> None:
    fused = dict(reciprocal_rank_fusion([[("a", 9.0), ("b", 8.0)], [("b", 0.9), ("c", 0.1)]]))
    assert fused == pytest.approx({"a": 1 / 61, "b": 1 / 62 + 1 / 61, "c": 1 / 62})


def test_min_max_weighs_scaled_scores_and_counts_a_missing_hit_as_the_worst() -> None:
    fused = min_max_fusion([("a", 10.0), ("b", 6.0), ("c", 2.0)], [("d", 0.9), ("b", 0.5), ("a", 0.1)], 0.25)
    assert [chunk_id for chunk_id, _ in fused] == ["a", "b", "d", "c"]
    assert [score for _, score in fused] == pytest.approx([0.75, 0.5, 0.25, 0.0])


def test_min_max_takes_a_single_hit_and_equal_scores_for_full_marks() -> None:
    assert min_max_fusion([("a", 3.0)], [("b", 0.2), ("c", 0.2)], 0.25) == [("a", 0.75), ("b", 0.25), ("c", 0.25)]


@pytest.mark.parametrize("method", ["rrf", "min_max"])
def test_nothing_fuses_to_nothing(method: str) -> None:
    settings = FusionSettings(method="rrf" if method == "rrf" else "min_max", dense_weight=0.5, candidates=5)
    assert fuse([], [], settings) == []


@given(lexical=RANKINGS, dense=RANKINGS, weight=st.floats(0, 1), method=st.sampled_from(["rrf", "min_max"]))
def test_every_chunk_is_ranked_once_and_ties_go_by_chunk_id(
    lexical: list[Scored], dense: list[Scored], weight: float, method: str
) -> None:
    settings = FusionSettings(method="rrf" if method == "rrf" else "min_max", dense_weight=weight, candidates=20)
    fused = fuse(lexical, dense, settings)
    assert sorted(chunk_id for chunk_id, _ in fused) == sorted({chunk_id for chunk_id, _ in [*lexical, *dense]})
    assert fused == sorted(fused, key=lambda scored: (-scored[1], scored[0]))
    assert all(0 <= score <= 1 + 1e-9 for _, score in fused)
