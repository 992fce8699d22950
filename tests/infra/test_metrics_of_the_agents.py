"""Every metric of the agents that charts, rules and dashboards name is one that the service gives."""

import re
from collections.abc import Iterator

from agents.access.settings import Load
from agents.limits.admission import Admission
from agents.metrics import Metrics
from tasks.environment import REPOSITORY

INFRA = REPOSITORY / "infra"
NAMES = re.compile(r"(?<![\w.:-])agents_[a-z][a-z0-9_]*")
# Of requests nobody knows which statuses will come.
SERIES = re.compile(r'agents_(?!requests)\w+\{\w+="\w+"\}')
# Without labels a family of a histogram or counter says nothing of itself but its type.
TYPES = re.compile(r"^# TYPE (\w+) (\w+)$", re.MULTILINE)
SUFFIXES = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("", "_created")}


def named() -> Iterator[tuple[str, str]]:
    """Metrics by the file that names them."""
    files = [
        *sorted((INFRA / "charts" / "agents" / "templates").glob("scaling.yaml")),
        *sorted((INFRA / "modules" / "observability" / "rules").glob("*.yaml")),
        *sorted((INFRA / "charts" / "observability" / "dashboards").glob("*.yaml")),
    ]
    for file in files:
        for name in sorted(set(NAMES.findall(file.read_text(encoding="utf-8")))):
            yield file.relative_to(INFRA).as_posix(), name


def given() -> set[str]:
    """The names of all series that the service can expose."""
    text = Metrics().exposition(ready=True).decode()
    return {f"{family}{suffix}" for family, kind in TYPES.findall(text) for suffix in SUFFIXES.get(kind, ("",))}


def test_every_metric_that_is_named_is_given() -> None:
    wanted = list(named())
    assert {"agents_questions_in_progress", "agents_requests_total", "agents_ready"} <= {name for _, name in wanted}
    assert [each for each in wanted if each[1] not in given()] == []


def test_every_series_that_a_rule_picks_is_there_before_its_first_event() -> None:
    rules = (INFRA / "modules" / "observability" / "rules" / "agents.yaml").read_text(encoding="utf-8")
    picked = set(SERIES.findall(rules))
    assert len(picked) == 4
    given_first = Metrics().exposition(ready=True).decode().splitlines()
    assert {series for series in picked if f"{series} 0.0" not in given_first} == set()


async def test_the_numbers_that_replicas_follow_are_those_of_the_moment() -> None:
    admission, metrics = Admission(Load(answers=1, waiting=1, wait_seconds=60)), Metrics()
    metrics.watch(admission)
    assert "agents_questions_in_progress 0.0" in metrics.exposition(ready=True).decode()
    async with admission.place():
        assert "agents_questions_in_progress 1.0" in metrics.exposition(ready=True).decode()
    assert "agents_questions_in_progress 0.0" in metrics.exposition(ready=True).decode()
    assert "agents_questions_waiting 0.0" in metrics.exposition(ready=True).decode()
