"""Values in layers, rendered by the real helm; charts from a repository that is served here."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks.environment import Environment
from tasks.environment_outputs import OutputsMissing
from tasks.helm.charts import CACHE_VARIABLE, ChartAway, DigestMissing, chart_path
from tasks.helm.command import Helm, open_helm
from tasks.helm.differences import manifest_difference
from tasks.helm.preparation import Content, Prepared, prepare, render_contents
from tasks.helm.releases_file import HttpsChart, InvalidReleases
from tasks.helm.values import Layer, LayeredValues, layered_values
from tests.ports import free_port
from tests.tasks.helm.chart_repositories import chart_repository_of
from tests.tasks.helm.described_releases import CHARTS, DescribedReleases

VERSION = "v1.35.4"


@pytest.fixture
def helm() -> Iterator[Helm]:
    with open_helm(None) as helm:
        yield helm


def rendered(described: DescribedReleases, dev: Environment, helm: Helm) -> Content:
    (content,) = render_contents(
        prepare(dev, {}, described.sources, "addons"), helm, VERSION, described.directory
    ).values()
    assert isinstance(content, Content)
    return content


def test_the_last_layer_wins_and_objects_are_merged(described: DescribedReleases, dev: Environment) -> None:
    base = described.values("widgets", {"a": {"b": 1, "c": 2}, "list": [1, 2], "gone": 1})
    special = described.values("widgets", {"a": {"b": 3}, "list": [3], "gone": None}, layer="dev")
    values = layered_values("widgets", dev, {"a": {"d": 4}}, described.file.parent)
    assert values.merged == {"a": {"b": 3, "c": 2, "d": 4}, "list": [3], "gone": None}
    origins = [values.origin_of(path) for path in (["a", "b"], ["a", "c"], ["list", "0"], ["else"])]
    assert origins == [str(special), str(base), str(special), None]


def test_derived_values_come_from_environment_and_outputs(described: DescribedReleases, dev: Environment) -> None:
    described.add("widgets", "widgets")
    described.values("widgets", {"greeting": "from the file", "replicas": 2})

    def widgets(settings: Environment, outputs: Any) -> dict[str, object]:
        return {"greeting": f"{settings.environment.region} {outputs['name']}"}

    sources = type(described.sources)(described.file, described.directory, {"widgets": widgets})
    (item,) = prepare(dev, {"name": "agentic-eks-dev"}, sources, "addons")
    assert item.values.merged == {"greeting": "us-east-1 agentic-eks-dev", "replicas": 2}


def test_an_output_that_is_not_there_is_named_with_what_to_do(described: DescribedReleases, dev: Environment) -> None:
    described.add("widgets", "widgets")

    def widgets(settings: Environment, outputs: Any) -> dict[str, object]:
        return {"greeting": outputs["grafana"]["url"]}

    sources = type(described.sources)(described.file, described.directory, {"widgets": widgets})
    with pytest.raises(OutputsMissing, match=r"release 'widgets' derive from .* output 'grafana'.* run provision/dev"):
        prepare(dev, {"name": "agentic-eks-dev"}, sources, "addons")


def test_a_schema_refusal_names_the_file_and_the_key(
    described: DescribedReleases, dev: Environment, helm: Helm
) -> None:
    described.add("widgets", "widgets")
    base = described.values("widgets", {"replicas": "two", "greting": "hello"})
    with pytest.raises(InvalidReleases) as refused:
        rendered(described, dev, helm)
    lines = str(refused.value).splitlines()
    assert lines[0] == "the schema of the chart of 'widgets' refuses its values:"
    assert f"{base}: replicas: got string, want integer" in lines
    assert f"{base}: the values: additional properties 'greting' not allowed" in lines


def test_definitions_are_taken_from_files_and_from_templates(
    described: DescribedReleases, dev: Environment, helm: Helm
) -> None:
    described.add("widgets", "widgets", crds={"values": {"crds": {"enabled": True}}})
    content = rendered(described, dev, helm)
    names = [definition["metadata"]["name"] for definition in content.definitions]
    assert names == ["widgets.example.com", "gadgets.example.com"]
    assert {manifest["kind"] for manifest in content.manifests} == {"ConfigMap", "Secret", "Deployment"}


def test_definitions_may_come_from_another_chart(described: DescribedReleases, dev: Environment, helm: Helm) -> None:
    shutil.copytree(CHARTS / "widgets", described.directory / "charts" / "definitions")
    definitions = {"source": "own", "path": "charts/definitions"}
    described.add("user", "dependant", crds={"chart": definitions, "values": {"crds": {"enabled": True}}})
    names = [definition["metadata"]["name"] for definition in rendered(described, dev, helm).definitions]
    assert sorted(names) == ["gadgets.example.com", "widgets.example.com"]


def test_definitions_that_helm_could_delete_are_refused(
    described: DescribedReleases, dev: Environment, helm: Helm
) -> None:
    described.add("widgets", "widgets")
    described.values("widgets", {"crds": {"enabled": True}})
    with pytest.raises(InvalidReleases, match=r"hold the CRDs gadgets.example.com, .* releases.widgets.crds.values"):
        rendered(described, dev, helm)


def digest_of(described: DescribedReleases, dev: Environment) -> str:
    (item,) = prepare(dev, {}, described.sources, "addons")
    return item.digest


def test_the_digest_follows_chart_values_and_definitions(described: DescribedReleases, dev: Environment) -> None:
    described.add("widgets", "widgets")
    seen = [digest_of(described, dev)]
    described.change("widgets", deadline_seconds=60)
    assert digest_of(described, dev) == seen[0]
    described.values("widgets", {"replicas": 2})
    seen.append(digest_of(described, dev))
    described.change("widgets", crds={"values": {"crds": {"enabled": True}}})
    seen.append(digest_of(described, dev))
    (described.directory / "charts" / "widgets" / "README.md").write_text("changed", encoding="utf-8")
    seen.append(digest_of(described, dev))
    assert len(set(seen)) == 4


@pytest.fixture
def chart_repository(tmp_path: Path, helm: Helm, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A repository with `widgets` 1.0.0: the keys of a chart that comes from there."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    with chart_repository_of("widgets", tmp_path / "served", helm) as chart:
        yield chart


def pulled(chart: dict[str, Any], helm: Helm) -> Path:
    return chart_path("widgets", HttpsChart.model_validate(chart), helm)


def test_a_chart_is_pulled_once(chart_repository: dict[str, Any], helm: Helm, tmp_path: Path) -> None:
    path = pulled(chart_repository, helm)
    assert path.parent == tmp_path / "cache"
    (tmp_path / "served" / "index.yaml").unlink()
    assert pulled(chart_repository, helm) == path


def test_a_damaged_archive_is_pulled_again(chart_repository: dict[str, Any], helm: Helm) -> None:
    path = pulled(chart_repository, helm)
    content = path.read_bytes()
    path.write_bytes(content[:100])
    assert pulled(chart_repository, helm).read_bytes() == content


def test_a_digest_that_differs_is_refused(chart_repository: dict[str, Any], helm: Helm, tmp_path: Path) -> None:
    other = f"sha256:{'0' * 64}"
    with pytest.raises(InvalidReleases, match=f"chart.digest = '{other}', but .* has '{chart_repository['digest']}'"):
        pulled({**chart_repository, "digest": other}, helm)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_version_that_does_not_exist_is_refused(chart_repository: dict[str, Any], helm: Helm) -> None:
    with pytest.raises(InvalidReleases, match=r"chart.version = '9.9.9': .* no such version .* newest is '1.0.0'"):
        pulled({**chart_repository, "version": "9.9.9"}, helm)


def test_a_chart_that_does_not_exist_is_refused(chart_repository: dict[str, Any], helm: Helm) -> None:
    with pytest.raises(InvalidReleases, match="it has no chart 'gadgets' at all"):
        pulled({**chart_repository, "name": "gadgets"}, helm)


def test_a_chart_that_nobody_looked_at_is_not_taken(
    chart_repository: dict[str, Any], helm: Helm, tmp_path: Path
) -> None:
    del chart_repository["digest"]
    with pytest.raises(DigestMissing, match=r"releases.widgets: the chart widgets 1.0.0 has no digest.*`make charts`"):
        pulled(chart_repository, helm)
    assert not (tmp_path / "cache").exists()


def test_a_repository_that_is_away_is_no_wrong_input(chart_repository: dict[str, Any], helm: Helm) -> None:
    away = {**chart_repository, "repository": f"http://127.0.0.1:{free_port()}"}
    with pytest.raises(ChartAway, match=r"the chart widgets 1.0.0 of 'widgets' is not in .*cache, and http"):
        pulled(away, helm)


def test_a_chart_that_is_away_holds_up_no_other(
    described: DescribedReleases, dev: Environment, helm: Helm, chart_repository: dict[str, Any]
) -> None:
    described.add("here", "widgets")
    described.add("away", "widgets", chart={**chart_repository, "repository": f"http://127.0.0.1:{free_port()}"})
    prepared: list[Prepared] = prepare(dev, {}, described.sources, "addons")
    contents = render_contents(prepared, helm, VERSION, described.directory)
    assert {name: type(content) for name, content in contents.items()} == {"here": Content, "away": ChartAway}


def test_values_without_a_layer_are_the_charts_own() -> None:
    values = LayeredValues((Layer("first", {}),))
    assert (values.merged, values.origin_of(["replicas"])) == ({}, None)


def test_a_difference_shows_what_comes_and_goes_and_no_secret() -> None:
    def secret(value: str) -> dict[str, Any]:
        return {"kind": "Secret", "metadata": {"name": "key"}, "data": {"kept": "a2VwdA==", "password": value}}

    gone = {"kind": "ConfigMap", "metadata": {"name": "gone", "namespace": "x"}, "data": {"a": "b"}}
    shown = manifest_difference([gone, secret("b25l")], [secret("dHdv")])
    assert "--- now: ConfigMap/x/gone\n+++ removed" in shown
    assert "-  password: (hidden)\n+  password: (hidden, changed)" in shown
    assert not any(value in shown for value in ("b25l", "dHdv", "a2VwdA=="))
    assert manifest_difference([gone], [gone]) == ""
