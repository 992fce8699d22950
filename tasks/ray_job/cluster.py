"""RayJobs in the environment's cluster: what the API knows of them."""

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubernetes import client

from tasks.kubernetes.connection import FIELD_MANAGER, Connection
from tasks.kubernetes.faults import ClusterFault, ObjectMissing
from tasks.kubernetes.workloads import simulated_nodes
from tasks.ray_job.specification import ATTEMPT, FLOW_RUN, GROUP, INPUTS, NAMESPACE, PLURAL, VERSION

# The operator stops the job before it lets the object go; it is given as long as a pod has to end.
GONE_WITHIN_SECONDS = 120
PAUSE_SECONDS = 1.0
TOKEN_KEY = "auth_token"  # noqa: S105 - the name of a key
ENDED = ("Complete", "Failed", "ValidationFailed")
SUSPENDED = ("Suspending", "Suspended")
Status = Mapping[str, Any]


class StillThere(ClusterFault):
    """A RayJob does not go: says what to look at."""


@dataclass(frozen=True)
class FoundJob:
    """A RayJob as it is now; `deployment` is what KubeRay does with it, `state` what Ray says of the job, or empty."""

    name: str
    uid: str
    flow_run: str
    inputs: str
    attempt: str
    deployment: str
    state: str
    reason: str
    message: str
    cluster: str
    dashboard: str
    submission: str

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.deployment in ENDED

    @property
    def suspended(self) -> bool:
        """Whether somebody suspended it."""
        return self.deployment in SUSPENDED


@dataclass(frozen=True)
class JobPods:
    """The pods of a job: those on simulated nodes, and why others do not run yet."""

    on_simulated_nodes: tuple[str, ...]
    waiting: tuple[str, ...]


@dataclass(frozen=True)
class RayJobs:
    """The RayJobs of the namespace `ray`. Every verb raises `ClusterFault` where the API refuses."""

    connection: Connection

    def create(self, document: Mapping[str, Any]) -> FoundJob:
        """Make it; a field that KubeRay does not know is refused, and so is a second one of the same name."""
        made = self.connection.call(
            f"create the RayJob {document['metadata']['name']!r}",
            self._objects.create_namespaced_custom_object,
            GROUP,
            VERSION,
            NAMESPACE,
            PLURAL,
            document,
            field_manager=FIELD_MANAGER,
            field_validation="Strict",
        )
        return _found(made)

    def find(self, name: str) -> FoundJob | None:
        """The RayJob of this name; None where there is none."""
        try:
            found = self.connection.read(
                f"read the RayJob {name!r}",
                self._objects.get_namespaced_custom_object,
                GROUP,
                VERSION,
                NAMESPACE,
                PLURAL,
                name,
            )
        except ObjectMissing:
            return None
        return _found(found)

    def remove(self, job: FoundJob) -> None:
        """Delete it, and wait until it is gone; its pods end with it. Another one of the same name stays.

        Raises:
            StillThere: the operator, which stops the job first, does not let it go.
        """
        deadline = time.monotonic() + GONE_WITHIN_SECONDS
        self._delete(job)
        while (left := self.find(job.name)) is not None and left.uid == job.uid:
            if time.monotonic() > deadline:
                raise StillThere(
                    f"the RayJob {NAMESPACE}/{job.name} was deleted {GONE_WITHIN_SECONDS} s ago and is still there: "
                    "the KubeRay operator has to let it go; look at its pods and its log"
                )
            time.sleep(PAUSE_SECONDS)

    def token(self, job: FoundJob) -> str | None:
        """What Ray's dashboard wants to see of us; None until KubeRay has made it."""
        read = client.CoreV1Api(self.connection.api).read_namespaced_secret
        try:
            secret: Any = self.connection.read(f"read the token of {job.cluster!r}", read, job.cluster, NAMESPACE)
        except ObjectMissing:
            return None
        return base64.b64decode(secret.data[TOKEN_KEY]).decode()

    def pods(self, job: FoundJob) -> JobPods:
        """Where its pods are, and what keeps those that wait."""
        if not job.cluster:
            return JobPods((), ())
        read = client.CoreV1Api(self.connection.api).list_namespaced_pod
        found: Any = self.connection.read(
            f"list the pods of {job.cluster!r}", read, NAMESPACE, label_selector=f"ray.io/cluster={job.cluster}"
        )
        simulated = simulated_nodes(self.connection)
        held = [pod.metadata.name for pod in found.items if pod.spec.node_name in simulated]
        waiting = [f"{pod.metadata.name}: {reason}" for pod in found.items if (reason := _why_waiting(pod))]
        return JobPods(tuple(sorted(held)), tuple(sorted(waiting)))

    @property
    def _objects(self) -> client.CustomObjectsApi:
        return client.CustomObjectsApi(self.connection.api)

    def _delete(self, job: FoundJob) -> None:
        try:
            self.connection.read(
                f"delete the RayJob {job.name!r}",
                self._objects.delete_namespaced_custom_object,
                GROUP,
                VERSION,
                NAMESPACE,
                PLURAL,
                job.name,
                body={"preconditions": {"uid": job.uid}, "propagationPolicy": "Background"},
            )
        except ObjectMissing:
            return  # somebody else deleted it


def _found(document: Any) -> FoundJob:
    metadata: Mapping[str, Any] = document["metadata"]
    annotations: Mapping[str, str] = metadata.get("annotations") or {}
    status: Status = document.get("status") or {}
    return FoundJob(
        name=metadata["name"],
        uid=metadata["uid"],
        flow_run=annotations.get(FLOW_RUN, ""),
        inputs=annotations.get(INPUTS, ""),
        attempt=annotations.get(ATTEMPT, ""),
        deployment=status.get("jobDeploymentStatus", ""),
        state=status.get("jobStatus", ""),
        reason=status.get("reason", ""),
        message=status.get("message", ""),
        cluster=status.get("rayClusterName", ""),
        dashboard=status.get("dashboardURL", ""),
        submission=status.get("jobId", ""),
    )


def _why_waiting(pod: Any) -> str:
    """The scheduler's reason, or that of a container that does not start; empty for a pod that runs or begins to."""
    for condition in pod.status.conditions or []:
        if condition.type == "PodScheduled" and condition.status == "False":
            return str(condition.message)
    statuses = [*(pod.status.init_container_statuses or []), *(pod.status.container_statuses or [])]
    for each in statuses:
        waiting = each.state.waiting if each.state else None
        if waiting is not None and waiting.reason not in ("PodInitializing", "ContainerCreating"):
            return f"{each.name} {waiting.reason}: {waiting.message}"
    return ""
