import pytest

from tests.crash.faults import Case, bounded, cases
from tests.crash.refresh_points import REFRESH_POINTS


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=0, help="the seed of the crash cases; the same seed replays them")
    parser.addoption(
        "--crash-cases", choices=("bounded", "all"), default="bounded", help="every fault at every commit point, or few"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "refresh_case" in metafunc.fixturenames:
        # The options are unknown where pytest was started above this directory.
        seed: int = metafunc.config.getoption("--seed", 0) or 0
        chosen: list[Case] = list(cases(REFRESH_POINTS, seed))
        if metafunc.config.getoption("--crash-cases", "bounded") == "bounded":
            chosen = bounded(chosen)
        metafunc.parametrize("refresh_case", chosen, ids=str)
