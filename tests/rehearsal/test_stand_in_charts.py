"""The charts that a rehearsal takes: what the cache has, and stand-ins that install and say so for the rest."""

import io
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.stand_in_charts import RehearsedCharts, rehearsed_charts
from tasks.helm.charts import CACHE_VARIABLE, cached_archive, chart_path, file_digest
from tasks.helm.command import open_helm
from tasks.helm.preparation import Sources
from tasks.helm.releases_file import DIRECTORY_VARIABLE, RELEASES_FILE, HttpsChart, OwnChart, load_releases
from tasks.helm.rendering import ChartInstance, crd_files, render
from tasks.helm.values import Layer, LayeredValues

VERSION = "v1.35.4"
AWAY = {"source": "https", "repository": "https://charts.example.com", "version": "1.2.3"}


def release(chart: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"chart": chart, "namespace": "platform", "probe": {"kind": "applied"}, "deadline_seconds": 60, **more}


def packed(directory: Path, name: str) -> Path:
    archive = directory / "real.tgz"
    text = yaml.safe_dump({"apiVersion": "v2", "name": name, "version": "1.2.3"}).encode()
    with tarfile.open(archive, "w:gz") as tar:
        entry = tarfile.TarInfo(f"{name}/Chart.yaml")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    return archive


@pytest.fixture
def charts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RehearsedCharts:
    """Three releases: one whose chart is cached, one whose chart is not, and one of our own."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    real = packed(tmp_path, "cached")
    digest = file_digest(real)
    chart = HttpsChart.model_validate({**AWAY, "name": "cached", "digest": digest})
    shutil.copyfile(real, cached_archive(chart, digest))
    described = {
        "cached": release({**AWAY, "name": "cached", "digest": digest}),
        "secrets": release({**AWAY, "name": "external-secrets"}, crds={"values": {"installCRDs": True}}),
        "own": release({"source": "own", "path": "infra/charts/own"}, needs=["secrets"]),
    }
    (tmp_path / "values").mkdir()
    (tmp_path / "values" / "releases.yaml").write_text(yaml.safe_dump({"releases": described}))
    (tmp_path / "rehearsal").mkdir()
    charts = rehearsed_charts(tmp_path / "rehearsal", tmp_path / "values" / "releases.yaml")
    for name, value in charts.environment.items():
        monkeypatch.setenv(name, value)
    return charts


def test_what_is_cached_is_real_and_what_is_not_is_named(charts: RehearsedCharts) -> None:
    assert charts.real == ("cached",)
    assert charts.stand_ins == ("secrets",)


def test_the_rollout_finds_all_without_a_network(charts: RehearsedCharts) -> None:
    file = Sources().releases_file
    assert str(file.parent) == charts.environment[DIRECTORY_VARIABLE]
    releases = load_releases(file)
    with open_helm(None) as helm:
        found = {
            name: chart_path(name, each.chart, helm)
            for name, each in releases.items()
            if not isinstance(each.chart, OwnChart)
        }
    assert {path.parent for path in found.values()} == {Path(charts.environment[CACHE_VARIABLE])}
    assert releases["own"].needs == ("secrets",)


def test_a_stand_in_is_one_pod_and_the_kinds_that_others_use(charts: RehearsedCharts) -> None:
    stand_in = load_releases(Sources().releases_file)["secrets"]
    assert stand_in.crds is None
    assert stand_in.probe.kind == "workloads"
    assert isinstance(stand_in.chart, HttpsChart)
    assert (stand_in.chart.name, stand_in.chart.version) == ("external-secrets", "1.2.3")
    with open_helm(None) as helm:
        chart = chart_path("secrets", stand_in.chart, helm)
        values = LayeredValues((Layer("any", {"installCRDs": True}),))
        instance = ChartInstance("secrets", "platform", chart, values)
        (workload,) = render(instance, helm, VERSION)
        defined = {manifest["metadata"]["name"] for manifest in crd_files(instance, helm)}
    assert (workload["kind"], workload["metadata"]["name"]) == ("Deployment", "secrets-stand-in")
    assert "clustersecretstores.external-secrets.io" in defined


def test_every_shipped_release_can_be_rehearsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "empty"))
    charts = rehearsed_charts(tmp_path)
    shipped = load_releases(RELEASES_FILE)
    remote = {name for name, each in shipped.items() if not isinstance(each.chart, OwnChart)}
    assert set(charts.stand_ins) == remote
    copied = load_releases(Path(charts.environment[DIRECTORY_VARIABLE]) / RELEASES_FILE.name)
    assert {name: each.needs for name, each in copied.items()} == {name: each.needs for name, each in shipped.items()}
