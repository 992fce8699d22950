"""What is wrong with releases.yaml or the values beside it is said with file, key and what is allowed."""

from typing import Any

import pytest

from tasks.environment import Environment
from tasks.environment.variable_file import load_environment
from tasks.helm.order import enabled_releases, rollout_order
from tasks.helm.preparation import prepare
from tasks.helm.releases_file import InvalidReleases, load_releases
from tests.tasks.helm.described_releases import DescribedReleases

DIGEST = f"sha256:{'0' * 64}"
REMOTE = {"source": "https", "repository": "https://charts.example.com", "name": "widgets", "version": "1.2.3"}


def refusal(described: DescribedReleases, dev: Environment) -> str:
    with pytest.raises(InvalidReleases) as refused:
        prepare(dev, {}, described.sources)
    return str(refused.value)


def test_the_shipped_file_is_read_for_every_environment() -> None:
    for environment in ("dev", "prod"):
        releases = enabled_releases(load_releases(), load_environment(environment))
        assert len(rollout_order(releases)) == len(releases)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"deadline_seconds": 5},
            "releases.widgets.deadline_seconds = 5, but it must be a whole number from 10 to 3600",
        ),
        ({"deadline": 5}, "releases.widgets has the unknown key 'deadline'; did you mean 'deadline_seconds'?"),
        ({"probe": {"kind": "hope"}}, "releases.widgets.probe.kind = \"hope\", but it must be 'applied', 'condition'"),
        ({"probe": {}}, "releases.widgets.probe.kind is missing; it must be"),
        ({"chart": {**REMOTE, "digest": DIGEST, "version": "1.x"}}, 'chart.version = "1.x", but it must be an exact'),
        ({"chart": {**REMOTE, "digest": "abc"}}, 'releases.widgets.chart.digest = "abc", but it must be the SHA-256'),
        ({"chart": REMOTE}, "releases.widgets.chart.digest is missing"),
        ({"needs": ["gadgets"]}, "releases.widgets.needs names the unknown release 'gadgets'; allowed are widgets"),
        ({"needs": ["widgets"]}, "form a cycle: widgets needs widgets"),
        (
            {"enabled_by": "data.bakup"},
            "enabled_by = 'data.bakup': data has no key 'bakup'; allowed are backup, buckets",
        ),
        ({"chart": {"source": "own", "path": "charts/gadgets"}}, "has no Chart.yaml; allowed are charts/widgets"),
    ],
)
def test_a_wrong_entry_is_refused(
    described: DescribedReleases, dev: Environment, changes: dict[str, Any], said: str
) -> None:
    described.add("widgets", "widgets", **changes)
    assert said in refusal(described, dev)


def test_a_refusal_names_file_and_line(described: DescribedReleases, dev: Environment) -> None:
    described.file.write_text("releases:\n  widgets:\n    namespace: Default\n", encoding="utf-8")
    lines = refusal(described, dev).splitlines()
    assert (
        f'{described.file}:3: releases.widgets.namespace = "Default", but it must be a name of a-z, 0-9 and -'
        in lines[-1]
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("releases: {\n", "YAML syntax error"),
        ("releases: {}\nreleases: {}\n", "2:1: releases is given twice, first on line 1"),
        ("- widgets\n", "the file must be a mapping"),
        ("releases:\n  1: {}\n", "2:3: a key must be a string; quote it"),
        ("", "releases is missing"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(
    described: DescribedReleases, dev: Environment, text: str, said: str
) -> None:
    described.file.write_text(text, encoding="utf-8")
    assert said in refusal(described, dev)


def test_a_cycle_is_named(described: DescribedReleases, dev: Environment) -> None:
    for name, needed in (("first", "second"), ("second", "third"), ("third", "first"), ("apart", "first")):
        described.add(name, "widgets", needs=[needed])
    cycle = refusal(described, dev)
    assert any(
        around in cycle
        for around in (
            "first needs second needs third needs first",
            "second needs third needs first needs second",
            "third needs first needs second needs third",
        )
    )


def test_a_toggle_switches_a_release_off(described: DescribedReleases) -> None:
    described.add("widgets", "widgets", enabled_by="edge.domain")
    described.add("backed-up", "widgets", enabled_by="data.backup")
    described.add("always", "widgets", needs=["backed-up"])
    dev = load_environment("dev")
    assert [item.name for item in prepare(dev, {}, described.sources)] == ["backed-up", "always"]


def test_a_release_may_not_need_one_that_is_off(described: DescribedReleases, dev: Environment) -> None:
    described.add("widgets", "widgets", enabled_by="edge.domain")
    described.add("user", "dependant", needs=["widgets"])
    assert "the release 'user' needs 'widgets', which edge.domain" in refusal(described, dev)


def test_values_of_an_unknown_release_are_refused(described: DescribedReleases, dev: Environment) -> None:
    described.add("widgets", "widgets")
    described.values("widgest", {"replicas": 1})
    assert "there is no release 'widgest'; releases.yaml has widgets" in refusal(described, dev)


def test_values_of_an_unknown_environment_are_refused(described: DescribedReleases, dev: Environment) -> None:
    described.add("widgets", "widgets")
    described.values("widgets", {"replicas": 1}, layer="development")
    assert "development.yaml: nothing reads it; allowed are base.yaml, local.yaml" in refusal(described, dev)
