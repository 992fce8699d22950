"""The pods of a refresh on KubeRay: a head that drives, and workers that parse, chunk and embed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.refresh.mirrored_model import MirroredModel

MODEL_DIRECTORY = "/models"
SCRATCH = "/tmp"  # noqa: S108 - a directory of the pod's own
SERVICE_ACCOUNT = "ray"
# Ray's user in its own images: https://docs.ray.io/en/latest/cluster/kubernetes/user-guides/config.html
USER = 1000
# One core embeds, the other parses and cuts: what one worker is to Ray.
WORKER = {"cpu": "2", "memory": "4Gi", "ephemeral-storage": "4Gi"}
HEAD = {"cpu": "1", "memory": "4Gi", "ephemeral-storage": "4Gi"}
AUTOSCALER = {"cpu": "200m", "memory": "512Mi"}
# The model is converted there.
FETCH = {"cpu": "1", "memory": "2Gi"}
# https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
RESTRICTED: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
# https://karpenter.sh/docs/concepts/disruption/#pod-level-controls
DO_NOT_DISRUPT = {"karpenter.sh/do-not-disrupt": "true"}


@dataclass(frozen=True)
class RayPods:
    """What the pods of one environment's refresh have in common; `image` is by digest."""

    image: str
    region: str
    labels: Mapping[str, str]

    def head(self, model: MirroredModel) -> dict[str, Any]:
        """The pod that drives the job. It runs no work of Ray, and Karpenter does not move it.

        It has the model too, for the questions of the gate.
        """
        # Its autoscaler asks the API for workers, and gives them back.
        return self._template(HEAD, DO_NOT_DISRUPT, [self._fetch(model)], token=True)

    def worker(self, model: MirroredModel) -> dict[str, Any]:
        """A pod that has the model's files before Ray starts in it."""
        return self._template(WORKER, {}, [self._fetch(model)], token=False)

    def _template(
        self,
        resources: Mapping[str, str],
        annotations: Mapping[str, str],
        before: list[dict[str, Any]],
        *,
        token: bool,
    ) -> dict[str, Any]:
        return {
            "metadata": {"labels": dict(self.labels), "annotations": dict(annotations)},
            "spec": {
                "serviceAccountName": SERVICE_ACCOUNT,
                "automountServiceAccountToken": token,
                "nodeSelector": {"kubernetes.io/arch": "arm64", "kubernetes.io/os": "linux"},
                "topologySpreadConstraints": [self._spread],
                "securityContext": {"runAsUser": USER, "runAsGroup": USER, "fsGroup": USER, "runAsNonRoot": True},
                "initContainers": before,
                "containers": [self._container("ray", resources)],
                "volumes": [{"name": "scratch", "emptyDir": {}}, {"name": "models", "emptyDir": {}}],
            },
        }

    @property
    def _spread(self) -> dict[str, Any]:
        # A refresh that cannot be spread is better than one that waits for a zone.
        return {
            "maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": dict(self.labels)},
        }

    def _fetch(self, model: MirroredModel) -> dict[str, Any]:
        command = ["python", "-m", "tasks.refresh.mirrored_model", model.model_dump_json(), MODEL_DIRECTORY]
        return {**self._container("fetch-model", FETCH), "command": command}

    def _container(self, name: str, resources: Mapping[str, str]) -> dict[str, Any]:
        variables = {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region, "HOME": SCRATCH}
        return {
            "name": name,
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "env": [{"name": key, "value": value} for key, value in {**variables, **_QUIET}.items()],
            "resources": {"requests": dict(resources), "limits": dict(resources)},
            "securityContext": dict(RESTRICTED),
            "volumeMounts": [
                {"name": "scratch", "mountPath": SCRATCH},
                {"name": "models", "mountPath": MODEL_DIRECTORY},
            ],
        }


_QUIET = {"RAY_USAGE_STATS_ENABLED": "0"}
