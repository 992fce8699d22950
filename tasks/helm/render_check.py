"""All releases of an environment rendered with given charts, and what is wrong with them; needs no cluster."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tasks.environment import Environment
from tasks.helm.chart_directory import ChartDirectory, ChartNotThere
from tasks.helm.derived_values import Outputs
from tasks.helm.image_findings import image_findings, images_of
from tasks.helm.preparation import Content, Prepared, Sources, prepare, render_content
from tasks.helm.releases_file import STAGES, Chart, InvalidReleases, OwnChart
from tasks.helm.rendering import Manifest
from tasks.helm.schema_findings import Definitions, resource_definitions, schema_findings
from tasks.helm.workload_findings import workload_findings
from tasks.kubernetes.faults import ClusterFault

AT_ONCE = 4


@dataclass(frozen=True)
class RenderedRelease:
    """What a release becomes: how many objects and CRDs, which images, and what is wrong with them."""

    name: str
    chart: str
    objects: int
    definitions: int
    images: tuple[str, ...]
    findings: tuple[str, ...]


def check_rendering(
    settings: Environment, outputs: Outputs, sources: Sources, charts: ChartDirectory
) -> list[RenderedRelease]:
    """Render every release and validate every object strictly.

    Raises:
        InvalidReleases: a file of helm-values is wrong as such; what is wrong with one release is among its findings.
    """
    if settings.cluster is None:
        return []
    version = settings.cluster.kubernetes_version
    prepared = [item for stage in STAGES for item in prepare(settings, outputs, sources, stage)]

    def one(item: Prepared) -> Content | str:
        try:
            return render_content(item, charts.helm, version, lambda _name, chart: charts.find(chart))
        except (ChartNotThere, InvalidReleases, ClusterFault) as error:
            return str(error)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        rendered = list(zip(prepared, pool.map(one, prepared), strict=True))
    definitions = resource_definitions(
        crd for _, content in rendered if isinstance(content, Content) for crd in content.definitions
    )
    caches: Mapping[str, str] = outputs["data"]["pull_through"] if "data" in outputs else {}
    return [_checked(item, content, definitions, version, caches) for item, content in rendered]


def _checked(
    item: Prepared, content: Content | str, definitions: Definitions, version: str, caches: Mapping[str, str]
) -> RenderedRelease:
    if isinstance(content, str):
        return RenderedRelease(item.name, _described(item.release.chart), 0, 0, (), (content,))
    findings = [
        f"{_name(manifest)}: {finding}"
        for manifest in (*content.definitions, *content.manifests)
        for finding in schema_findings(manifest, definitions, version)
    ]
    findings += [f"{_name(manifest)}: {finding}" for manifest, finding in workload_findings(content.manifests)]
    images = set[str]().union(*(images_of(manifest) for manifest in content.manifests))
    findings += image_findings(images, caches)
    return RenderedRelease(
        item.name,
        _described(item.release.chart),
        len(content.manifests),
        len(content.definitions),
        tuple(sorted(images)),
        tuple(findings),
    )


def _described(chart: Chart) -> str:
    return chart.path if isinstance(chart, OwnChart) else f"{chart.name} {chart.version}"


def _name(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata'].get('name')}"
