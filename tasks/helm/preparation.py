"""What a rollout would do, found out before anything is changed: bad input stops it here."""

import hashlib
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tasks.environment import REPOSITORY, Environment
from tasks.helm.charts import ChartAway, chart_digest, chart_path
from tasks.helm.command import Helm
from tasks.helm.derived_values import DERIVATIONS, Derivation, Outputs, derived_values
from tasks.helm.order import enabled_releases, rollout_order
from tasks.helm.records import ReleaseKey, ReleaseRecord
from tasks.helm.releases_file import Chart, Release, Stage, load_releases, releases_file
from tasks.helm.rendering import CRD_KIND, ChartInstance, Manifest, crd_files, refuse_templated_crds, render
from tasks.helm.values import Layer, LayeredValues, layered_values, require_known_files

# A label has room for 63 characters; 160 bits tell contents apart.
DIGEST_LENGTH = 40
AT_ONCE = 8


@dataclass(frozen=True)
class Content:
    """What a release consists of once it was rendered."""

    instance: ChartInstance
    definitions: tuple[Manifest, ...]
    manifests: tuple[Manifest, ...]


@dataclass(frozen=True)
class Prepared:
    """A release with its values, and the digest of all that goes into it. `order` is its place in the rollout."""

    name: str
    release: Release
    values: LayeredValues
    digest: str
    order: int

    @property
    def key(self) -> ReleaseKey:
        """Where Helm records it."""
        return (self.release.namespace, self.name)


@dataclass(frozen=True)
class Sources:
    """Where releases are described: the file, the values beside it, the repository of own charts, derived values."""

    releases_file: Path = field(default_factory=releases_file)
    repository: Path = REPOSITORY
    derivations: Mapping[str, Derivation] | None = None


def described_releases(settings: Environment, sources: Sources) -> dict[str, Release]:
    """The releases that the environment has, of every stage, in rollout order.

    Raises:
        InvalidReleases: whatever is wrong with releases.yaml, or with the names of the files beside it.
    """
    everything = load_releases(sources.releases_file)
    require_known_files(everything, sources.releases_file.parent)
    rollout_order(everything)
    releases = enabled_releases(everything, settings)
    return {name: releases[name] for name in rollout_order(releases)}


def prepare(settings: Environment, outputs: Outputs, sources: Sources, stage: Stage) -> list[Prepared]:
    """The releases of `stage` in rollout order, with values and digests; needs no cluster and no network.

    Raises:
        InvalidReleases: whatever is wrong with the files.
    """
    derivations = DERIVATIONS if sources.derivations is None else sources.derivations
    prepared: list[Prepared] = []
    for order, (name, release) in enumerate(described_releases(settings, sources).items(), start=1):
        if release.stage != stage:
            continue
        derived = derived_values(name, settings, outputs, derivations)
        values = layered_values(name, settings, derived, sources.releases_file.parent)
        digest = _digest(name, release, values, sources.repository)
        prepared.append(Prepared(name, _patient(release, settings), values, digest, order))
    return prepared


def _patient(release: Release, settings: Environment) -> Release:
    factor = settings.addons.deadline_factor if settings.addons else 1
    return release.model_copy(update={"deadline_seconds": round(release.deadline_seconds * factor)})


def changed(prepared: list[Prepared], records: Mapping[ReleaseKey, ReleaseRecord]) -> list[Prepared]:
    """Those whose chart, values or CRDs differ from what is deployed."""
    return [item for item in prepared if not (item.key in records and records[item.key].holds(item.digest))]


def render_contents(
    prepared: list[Prepared], helm: Helm, kubernetes_version: str, repository: Path = REPOSITORY
) -> dict[str, Content | ChartAway]:
    """Fetch and render the charts, several at once; a chart that cannot be had stands there as its error.

    Raises:
        InvalidReleases: a chart, version or digest is wrong, or a schema refuses the values.
        ClusterFault: a chart cannot be rendered.
    """

    def locate(name: str, chart: Chart) -> Path:
        return chart_path(name, chart, helm, repository)

    def one(item: Prepared) -> Content | ChartAway:
        try:
            return render_content(item, helm, kubernetes_version, locate)
        except ChartAway as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip([item.name for item in prepared], pool.map(one, prepared), strict=True))


def render_content(
    item: Prepared, helm: Helm, kubernetes_version: str, locate: Callable[[str, Chart], Path]
) -> Content:
    """Render one release; `locate` finds the chart of a release.

    Raises:
        InvalidReleases: a chart, version or digest is wrong, or a schema refuses the values.
        ClusterFault: the chart cannot be rendered.
    """
    chart = locate(item.name, item.release.chart)
    instance = ChartInstance(item.name, item.release.namespace, chart, item.values)
    definitions = crd_files(instance, helm)
    if (crds := item.release.crds) is not None:
        source = chart if crds.chart is None else locate(item.name, crds.chart)
        layer = Layer(f"releases.{item.name}.crds.values", crds.values)
        layers = (layer,) if crds.chart else (*item.values.layers, layer)
        rendered = render(
            ChartInstance(item.name, item.release.namespace, source, LayeredValues(layers)), helm, kubernetes_version
        )
        definitions += [manifest for manifest in rendered if manifest["kind"] == CRD_KIND]
        definitions += crd_files(ChartInstance(item.name, "", source, item.values), helm) if crds.chart else []
    manifests = render(instance, helm, kubernetes_version)
    refuse_templated_crds(item.name, manifests)
    # A chart of CRDs repeats those that the chart itself has.
    by_name = {manifest["metadata"]["name"]: manifest for manifest in definitions}
    return Content(instance, tuple(by_name.values()), tuple(manifests))


def _digest(name: str, release: Release, values: LayeredValues, repository: Path) -> str:
    content: dict[str, object] = {
        "chart": chart_digest(name, release.chart, repository),
        "values": values.merged,
        "namespace": release.namespace,
    }
    if release.crds is not None:
        content["crd_chart"] = chart_digest(name, release.crds.chart, repository) if release.crds.chart else None
        content["crd_values"] = release.crds.values
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:DIGEST_LENGTH]
