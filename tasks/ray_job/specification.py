"""The RayJob of a refresh, as KubeRay 1.6 takes it.

Source: https://docs.ray.io/en/latest/cluster/kubernetes/getting-started/rayjob-quick-start.html, and the definitions
that the operator brings.
"""

import hashlib
import shlex
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from tasks.environment import EnvironmentName
from tasks.ray_job.pods import AUTOSCALER, RESTRICTED, RayPods
from tasks.refresh.job import RefreshJob

GROUP, VERSION, PLURAL = "ray.io", "v1", "rayjobs"
NAMESPACE = "ray"
PROJECT = "agentic-eks"
# What the RayJob says of itself, for the run that takes it up when its own was killed.
FLOW_RUN, INPUTS, ATTEMPT = f"{PROJECT}/flow-run", f"{PROJECT}/inputs", f"{PROJECT}/attempt"
# Long enough for Karpenter to bring a node and for the node to pull the image.
RUNNING_WITHIN_SECONDS = 30 * 60
DONE_WITHIN_SECONDS = 12 * 60 * 60
# The pods of a job whose run was killed stay no longer than this after its end.
KEPT_SECONDS = 300
IDLE_SECONDS = 60


@dataclass(frozen=True)
class RayJobRequest:
    """What a refresh is to be run with; `job` goes to the driver as it is."""

    environment: EnvironmentName
    image: str
    region: str
    job: RefreshJob

    @property
    def name(self) -> str:
        """One for each environment: the API itself refuses a second one."""
        return f"knowledge-{self.environment.value}"

    @property
    def inputs(self) -> str:
        """The SHA-256 of all that decides what is done, so that a run knows a job that does the same."""
        return hashlib.sha256(f"{self.image}\n{self.job.inputs.model_dump_json()}".encode()).hexdigest()


def ray_job(request: RayJobRequest) -> dict[str, Any]:
    """The object to create. Its pods go with it; each try is an object of its own, so that Ray tries nothing again."""
    labels = {"app.kubernetes.io/name": "knowledge", "app.kubernetes.io/instance": request.name}
    annotations = {FLOW_RUN: request.job.flow_run_id or "", INPUTS: request.inputs, ATTEMPT: request.job.attempt}
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "RayJob",
        "metadata": {
            "name": request.name,
            "namespace": NAMESPACE,
            "labels": {**labels, "app.kubernetes.io/managed-by": PROJECT},
            "annotations": annotations,
        },
        "spec": {
            "entrypoint": f"python -m tasks.refresh.run_job {shlex.quote(request.job.model_dump_json())}",
            # The operator itself asks Ray to run the job, and asks again when a new head knows nothing of it.
            "submissionMode": "HTTPMode",
            "backoffLimit": 0,
            "preRunningDeadlineSeconds": RUNNING_WITHIN_SECONDS,
            "activeDeadlineSeconds": DONE_WITHIN_SECONDS,
            "shutdownAfterJobFinishes": True,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "rayClusterSpec": _cluster(request, RayPods(request.image, request.region, labels)),
        },
    }


def _cluster(request: RayJobRequest, pods: RayPods) -> dict[str, Any]:
    return {
        # KubeRay wants it where tokens are asked for; it is the version that the image was locked with, as we are.
        "rayVersion": version("ray"),
        "authOptions": {"mode": "token"},
        "enableInTreeAutoscaling": True,
        "autoscalerOptions": {
            "version": "v2",
            "idleTimeoutSeconds": IDLE_SECONDS,
            "resources": {"requests": AUTOSCALER, "limits": AUTOSCALER},
            "securityContext": dict(RESTRICTED),
        },
        "headGroupSpec": {
            "rayStartParams": {"num-cpus": "0", "dashboard-host": "0.0.0.0"},  # noqa: S104 - of the pod
            "template": pods.head(request.job.model),
        },
        "workerGroupSpecs": [
            {
                "groupName": "workers",
                "replicas": 1,
                "minReplicas": 1,
                "maxReplicas": request.job.workers,
                "rayStartParams": {},
                "template": pods.worker(request.job.model),
            }
        ],
    }
