"""The dashboards: every file becomes one, and every query is PromQL over what the collector keeps."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.environment import REPOSITORY
from tasks.helm.command import open_helm
from tasks.helm.rendering import read_manifests

CHART = REPOSITORY / "infra" / "charts" / "observability"
OBSERVABILITY = REPOSITORY / "infra" / "modules" / "observability"
VALUES = {
    "region": "us-east-1",
    "grafana": {"url": "https://grafana.example.com", "token": "agentic-eks-prod/grafana-token"},
    "metrics": {"endpoint": "https://metrics.example.com"},
}
ROW = 24


@pytest.fixture(scope="module")
def manifests() -> list[Any]:
    with open_helm(None) as helm:
        arguments = ["template", "observability", str(CHART), "--namespace", "observability", "--values", "-"]
        return list(read_manifests(helm.run("render", arguments, 60, stdin=json.dumps(VALUES))))


@pytest.fixture(scope="module")
def dashboards(manifests: list[Any]) -> dict[str, Any]:
    return {
        manifest["metadata"]["name"]: json.loads(manifest["spec"]["json"])
        for manifest in manifests
        if manifest["kind"] == "GrafanaDashboard"
    }


def queries(dashboards: dict[str, Any]) -> Iterator[str]:
    for dashboard in dashboards.values():
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                yield target["expr"]


def test_every_file_becomes_a_dashboard_of_data(dashboards: dict[str, Any]) -> None:
    assert set(dashboards) == {path.stem for path in (CHART / "dashboards").glob("*.yaml")}
    wanted = {"cluster", "karpenter", "accelerators", "vllm", "ray", "litellm", "agents", "prefect"}
    assert wanted <= set(dashboards)
    for dashboard in dashboards.values():
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
        assert len(places) == len(set(places))
        assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= ROW for panel in dashboard["panels"])
        assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_dashboards_ask_a_data_source_that_is_there(manifests: list[Any], dashboards: dict[str, Any]) -> None:
    sources = {each["spec"]["uid"]: each["spec"]["datasource"] for each in manifests if "datasource" in each["spec"]}
    assert {source["type"] for source in sources.values()} == {"prometheus", "cloudwatch"}
    asked = {panel["datasource"]["uid"] for dashboard in dashboards.values() for panel in dashboard["panels"]}
    assert asked <= set(sources)


def test_the_token_is_read_from_secrets_manager_and_stands_nowhere(manifests: list[Any]) -> None:
    (secret,) = [each for each in manifests if each["kind"] == "ExternalSecret"]
    (grafana,) = [each for each in manifests if each["kind"] == "Grafana"]
    assert grafana["spec"]["external"]["apiKey"]["name"] == secret["spec"]["target"]["name"]
    assert secret["spec"]["data"][0]["remoteRef"]["key"] == VALUES["grafana"]["token"]  # type: ignore[index]
    assert [each["kind"] for each in manifests if each["kind"] == "Secret"] == []


@pytest.mark.promtool
def test_every_query_is_promql(dashboards: dict[str, Any], tmp_path: Path) -> None:
    rules = [{"record": f"dashboard:query:{index}", "expr": expr} for index, expr in enumerate(queries(dashboards))]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    done = subprocess.run(
        ["promtool", "check", "rules", "--lint=none", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_collector_keeps_what_dashboards_and_rules_read_of_containers(dashboards: dict[str, Any]) -> None:
    scrape = (OBSERVABILITY / "scrape.yaml").read_text(encoding="utf-8")
    (kept,) = re.findall(r"regex: (container_\(.*\))", scrape)
    rules = [path.read_text(encoding="utf-8") for path in (OBSERVABILITY / "rules").glob("*.yaml")]
    read = {name for text in (*queries(dashboards), *rules) for name in re.findall(r"\bcontainer_[a-z_]+", text)}
    assert read
    assert [name for name in sorted(read) if not re.fullmatch(kept, name)] == []


def test_recorded_ratios_are_recorded(dashboards: dict[str, Any]) -> None:
    rules = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in (OBSERVABILITY / "rules").glob("*.yaml")]
    recorded = {rule.get("record") for file in rules for group in file["groups"] for rule in group["rules"]}
    read = {expr for expr in queries(dashboards) if re.fullmatch(r"[a-z_]+:[a-z_]+:[a-z0-9_]+", expr)}
    assert read
    assert read <= recorded
