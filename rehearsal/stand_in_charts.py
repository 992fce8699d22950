"""The charts of a rehearsal: the real ones that the cache has, and stand-ins without content for the others.

A rehearsal fetches no chart. A stand-in carries the chart's name and version and one pod, so that what needs the
release goes on and its probe says what is true: not proved.
"""

import io
import json
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tasks.helm.charts import CACHE_VARIABLE, cached_archive, file_digest
from tasks.helm.releases_file import DIRECTORY_VARIABLE, RELEASES_FILE, OwnChart, RemoteChart, load_releases

DEFINITIONS = Path(__file__).with_suffix(".yaml")
PROBE = {"kind": "workloads"}
_LABELS = {"app.kubernetes.io/name": "{{ .Release.Name }}-stand-in"}


@dataclass(frozen=True)
class RehearsedCharts:
    """`environment` leads the flows to them; `real` and `stand_ins` are the names of releases with charts of others."""

    environment: Mapping[str, str]
    real: tuple[str, ...]
    stand_ins: tuple[str, ...]


def rehearsed_charts(directory: Path, releases_file: Path = RELEASES_FILE) -> RehearsedCharts:
    """Fill a chart cache below `directory`, beside a copy of helm-values that has the stand-ins' digests.

    Raises:
        InvalidReleases: the file is wrong.
    """
    releases = load_releases(releases_file)
    values = Path(shutil.copytree(releases_file.parent, directory / "helm-values"))
    described = yaml.safe_load(releases_file.read_text(encoding="utf-8"))["releases"]
    cache = directory / "charts"
    cache.mkdir()
    real: list[str] = []
    stand_ins: list[str] = []
    for name, release in releases.items():
        charts = [release.chart, *([release.crds.chart] if release.crds and release.crds.chart else [])]
        remote = [chart for chart in charts if not isinstance(chart, OwnChart)]
        found = [_cached(chart) for chart in remote]
        if not remote:
            continue
        if all(found):
            real.append(name)
            for archive in filter(None, found):
                shutil.copyfile(archive, cache / archive.name)
        else:
            stand_ins.append(name)
            described[name] |= {"chart": _stand_in(remote[0], cache), "probe": PROBE}
            described[name].pop("crds", None)
    (values / releases_file.name).write_text(yaml.safe_dump({"releases": described}), encoding="utf-8")
    environment = {CACHE_VARIABLE: str(cache), DIRECTORY_VARIABLE: str(values)}
    return RehearsedCharts(environment, tuple(real), tuple(stand_ins))


def _cached(chart: RemoteChart) -> Path | None:
    if chart.digest is None:
        return None
    archive = cached_archive(chart, chart.digest)
    return archive if archive.is_file() and file_digest(archive) == chart.digest else None


def _stand_in(chart: RemoteChart, cache: Path) -> dict[str, Any]:
    """Pack the stand-in into `cache`; returns what releases.yaml says of the chart, with the stand-in's digest."""
    archive = cache / "stand-in.tgz"
    with tarfile.open(archive, "w:gz") as packed:
        for path, text in _files(chart).items():
            entry = tarfile.TarInfo(f"{chart.name}/{path}")
            entry.size = len(text.encode())
            packed.addfile(entry, io.BytesIO(text.encode()))
    digest = file_digest(archive)
    archive.rename(cache / f"{chart.name}-{chart.version}-{digest.removeprefix('sha256:')[:12]}.tgz")
    return {**chart.model_dump(mode="json"), "digest": digest}


def _files(chart: RemoteChart) -> dict[str, str]:
    described = {
        "apiVersion": "v2",
        "name": chart.name,
        "version": chart.version,
        "description": "Stands in for the chart of this name in a rehearsal; has nothing of it.",
    }
    definitions: Mapping[str, Any] = yaml.safe_load(DEFINITIONS.read_text(encoding="utf-8"))
    files = {"Chart.yaml": yaml.safe_dump(described), "templates/pod.yaml": json.dumps(_workload())}
    for version, kinds in definitions.get(chart.name, {}).items():
        for kind in kinds:
            files[f"crds/{kind['plural']}.yaml"] = yaml.safe_dump(_definition(version, kind))
    return files


def _workload() -> dict[str, Any]:
    """One pod on the system nodes, within the strictest of the pod security standards."""
    container = {
        "name": "stand-in",
        "image": "stand-in",
        "resources": {name: {"cpu": "10m", "memory": "16Mi"} for name in ("requests", "limits")},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    pod = {
        "containers": [container],
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}],
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "{{ .Release.Name }}-stand-in", "labels": _LABELS},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": _LABELS},
            "template": {"metadata": {"labels": _LABELS}, "spec": pod},
        },
    }


def _definition(version: str, kind: Mapping[str, Any]) -> dict[str, Any]:
    group, _, served = version.partition("/")
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind['plural']}.{group}"},
        "spec": {
            "group": group,
            "names": {
                "kind": kind["kind"],
                "listKind": f"{kind['kind']}List",
                "plural": kind["plural"],
                "singular": kind["kind"].lower(),
            },
            "scope": "Namespaced" if kind["namespaced"] else "Cluster",
            "versions": [
                {
                    "name": served,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": anything},
                    "subresources": {"status": {}},
                }
            ],
        },
    }
