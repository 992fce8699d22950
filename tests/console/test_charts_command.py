"""`python -m console charts`, with a repository and a registry that are served here, and the real helm."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from console.charts import charts
from tasks.helm.charts import CACHE_VARIABLE
from tasks.helm.command import Helm, open_helm
from tasks.helm.releases_file import DIRECTORY_VARIABLE
from tests.ports import free_port
from tests.tasks.helm.chart_repositories import chart_registry_of, chart_repository_of
from tests.tasks.helm.described_releases import DescribedReleases

application = typer.Typer()
application.command()(charts)


@pytest.fixture
def helm() -> Iterator[Helm]:
    with open_helm(None) as helm:
        yield helm


@pytest.fixture
def described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DescribedReleases:
    """The releases that the command reads, and a cache of its own that is empty."""
    described = DescribedReleases(tmp_path / "repository")
    described.write()
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(described.file.parent))
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return described


@pytest.fixture
def repository(tmp_path: Path, helm: Helm) -> Iterator[dict[str, Any]]:
    """A chart of a repository with an index, as releases.yaml has it."""
    with chart_repository_of("widgets", tmp_path / "served", helm) as chart:
        yield chart


@pytest.fixture
def registry(tmp_path: Path, helm: Helm, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A chart of a container registry, as releases.yaml has it."""
    with chart_registry_of("dependant", tmp_path / "registry", helm) as (chart, trust):
        for name, value in trust.items():
            monkeypatch.setenv(name, value)
        yield chart


def fetch(environment: str = "dev") -> Result:
    return CliRunner().invoke(application, ["--environment", environment])


def without_digest(chart: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in chart.items() if key != "digest"}


def test_charts_of_repositories_and_registries_are_fetched_once(
    described: DescribedReleases, repository: dict[str, Any], registry: dict[str, Any], tmp_path: Path
) -> None:
    described.add("widgets", "widgets", chart=repository, crds={"chart": registry})
    described.add("own", "widgets")
    done = fetch()
    assert done.exit_code == 0, done.output
    cache = tmp_path / "cache"
    assert f"2 of 2 charts are in {cache}" in done.output
    (tmp_path / "served" / "index.yaml").unlink()
    assert fetch().exit_code == 0
    assert sorted(path.name.rpartition("-")[0] for path in cache.iterdir()) == ["dependant-1.0.0", "widgets-1.0.0"]


def test_digests_that_the_file_lacks_are_printed(
    described: DescribedReleases, repository: dict[str, Any], registry: dict[str, Any]
) -> None:
    described.add("widgets", "widgets", chart=without_digest(repository))
    described.add("user", "widgets", crds={"chart": without_digest(registry)}, chart=repository)
    done = fetch()
    assert done.exit_code == 0, done.output
    assert f"{described.file} lacks the digest of 2" in done.output
    assert f"releases.widgets.chart (widgets 1.0.0):\n    digest: {repository['digest']}\n" in done.output
    assert f"releases.user.crds.chart (dependant 1.0.0):\n    digest: {registry['digest']}\n" in done.output


@pytest.mark.parametrize("source", ["repository", "registry"])
def test_a_digest_that_differs_is_wrong_input(
    described: DescribedReleases, source: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    chart = request.getfixturevalue(source)
    described.add("widgets", "widgets", chart={**chart, "digest": f"sha256:{'0' * 64}"})
    done = fetch()
    assert done.exit_code == 2
    assert f"has '{chart['digest']}': someone replaced the chart" in done.output
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("source", ["repository", "registry"])
def test_a_version_that_does_not_exist_is_wrong_input(
    described: DescribedReleases, source: str, request: pytest.FixtureRequest
) -> None:
    chart = request.getfixturevalue(source)
    described.add("widgets", "widgets", chart={**chart, "version": "9.9.9"})
    done = fetch()
    assert done.exit_code == 2
    assert f"releases.widgets.chart.version = '9.9.9': {chart['repository']} has no such version" in done.output
    assert "its newest is '1.0.0'" in done.output


@pytest.mark.parametrize("address", ["http", "oci"])
def test_a_repository_that_is_away_is_named_and_holds_up_no_other(
    described: DescribedReleases, repository: dict[str, Any], address: str
) -> None:
    away = f"{address}://127.0.0.1:{free_port()}"
    source = "oci" if address == "oci" else "https"
    described.add("away", "widgets", chart={**repository, "source": source, "repository": away})
    described.add("widgets", "widgets", chart=repository)
    done = fetch()
    assert done.exit_code == 1
    assert "1 of 2 charts are in" in done.output
    assert "the chart widgets 1.0.0 of 'away' is not in" in done.output
    assert f"{away} does not answer" in done.output


def test_the_releases_that_are_off_need_no_chart(described: DescribedReleases, repository: dict[str, Any]) -> None:
    described.add("widgets", "widgets", chart=repository, enabled_by="edge.domain")
    assert "0 of 0 charts" in fetch("dev").output
    assert "1 of 1 charts" in fetch("prod").output


def test_a_wrong_releases_file_exits_with_2(described: DescribedReleases) -> None:
    described.add("widgets", "widgets", needs=["gadgets"])
    done = fetch()
    assert done.exit_code == 2
    assert "unknown release 'gadgets'" in done.output
