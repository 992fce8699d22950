"""What a rollout would do, found out before anything is changed: bad input stops it here."""

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tasks.environment import REPOSITORY, Environment
from tasks.helm.charts import ChartAway, chart_digest, chart_path
from tasks.helm.command import Helm
from tasks.helm.derived_values import DERIVATIONS, Derivation, Outputs, derived_values
from tasks.helm.order import enabled_releases, rollout_order
from tasks.helm.records import ReleaseKey, ReleaseRecord
from tasks.helm.releases_file import RELEASES_FILE, Release, load_releases
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

    releases_file: Path = RELEASES_FILE
    repository: Path = REPOSITORY
    derivations: Mapping[str, Derivation] | None = None


def prepare(settings: Environment, outputs: Outputs, sources: Sources) -> list[Prepared]:
    """The releases of the environment in rollout order, with values and digests; needs no cluster and no network.

    Raises:
        InvalidReleases: whatever is wrong with the files.
    """
    everything = load_releases(sources.releases_file)
    values_directory = sources.releases_file.parent
    require_known_files(everything, values_directory)
    rollout_order(everything)
    releases = enabled_releases(everything, settings)
    derivations = DERIVATIONS if sources.derivations is None else sources.derivations
    prepared: list[Prepared] = []
    for order, name in enumerate(rollout_order(releases), start=1):
        derived = derived_values(name, settings, outputs, derivations)
        values = layered_values(name, settings, derived, values_directory)
        digest = _digest(name, releases[name], values, sources.repository)
        prepared.append(Prepared(name, releases[name], values, digest, order))
    return prepared


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

    def one(item: Prepared) -> Content | ChartAway:
        try:
            return _content(item, helm, kubernetes_version, repository)
        except ChartAway as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip([item.name for item in prepared], pool.map(one, prepared), strict=True))


def _content(item: Prepared, helm: Helm, kubernetes_version: str, repository: Path) -> Content:
    chart = chart_path(item.name, item.release.chart, helm, repository)
    instance = ChartInstance(item.name, item.release.namespace, chart, item.values)
    definitions = crd_files(instance, helm)
    if (crds := item.release.crds) is not None:
        source = chart if crds.chart is None else chart_path(item.name, crds.chart, helm, repository)
        layer = Layer(f"releases.{item.name}.crds.values", crds.values)
        layers = (layer,) if crds.chart else (*item.values.layers, layer)
        rendered = render(
            ChartInstance(item.name, item.release.namespace, source, LayeredValues(layers)), helm, kubernetes_version
        )
        definitions += [manifest for manifest in rendered if manifest["kind"] == CRD_KIND]
        definitions += crd_files(ChartInstance(item.name, "", source, item.values), helm) if crds.chart else []
    manifests = render(instance, helm, kubernetes_version)
    refuse_templated_crds(item.name, manifests)
    return Content(instance, tuple(definitions), tuple(manifests))


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
