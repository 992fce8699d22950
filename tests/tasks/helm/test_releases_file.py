"""What is wrong with releases.yaml or the values beside it is said with file, key and what is allowed."""

from typing import Any

import pytest

from tasks.environment import Environment
from tasks.environment.variable_file import load_environment
from tasks.helm.derived_values import DERIVATIONS
from tasks.helm.order import enabled_releases, rollout_order
from tasks.helm.preparation import prepare
from tasks.helm.releases_file import STAGES, InvalidReleases, load_releases
from tests.tasks.helm.described_releases import DescribedReleases

DIGEST = f"sha256:{'0' * 64}"
REMOTE = {"source": "https", "repository": "https://charts.example.com", "name": "widgets", "version": "1.2.3"}


def refusal(described: DescribedReleases, dev: Environment) -> str:
    with pytest.raises(InvalidReleases) as refused:
        prepare(dev, {}, described.sources, "addons")
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
        ({"needs": ["gadgets"]}, "releases.widgets.needs names the unknown release 'gadgets'; allowed are widgets"),
        ({"needs": ["widgets"]}, "form a cycle: widgets needs widgets"),
        ({"stage": "addon"}, "releases.widgets.stage = \"addon\", but it must be 'addons', 'models', 'knowledge' or"),
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


def test_a_release_may_not_need_one_of_a_later_stage(described: DescribedReleases, dev: Environment) -> None:
    described.add("service", "widgets", stage="agents")
    described.add("widgets", "widgets", needs=["service"])
    said = "releases.widgets.needs names 'service' of the stage 'agents', which comes after its own stage 'addons'"
    assert said in refusal(described, dev)


def test_a_stage_has_its_own_releases_in_the_order_of_all(described: DescribedReleases, dev: Environment) -> None:
    described.add("widgets", "widgets")
    described.add("server", "dependant", stage="models", needs=["widgets"])
    prepared = {stage: prepare(dev, {}, described.sources, stage) for stage in STAGES}
    assert {stage: [(item.name, item.order) for item in items] for stage, items in prepared.items()} == {
        "addons": [("widgets", 1)],
        "models": [("server", 2)],
        "knowledge": [],
        "agents": [],
    }


def test_the_environment_file_stretches_deadlines(described: DescribedReleases, dev: Environment) -> None:
    described.add("widgets", "widgets", deadline_seconds=60)
    assert dev.addons is not None
    slow = dev.model_copy(update={"addons": dev.addons.model_copy(update={"deadline_factor": 2.5})})
    deadlines = [
        prepare(settings, {}, described.sources, "addons")[0].release.deadline_seconds for settings in (dev, slow)
    ]
    assert deadlines == [60, 150]


@pytest.mark.parametrize(("toggle", "installed"), [("capacity.has_gpu", True), ("addons.langfuse_in_cluster", False)])
def test_a_fact_that_derives_from_the_file_is_a_toggle(
    described: DescribedReleases, dev: Environment, toggle: str, installed: bool
) -> None:
    described.add("widgets", "widgets", enabled_by=toggle)
    assert bool(prepare(dev, {}, described.sources, "addons")) is installed


def test_values_derive_for_releases_that_exist() -> None:
    assert DERIVATIONS.keys() <= load_releases().keys()


def test_a_toggle_switches_a_release_off(described: DescribedReleases) -> None:
    described.add("widgets", "widgets", enabled_by="edge.domain")
    described.add("backed-up", "widgets", enabled_by="data.backup")
    described.add("always", "widgets", needs=["backed-up"])
    dev = load_environment("dev")
    assert [item.name for item in prepare(dev, {}, described.sources, "addons")] == ["backed-up", "always"]


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
