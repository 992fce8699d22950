from collections.abc import Generator

import pytest

from tests.crash.addons_points import ADDONS_POINTS
from tests.crash.faults import Case, CommitPoint, bounded, cases
from tests.crash.provision_points import PROVISION_POINTS
from tests.crash.refresh_points import REFRESH_POINTS, ROLLBACK_POINTS
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
    "small_root",
]

POINTS: dict[str, tuple[CommitPoint, ...]] = {
    "refresh_case": REFRESH_POINTS,
    "rollback_case": ROLLBACK_POINTS,
    "provision_case": PROVISION_POINTS,
    "addons_case": ADDONS_POINTS,
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=0, help="the seed of the crash cases; the same seed replays them")
    parser.addoption(
        "--crash-cases", choices=("bounded", "all"), default="bounded", help="every fault at every commit point, or few"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name in POINTS.keys() & set(metafunc.fixturenames):
        chosen: list[Case] = list(cases(POINTS[name], _seed(metafunc.config)))
        if metafunc.config.getoption("--crash-cases", "bounded") == "bounded":
            chosen = bounded(chosen)
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
