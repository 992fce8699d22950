from collections.abc import Generator
from dataclasses import dataclass

import pytest

from tests.crash.addons_points import ADDONS_POINTS
from tests.crash.agents_points import RELEASE_POINTS, SWITCH_POINTS
from tests.crash.cluster_release_points import CANARY_POINTS, CANARY_PROCESSES, PROMOTION_POINTS, REFUSAL_POINTS
from tests.crash.evaluation_points import EVALUATION_POINTS
from tests.crash.faults import Case, Point, bounded, cases
from tests.crash.opensearch_points import DRILL_POINTS, OPENSEARCH_POINTS, WIRE_POINTS
from tests.crash.provision_points import PROVISION_POINTS
from tests.crash.refresh_points import PROCESS_POINTS, REFRESH_POINTS, RESUMED_POINTS, ROLLBACK_POINTS
from tests.crash.served_cluster import served_cluster
from tests.crash.served_laptop import served_laptop
from tests.flows.conftest import checkout, run_python
from tests.flows.provision.conftest import aws, aws_account, small_root
from tests.flows.rollout.agents_stage import graviton_cluster
from tests.flows.rollout.conftest import artifact, connection, described, dev, outputs, provisioned, rollout

__all__ = [
    "artifact",
    "aws",
    "aws_account",
    "checkout",
    "connection",
    "described",
    "dev",
    "graviton_cluster",
    "outputs",
    "provisioned",
    "rollout",
    "run_python",
    "served_cluster",
    "served_laptop",
    "small_root",
]


@dataclass(frozen=True)
class Matrix:
    """The commit points of a flow, and how many cases of it a bounded run takes at most (0: none at all)."""

    points: tuple[Point, ...]
    most: int | None = None


MATRICES = {
    "refresh_case": Matrix(REFRESH_POINTS, most=3),
    "resumed_case": Matrix(RESUMED_POINTS, most=0),
    "rollback_case": Matrix(ROLLBACK_POINTS, most=1),
    "process_case": Matrix(PROCESS_POINTS, most=0),
    "opensearch_case": Matrix(OPENSEARCH_POINTS, most=1),
    "wire_case": Matrix(WIRE_POINTS, most=6),
    "drill_case": Matrix(DRILL_POINTS, most=3),
    "provision_case": Matrix(PROVISION_POINTS, most=2),
    "addons_case": Matrix(ADDONS_POINTS, most=2),
    "release_case": Matrix(RELEASE_POINTS, most=1),
    "evaluation_case": Matrix(EVALUATION_POINTS, most=1),
    "withdrawn_case": Matrix(SWITCH_POINTS, most=0),
    "cluster_release_case": Matrix((*CANARY_POINTS, *PROMOTION_POINTS), most=1),
    "cluster_withdrawn_case": Matrix(PROMOTION_POINTS, most=0),
    "cluster_refused_case": Matrix(REFUSAL_POINTS, most=0),
    "cluster_process_case": Matrix(CANARY_PROCESSES, most=0),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=0, help="the seed of the crash cases; the same seed replays them")
    parser.addoption(
        "--crash-cases", choices=("bounded", "all"), default="bounded", help="every fault at every commit point, or few"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name in MATRICES.keys() & set(metafunc.fixturenames):
        chosen: list[Case] = list(cases(MATRICES[name].points, _seed(metafunc.config)))
        if _is_bounded(metafunc.config):
            chosen = bounded(chosen, MATRICES[name].most)
        metafunc.parametrize(name, chosen, ids=str)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # Where a matrix has no case, pytest keeps a test that it would skip.
    without_case = [name for name, matrix in MATRICES.items() if matrix.most == 0] if _is_bounded(config) else []
    left_out = [item for item in items if isinstance(item, pytest.Function) and {*without_case} & {*item.fixturenames}]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        command = (
            f"pytest tests/crash --crash-cases all --seed {_seed(item.config)} -k {item.name.split('[')[-1][:-1]!r}"
        )
        report.sections.append(("how to replay", command))
    return report


def _is_bounded(config: pytest.Config) -> bool:
    return config.getoption("--crash-cases", "bounded") == "bounded"


def _seed(config: pytest.Config) -> int:
    # The option is unknown where pytest was started above this directory.
    return config.getoption("--seed", 0) or 0
