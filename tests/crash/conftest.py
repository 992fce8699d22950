from collections.abc import Generator
from dataclasses import dataclass

import pytest

from tests.crash.addons_points import ADDONS_POINTS
from tests.crash.agents_points import RELEASE_POINTS, SWITCH_POINTS
from tests.crash.evaluation_points import EVALUATION_POINTS
from tests.crash.faults import Case, Point, bounded, cases
from tests.crash.opensearch_points import OPENSEARCH_POINTS, WIRE_POINTS
from tests.crash.provision_points import PROVISION_POINTS
from tests.crash.refresh_points import PROCESS_POINTS, REFRESH_POINTS, ROLLBACK_POINTS
from tests.crash.served_laptop import served_laptop
from tests.flows.conftest import checkout, run_python
from tests.flows.provision.conftest import aws, aws_account, small_root
from tests.flows.rollout.conftest import connection, described, dev, outputs, provisioned, rollout

__all__ = [
    "aws",
    "aws_account",
    "checkout",
    "connection",
    "described",
    "dev",
    "outputs",
    "provisioned",
    "rollout",
    "run_python",
    "served_laptop",
    "small_root",
]


@dataclass(frozen=True)
class Matrix:
    """The commit points of a flow, and how many cases of it a bounded run takes at most."""

    points: tuple[Point, ...]
    most: int | None = None


MATRICES = {
    "refresh_case": Matrix(REFRESH_POINTS),
    "rollback_case": Matrix(ROLLBACK_POINTS),
    "process_case": Matrix(PROCESS_POINTS, most=1),
    "opensearch_case": Matrix(OPENSEARCH_POINTS, most=1),
    "wire_case": Matrix(WIRE_POINTS, most=1),
    "provision_case": Matrix(PROVISION_POINTS),
    "addons_case": Matrix(ADDONS_POINTS),
    "release_case": Matrix(RELEASE_POINTS, most=1),
    "evaluation_case": Matrix(EVALUATION_POINTS, most=1),
    "withdrawn_case": Matrix(SWITCH_POINTS, most=1),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=0, help="the seed of the crash cases; the same seed replays them")
    parser.addoption(
        "--crash-cases", choices=("bounded", "all"), default="bounded", help="every fault at every commit point, or few"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name in MATRICES.keys() & set(metafunc.fixturenames):
        chosen: list[Case] = list(cases(MATRICES[name].points, _seed(metafunc.config)))
        if metafunc.config.getoption("--crash-cases", "bounded") == "bounded":
            chosen = bounded(chosen, MATRICES[name].most)
        metafunc.parametrize(name, chosen, ids=str)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        command = (
            f"pytest tests/crash --crash-cases all --seed {_seed(item.config)} -k {item.name.split('[')[-1][:-1]!r}"
        )
        report.sections.append(("how to replay", command))
    return report


def _seed(config: pytest.Config) -> int:
    # The option is unknown where pytest was started above this directory.
    return config.getoption("--seed", 0) or 0
