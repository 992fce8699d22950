"""What is renamed in the product is renamed in the list of commit points, also where few of them are struck."""

from pkgutil import resolve_name

import pytest

from tests.crash.conftest import MATRICES
from tests.crash.faults import CommitPoint

TARGETS = sorted(
    {point.target for matrix in MATRICES.values() for point in matrix.points if isinstance(point, CommitPoint)}
)


@pytest.mark.parametrize("target", TARGETS)
def test_every_commit_point_is_a_call_of_the_product(target: str) -> None:
    assert callable(resolve_name(target))


def test_no_two_points_of_a_matrix_have_one_name() -> None:
    for name, matrix in MATRICES.items():
        assert len({point.name for point in matrix.points}) == len(matrix.points), name
