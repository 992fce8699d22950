"""Where the releases in an environment's cluster differ from the files, and from what was deployed; changes nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.agent_service.cluster_release import was_released
from tasks.drift.report import DriftReport
from tasks.environment import Environment, EnvironmentName
from tasks.environment_outputs import OutputsMissing
from tasks.helm.derivations.derivation import Outputs
from tasks.helm.preparation import Prepared, Sources, described_releases, prepare
from tasks.helm.records import DEPLOYED, DIGEST_LABEL, ReleaseKey, ReleaseRecord, read_records
from tasks.helm.releases_file import STAGES, Stage
from tasks.helm.target import open_target
from tasks.helm.upgrade import Target, deployed_manifests
from tasks.kubernetes.environment_cluster import NoCluster, open_environment_cluster
from tasks.kubernetes.faults import ClusterFault, ObjectMissing
from tasks.kubernetes.field_changes import ABSENT, changed_fields
from tasks.kubernetes.identity import WrongCluster
from tasks.kubernetes.objects import PODS, Document, ServedResources, get, list_all
from tasks.release_facts import release_facts
from tasks.rollout import shipped_sources
from tasks.runs.log import run_log

# The name in which Helm applies.
HELM = "helm"
# What works in the cluster on behalf of a release, and sets fields of its objects as it should.
CONTROLLERS = frozenset(
    {"cert-manager-cainjector", "keda-operator", "kube-controller-manager", "kuberay-operator", "ray-operator"}
)
PRESENT = "present"


class Cause(StrEnum):
    """How a difference came about, which decides what to do about it."""

    CHANGED = "changed by hand in the cluster"
    GONE = "deleted by hand in the cluster"
    BY_HAND = "rolled out by hand"
    UNFINISHED = "rollout not finished"
    NOT_ROLLED_OUT = "not rolled out yet"
    IMAGE = "another image runs"
    NOT_COMPARED = "cluster not compared"


REMEDIES: Mapping[Cause, str] = {
    Cause.CHANGED: "undo it, or `helm rollback <release> --force-conflicts` and run {stages}",
    Cause.GONE: "`helm rollback <release> --force-conflicts` makes it again; then run {stages}",
    Cause.BY_HAND: "{stages} brings it back to the files; to keep it, write it into the values",
    Cause.UNFINISHED: "{stages} puts it right",
    Cause.NOT_ROLLED_OUT: "{stages} rolls it out",
    Cause.IMAGE: "delete the pod: its node pulls the image anew",
    Cause.NOT_COMPARED: "nothing is known of the releases: see why the cluster does not let drift in",
}


@dataclass(frozen=True)
class ReleaseDifference:
    """One thing (`what`) of a release or an object of it (`address`) that is not as it should be."""

    address: str
    what: str
    wanted: str
    found: str
    cause: Cause

    def __str__(self) -> str:
        return f"{self.address}: {self.what}: wanted {self.wanted!r}, found {self.found!r} ({self.cause})"


@task(task_run_name="compare-releases", cache_policy=NO_CACHE, persist_result=False)
def compare_releases(settings: Environment, outputs: Outputs) -> DriftReport:
    """All that differs in the environment's cluster; one that cannot be reached is a difference, too.

    `outputs` are those of the environment's Terraform root.

    Raises:
        InvalidReleases: what would be rolled out is not known, because a file is wrong.
    """
    try:
        with open_environment_cluster(settings, outputs) as destination, open_target(settings, destination) as target:
            run_before: frozenset[Stage] = frozenset({"agents"}) if was_released(settings) else frozenset()
            facts = release_facts(settings, outputs)
            compared = compare_cluster(target, settings, facts, shipped_sources(), run_before)
    except (NoCluster, WrongCluster, ClusterFault) as error:
        return _not_compared(settings.name, "the Kubernetes API", "answers", error)
    except OutputsMissing as error:
        return _not_compared(settings.name, "Terraform's outputs", "all there", error)
    return compared


def _not_compared(environment: EnvironmentName, what: str, wanted: str, error: Exception) -> DriftReport:
    address = f"the cluster of {environment.value!r}"
    return _report(environment, 0, [ReleaseDifference(address, what, wanted, str(error), Cause.NOT_COMPARED)])


def compare_cluster(
    target: Target,
    settings: Environment,
    outputs: Outputs,
    sources: Sources,
    run_before: frozenset[Stage] = frozenset(),
) -> DriftReport:
    """As `compare_releases`, for a cluster that was opened; the stages `run_before` are known to have installed theirs.

    Raises:
        InvalidReleases: as above.
        ClusterFault: the API refuses or does not answer.
    """
    records = read_records(target.connection)
    own = [record for record in records.values() if record.environment == target.environment]
    found = list(_against_files(settings, outputs, sources, records, run_before))
    for record in own:
        if record.status == DEPLOYED:
            found += _against_deployed(target, record)
    namespaces = {record.namespace for record in own}
    found += _images(pod for pod in list_all(target.connection, PODS) if pod["metadata"]["namespace"] in namespaces)
    return _report(settings.name, len(own), found)


def _against_files(
    settings: Environment,
    outputs: Outputs,
    sources: Sources,
    records: Mapping[ReleaseKey, ReleaseRecord],
    run_before: frozenset[Stage],
) -> Iterator[ReleaseDifference]:
    """A stage of which nothing is installed was not run yet, unless it is known to: that is no difference."""
    ours = settings.name.value
    described = described_releases(settings, sources)
    wanted = {(release.namespace, name): release.stage for name, release in described.items()}
    own = {key for key, record in records.items() if record.environment == ours}
    for stage in STAGES:
        if stage in run_before or own & {key for key in wanted if wanted[key] == stage}:
            for item in prepare(settings, outputs, sources, stage):
                yield from _against_file(item, records.get(item.key), ours)
        elif stage in wanted.values():
            run_log().info("%s/%s was not run yet: none of its releases is there", stage, ours)
    for key, record in records.items():
        if record.environment == ours and key not in wanted:
            yield ReleaseDifference(_release(record), "the release", ABSENT, PRESENT, Cause.NOT_ROLLED_OUT)


def _against_file(item: Prepared, record: ReleaseRecord | None, environment: str) -> Iterator[ReleaseDifference]:
    address = f"release {item.release.namespace}/{item.name}"
    if record is None:
        yield ReleaseDifference(address, "the release", PRESENT, ABSENT, Cause.NOT_ROLLED_OUT)
    elif record.environment != environment:
        yield ReleaseDifference(address, "who installed it", environment, "somebody else", Cause.BY_HAND)
    elif record.status != DEPLOYED:
        found = f"{record.status} since {record.recorded:%Y-%m-%d %H:%M} UTC"
        yield ReleaseDifference(address, f"revision {record.revision}", DEPLOYED, found, Cause.UNFINISHED)
    elif not record.written_by_us:
        found = f"revision {record.revision} of {record.recorded:%Y-%m-%d %H:%M} UTC"
        yield ReleaseDifference(address, "the newest revision", "one of the project's", found, Cause.BY_HAND)
    elif record.labels.get(DIGEST_LABEL) != item.digest:
        deployed = str(record.labels.get(DIGEST_LABEL))[:12]
        what = "chart, values or CRDs, by their digest"
        yield ReleaseDifference(address, what, item.digest[:12], deployed, Cause.NOT_ROLLED_OUT)


def _against_deployed(target: Target, record: ReleaseRecord) -> Iterator[ReleaseDifference]:
    """The live objects of a release against its manifest."""
    served = ServedResources(target.connection)
    for manifest in deployed_manifests(target.helm, record.name, record.namespace):
        metadata = manifest["metadata"]
        namespace = metadata.get("namespace", record.namespace)
        resource = served.find(manifest["apiVersion"], manifest["kind"])
        address = f"{_release(record)}: {manifest['kind']} {metadata['name']}"
        gone = ReleaseDifference(address, "the object", PRESENT, ABSENT, Cause.GONE)
        if resource is None:
            yield gone
            continue
        path = resource.path_of(metadata["name"], namespace)
        try:
            live = get(target.connection, path)
        except ObjectMissing:
            yield gone
            continue
        applied = _as_helm_applies(manifest, record, namespace if resource.namespaced else None)
        for change in changed_fields(target.connection, path, live, applied, HELM):
            if change.manager not in CONTROLLERS:
                found = f"{change.found}, set by {change.manager!r}"
                yield ReleaseDifference(address, change.path, change.wanted, found, Cause.CHANGED)


def _as_helm_applies(manifest: Document, record: ReleaseRecord, namespace: str | None) -> Document:
    """Helm puts its marks on every object; without them a dry run would take them off."""
    metadata: Mapping[str, Any] = manifest["metadata"]
    labels = {**(metadata.get("labels") or {}), "app.kubernetes.io/managed-by": "Helm"}
    marks = {"meta.helm.sh/release-name": record.name, "meta.helm.sh/release-namespace": record.namespace}
    annotations = {**(metadata.get("annotations") or {}), **marks}
    place = {"namespace": namespace} if namespace else {}
    return {**manifest, "metadata": {**metadata, **place, "labels": labels, "annotations": annotations}}


def _images(pods: Iterable[Document]) -> Iterator[ReleaseDifference]:
    """What containers run against the digest that they were given; an image without one cannot be told apart."""
    for pod in pods:
        running = {each["name"]: each.get("imageID", "") for each in pod["status"].get("containerStatuses") or ()}
        for container in pod["spec"]["containers"]:
            _, _, wanted = container["image"].partition("@")
            _, _, found = running.get(container["name"], "").rpartition("@")
            if wanted and found.startswith("sha256:") and found != wanted:
                address = f"Pod {pod['metadata']['namespace']}/{pod['metadata']['name']}"
                yield ReleaseDifference(address, f"the image of {container['name']}", wanted, found, Cause.IMAGE)


def _report(environment: EnvironmentName, releases: int, found: Sequence[ReleaseDifference]) -> DriftReport:
    rows = sorted(found, key=lambda row: (list(Cause).index(row.cause), row.address, row.what))
    causes = [cause for cause in Cause if any(row.cause is cause for row in rows)]
    stages = " or ".join(f"{stage}/{environment.value}" for stage in STAGES)
    return DriftReport(
        scope=f"{releases} releases",
        rows=tuple(asdict(row) for row in rows),
        differing=tuple(map(str, rows)),
        remedies=tuple(f"{cause[0].upper()}{cause[1:]}: {REMEDIES[cause].format(stages=stages)}" for cause in causes),
    )


def _release(record: ReleaseRecord) -> str:
    return f"release {record.namespace}/{record.name}"
