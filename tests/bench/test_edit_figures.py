from datetime import UTC, datetime

from fastapi.testclient import TestClient

from bench import edits
from bench.edits import Edited, Edits, Size
from bench.record import Machine, Measured
from bench.synthetic_endpoint import COUNT_PATH, application


def test_what_the_model_takes_is_added_by_the_texts_of_each_edit() -> None:
    own = Edited("own", 10.0, (1.0, 2.0, 9.0), (10, 10, 10))
    slow = Edited("slow", 40.0, (5.0, 6.0, 7.0), (100, 100, 100))
    fast = Edited("fast", 12.0, (8.5, 9.5, 9.5), (10, 10, 10))
    result = Edits((9.0, 10.0), (Size(10, (own, slow, fast)), Size(100, (own, slow, fast))))
    measured = Measured(datetime(2026, 1, 2, tzinfo=UTC), Machine(2, 23.5, "A CPU", 0.25, {}), result)

    section = edits.tables(measured)

    assert "| 100 documents, 1,000 passages: full, without the model | 10.0 s | 40.0 s | 12.0 s |  |" in section
    assert "| an edit | 3.0 s | 16.0 s | 10.5 s | **3.50 times** |" in section
    assert "| an edit | 3.0 s | 16.0 s | 10.5 s | **3.50 times** (missed: at least 5) |" in section


def test_the_endpoint_counts_the_texts_and_gives_each_the_vector_that_it_always_has() -> None:
    with TestClient(application()) as client:
        first, second = (
            client.post("/v1/embeddings", json={"model": "any", "input": texts}).json()["data"]
            for texts in (["a", "b"], ["b"])
        )

        assert client.get(COUNT_PATH).json() == 3
    assert first[1]["embedding"] == second[0]["embedding"]
    assert first[0]["embedding"] != first[1]["embedding"]
