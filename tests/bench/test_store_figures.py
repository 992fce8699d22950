from dataclasses import replace

from bench import store
from bench.growth_plot import plot_growth
from bench.hybrid_queries import QueryCost
from bench.synthetic import SyntheticCorpus, vectors
from bench.synthetic_refresh import SyntheticRefresh

FULL = SyntheticRefresh("g1", 1000, 1000, 0, 20.0, 18.0, 9.0, 100.0)
EDITED = SyntheticRefresh("g2", 1000, 10, 990, 1.0, 0.5, 0.5, 110.0)
SIZE = store.Size(FULL, EDITED, QueryCost((2.0, 3.0, 9.0), (2.0, 2.5, 3.0)), 9.5)


def test_the_share_of_a_refresh_counts_the_model_for_both() -> None:
    # A hundred seconds for all of them; one second for the edited ones, after one second of writing.
    assert SIZE.share(rate=10.0) == (1.0 + 1.0) / 100.0
    assert replace(SIZE, edited=FULL).share(rate=10.0) > 1


def test_queries_are_compared_by_their_medians() -> None:
    assert SIZE.queries.ratio == 3.0 / 2.5


def test_one_document_in_a_hundred_is_of_another_edition() -> None:
    first, second = (SyntheticCorpus(200, edition).scanned() for edition in (0, 1))
    edited = [old.ref.path for old, new in zip(first, second, strict=True) if old.content_hash != new.content_hash]
    assert edited == ["0000000.txt", "0000100.txt"]


def test_vectors_follow_from_the_text() -> None:
    one, same, other = vectors(["a text", "a text", "another"])
    assert one == same != other
    assert abs(sum(value * value for value in one) - 1) < 1e-5


def test_the_picture_has_what_grows_and_is_the_same_each_time() -> None:
    picture, again = (
        plot_growth([1000, 10_000], {"full": [4, 20], "edited": [1, 1]}, {"hybrid": [20, 17]}) for _ in "12"
    )
    assert picture == again
    assert all(word in picture.decode() for word in ("10,000", "full", "edited", "hybrid", "seconds"))
