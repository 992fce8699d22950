"""How a work pool makes the process or the pod of a run: Prefect's own template with our differences."""

import copy
from collections.abc import Mapping
from typing import Any

from tasks.environment import EnvironmentName
from tasks.ray_job.pods import DO_NOT_DISRUPT, RESTRICTED, SCRATCH, USER
from tasks.released_images import ReleasedImages, images_block_name

# Where the worker itself is: there it may make jobs, and its account has the rights that the flows need.
NAMESPACE = "prefect"
SERVICE_ACCOUNT = "prefect-worker"
# A run waits for Ray or asks the gateway: what is heavy happens in other pods. Its CPU is not throttled.
RESOURCES = {"cpu_request": "500m", "memory_request": "1Gi", "memory_limit": "2Gi"}
SCRATCH_SIZE = "4Gi"
# A day to look at a pod that failed; its log is kept elsewhere.
KEPT_SECONDS = 24 * 3600
# Karpenter may have to bring a node, which then pulls the image.
NODE_WITHIN_SECONDS = 600


def process_job_template() -> dict[str, Any]:
    """Prefect's own: a run is a process beside its worker."""
    # Imported where needed: a deploy of an environment on AWS and every drift need it, importing the flows does not.
    from prefect.workers.process import ProcessWorker

    return ProcessWorker.get_default_base_job_template()


def cluster_job_template(environment: EnvironmentName) -> dict[str, Any]:
    """A pod in the cluster, as the namespace's pod security standard `restricted` asks for, on Graviton nodes.

    Its image is read from the block of the released images when a run starts: a release needs no other template. In a
    run's own job variables each of the variables can be changed.
    """
    # Imported where needed: the Kubernetes client takes seconds, and a laptop has no such pool.
    from prefect_kubernetes.worker import KubernetesWorker

    template = copy.deepcopy(KubernetesWorker.get_default_base_job_template())
    properties = template["variables"]["properties"]
    for variable, default in _defaults(environment).items():
        properties[variable]["default"] = default
    pod = template["job_configuration"]["job_manifest"]["spec"]["template"]
    # A run that Karpenter moves begins anew.
    pod["metadata"] = {"annotations": dict(DO_NOT_DISRUPT)}
    pod["spec"] |= {
        "nodeSelector": {"kubernetes.io/arch": "arm64", "kubernetes.io/os": "linux"},
        "securityContext": {"runAsUser": USER, "runAsGroup": USER, "fsGroup": USER, "runAsNonRoot": True},
        "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": SCRATCH_SIZE}}],
    }
    pod["spec"]["containers"][0] |= {
        "securityContext": dict(RESTRICTED),
        "volumeMounts": [{"name": "scratch", "mountPath": SCRATCH}],
    }
    return template


def _defaults(environment: EnvironmentName) -> Mapping[str, object]:
    block = f"{ReleasedImages.get_block_type_slug()}.{images_block_name(environment)}"
    return {
        "namespace": NAMESPACE,
        "service_account_name": SERVICE_ACCOUNT,
        "image": f"{{{{ prefect.blocks.{block}.images.flows }}}}",
        "finished_job_ttl": KEPT_SECONDS,
        "pod_watch_timeout_seconds": NODE_WITHIN_SECONDS,
        **RESOURCES,
    }
