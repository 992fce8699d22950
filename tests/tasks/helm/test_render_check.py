"""All releases of an environment, rendered with the charts of a directory and checked; helm is the real one."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from console.render import render
from tasks.environment import Environment
from tasks.helm.chart_directory import ChartDirectory
from tasks.helm.command import Helm, open_helm
from tasks.helm.render_check import RenderedRelease, check_rendering
from tests.tasks.helm.described_releases import CHARTS, DescribedReleases

rendering = typer.Typer()
rendering.command()(render)


@pytest.fixture
def helm() -> Iterator[Helm]:
    with open_helm(None) as helm:
        yield helm


@pytest.fixture
def charts(tmp_path: Path) -> Path:
    directory = tmp_path / "charts"
    directory.mkdir()
    return directory


def checked(described: DescribedReleases, dev: Environment, charts: Path, helm: Helm) -> dict[str, RenderedRelease]:
    directory = ChartDirectory(charts, helm, described.directory)
    return {release.name: release for release in check_rendering(dev, {}, described.sources, directory)}


def of_schemas(release: RenderedRelease) -> list[str]:
    """The findings without those about the chart's Deployment, which states less than one that is shipped."""
    return [finding for finding in release.findings if not finding.startswith("Deployment ")]


def remote(version: str = "1.0.0") -> dict[str, Any]:
    return {"source": "https", "repository": "https://charts.example.com", "name": "widgets", "version": version}


@pytest.mark.parametrize("packed", [True, False])
def test_a_chart_is_found_packed_or_unpacked(
    described: DescribedReleases, dev: Environment, charts: Path, helm: Helm, packed: bool
) -> None:
    described.add("widgets", "widgets", chart=remote())
    if packed:
        helm.run("pack", ["package", str(CHARTS / "widgets"), "--destination", str(charts)], 30)
    else:
        shutil.copytree(CHARTS / "widgets", charts / "widgets")
    release = checked(described, dev, charts, helm)["widgets"]
    assert (release.chart, of_schemas(release)) == ("widgets 1.0.0", [])
    assert "Deployment widgets: states no architecture" in release.findings[0]
    assert release.objects > 0
    assert release.definitions > 0


def test_findings_name_release_object_and_field(
    described: DescribedReleases, dev: Environment, charts: Path, helm: Helm
) -> None:
    described.add("right", "widgets")
    described.add("wrong", "widgets")
    shutil.copytree(described.directory / "charts" / "widgets", described.directory / "charts" / "broken")
    template = described.directory / "charts" / "broken" / "templates" / "broken.yaml"
    template.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: broken}\ndat: {a: b}\n", encoding="utf-8")
    described.change("wrong", chart={"source": "own", "path": "charts/broken"})
    found = checked(described, dev, charts, helm)
    assert of_schemas(found["right"]) == []
    (finding,) = of_schemas(found["wrong"])
    assert finding.startswith("ConfigMap broken: the object: Additional properties are not allowed ('dat'")


def test_a_chart_that_is_not_there_or_of_another_version_is_a_finding(
    described: DescribedReleases, dev: Environment, charts: Path, helm: Helm
) -> None:
    described.add("absent", "widgets", chart={**remote(), "name": "gadgets"})
    described.add("other", "widgets", chart=remote("2.0.0"))
    shutil.copytree(CHARTS / "widgets", charts / "widgets")
    found = checked(described, dev, charts, helm)
    assert f"{charts} has no chart gadgets 1.0.0: run `helm pull` there" in found["absent"].findings[0]
    assert "widgets is widgets 1.0.0, but releases.yaml has widgets 2.0.0" in found["other"].findings[0]


def test_the_command_ends_with_1_where_charts_are_missing(charts: Path) -> None:
    result = CliRunner().invoke(rendering, ["--environment", "dev", "--charts", str(charts)])
    assert result.exit_code == 1
    assert "karpenter: " in result.output
    assert "has no chart karpenter 1.14.1" in result.output


def test_the_laptop_has_no_releases(charts: Path) -> None:
    result = CliRunner().invoke(rendering, ["--environment", "local", "--charts", str(charts)])
    assert (result.exit_code, result.output) == (0, "local has no cluster, and so no releases\n")
