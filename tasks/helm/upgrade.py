"""One release: put right what a killed run left, apply its CRDs, install or upgrade it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from kubernetes import client

from tasks.helm.command import DeadlinePassed, Helm, HelmFailed
from tasks.helm.preparation import Content, Prepared
from tasks.helm.records import (
    DIGEST_LABEL,
    ENVIRONMENT_LABEL,
    IN_BETWEEN,
    ORDER_LABEL,
    REVISION_LABEL,
    STAGE_LABEL,
    ReleaseRecord,
    read_records,
)
from tasks.helm.rendering import Manifest, read_manifests, values_refusal
from tasks.kubernetes.connection import Connection
from tasks.kubernetes.custom_resource_definitions import apply_definitions
from tasks.kubernetes.faults import ClusterFault, ObjectMissing
from tasks.kubernetes.unschedulable import scheduling_failures
from tasks.kubernetes.workloads import KINDS

REVISIONS_KEPT = 10
# On top of the deadline: rolling back waits once more.
GRACE_SECONDS = 30
UNINSTALL_SECONDS = 300


class ForeignRelease(ClusterFault):
    """A release of that name was installed by somebody else: it is not touched."""


@dataclass(frozen=True)
class Target:
    """The cluster that is rolled out to, and on whose behalf. `say` writes a line into the run's log."""

    connection: Connection
    helm: Helm
    environment: str
    say: Callable[[str], None]


def require_own(environment: str, record: ReleaseRecord) -> None:
    """Refuse a release that this project did not install for this environment.

    Raises:
        ForeignRelease: says whose it seems to be.
    """
    if record.environment != environment:
        owner = f"for the environment {record.environment!r}" if record.environment else "by somebody else"
        raise ForeignRelease(
            f"the release {record.name!r} in the namespace {record.namespace!r} was installed {owner} (revision "
            f"{record.revision}, {record.status}, {record.recorded:%Y-%m-%d %H:%M} UTC); remove it with `helm "
            "uninstall`, or give the release another name or namespace in releases.yaml"
        )


def upgrade(target: Target, item: Prepared, content: Content) -> int:
    """Bring the release to `content` and return its new revision; on failure the last working one is restored.

    Raises:
        ForeignRelease: the release is somebody else's.
        InvalidReleases: the chart's schema refuses the values.
        ClusterFault: what the cluster refused, or the deadline passed.
    """
    record = read_records(target.connection, item.name).get(item.key)
    if record is not None:
        require_own(target.environment, record)
        record = recover(target, record, item.release.deadline_seconds)
    if content.definitions:
        rewritten = apply_definitions(target.connection, content.definitions)
        for name in rewritten:
            target.say(f"{item.name}: rewrote the objects of the CRD {name}, whose old stored version goes")
    revision = 1 if record is None else record.revision + 1
    labels = {
        ENVIRONMENT_LABEL: target.environment,
        DIGEST_LABEL: item.digest,
        ORDER_LABEL: item.order,
        STAGE_LABEL: item.release.stage,
        REVISION_LABEL: revision,
    }
    seconds = item.release.deadline_seconds
    arguments = ["upgrade", item.name, str(content.instance.chart), "--install", "--namespace", item.release.namespace]
    arguments += [*_namespace_options(target, item.release.namespace), "--values", "-", "--skip-crds"]
    arguments += ["--server-side", "true"]
    # Without it Helm would take the last revision's values where ours are empty.
    arguments += ["--reset-values"]
    arguments += ["--wait", "--wait-for-jobs", "--rollback-on-failure", "--cleanup-on-fail", "--timeout", f"{seconds}s"]
    arguments += ["--history-max", str(REVISIONS_KEPT), "--output", "json"]
    arguments += ["--labels", ",".join(f"{key}={value}" for key, value in labels.items())]
    began = datetime.now(UTC)
    try:
        output = target.helm.run(
            f"roll out {item.name!r}", arguments, 2 * seconds + GRACE_SECONDS, stdin=json.dumps(item.values.merged)
        )
    except DeadlinePassed as error:
        raise _explained(target, item, content, error, began) from error
    except HelmFailed as error:
        raise values_refusal(content.instance, error) or error from error
    return int(json.loads(output)["version"])


def _namespace_options(target: Target, namespace: str) -> list[str]:
    """Helm applies a namespace that it is to create even when it is there, and so takes away the labels of another
    release's, those of pod security among them.
    """
    read = client.CoreV1Api(target.connection.api).read_namespace
    try:
        target.connection.read(f"look for the namespace {namespace!r}", read, namespace)
    except ObjectMissing:
        return ["--create-namespace"]
    return []


def _explained(
    target: Target, item: Prepared, content: Content, error: DeadlinePassed, began: datetime
) -> DeadlinePassed:
    """The error with the reasons why pods found no node; Helm says only what was not ready, and removes the pods."""
    workloads = [each["metadata"]["name"] for each in content.manifests if each["kind"] in KINDS]
    try:
        reasons = scheduling_failures(target.connection, item.release.namespace, workloads, began)
    except ClusterFault as fault:
        # As an error of its own it would stand in for the deadline, and have the whole release tried again.
        reasons = [f"whether pods found a node cannot be asked: {fault}"]
    return DeadlinePassed("; ".join((str(error), *reasons)))


def recover(target: Target, record: ReleaseRecord, seconds: int) -> ReleaseRecord | None:
    """Bring a release that a killed run left in between back to its last working revision, or remove a first one.

    Only one rollout runs in an environment at a time, so a release of ours that is in between has nobody working on it.

    Raises:
        ForeignRelease: somebody else is upgrading it, and may still be at it.
        ClusterFault: it cannot be brought back.
    """
    if record.status not in IN_BETWEEN:
        return record
    place = ["--namespace", record.namespace, "--wait", "--timeout", f"{seconds}s"]
    limit = seconds + GRACE_SECONDS
    found = f"{record.name}: found {record.status} since {record.recorded:%H:%M:%S} UTC"
    if record.status == "pending-upgrade" and not record.written_by_us and _age(record) < seconds:
        raise ForeignRelease(f"{found}, by somebody else: wait until they are done, then run again")
    if record.deployed_revision is not None and record.status != "uninstalling":
        target.say(f"{found}; back to revision {record.deployed_revision}")
        arguments = ["rollback", record.name, str(record.deployed_revision), *place]
        target.helm.run(f"roll {record.name!r} back", arguments, limit)
    else:
        target.say(f"{found}; removing it")
        target.helm.run(f"remove {record.name!r}", ["uninstall", record.name, *place], limit)
    return read_records(target.connection, record.name).get((record.namespace, record.name))


def remove(target: Target, record: ReleaseRecord) -> None:
    """Uninstall a release that this project installed; its CRDs and its namespace stay.

    Raises:
        ForeignRelease: the release is somebody else's.
        ClusterFault: what the cluster refused, or it took too long.
    """
    require_own(target.environment, record)
    arguments = [
        "uninstall",
        record.name,
        "--namespace",
        record.namespace,
        "--wait",
        "--timeout",
        f"{UNINSTALL_SECONDS}s",
    ]
    target.helm.run(f"remove {record.name!r}", arguments, UNINSTALL_SECONDS + GRACE_SECONDS)


def _age(record: ReleaseRecord) -> float:
    return (datetime.now(UTC) - record.recorded).total_seconds()


def deployed_manifests(helm: Helm, name: str, namespace: str) -> list[Manifest]:
    """The objects of the release as they were deployed."""
    arguments = ["get", "manifest", name, "--namespace", namespace]
    return read_manifests(helm.run(f"read the manifest of {name!r}", arguments, 60))
