"""Admission webhooks that nothing can answer: taken out of the API server's way, and listed.

A webhook is served by pods, and the pods of simulated nodes serve nothing. The API server would wait for each call to
time out, and refuse what it is about where the failure policy says so.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from rehearsal.cluster import Cluster
from rehearsal.cluster.api import KubernetesApi
from rehearsal.cluster.simulated_nodes import SIMULATED
from rehearsal.side_by_side import again_and_again

PATH = "/apis/admissionregistration.k8s.io/v1"
KINDS = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")


@contextmanager
def webhooks_without_backend_away(cluster: Cluster) -> Generator[list[str]]:
    """Take webhooks away as they come, for the block; yields their names, a list that grows.

    Where a node really runs pods, all of them stay.
    """
    taken: list[str] = []

    def take(api: KubernetesApi) -> None:
        if any(SIMULATED not in node["metadata"].get("annotations", {}) for node in api.list("/api/v1/nodes")):
            return
        for kind in KINDS:
            for configuration in api.list(f"{PATH}/{kind}"):
                _take_from(api, f"{PATH}/{kind}/{configuration['metadata']['name']}", configuration, taken)

    with again_and_again("webhooks", cluster, take):
        yield taken


def _take_from(api: KubernetesApi, path: str, configuration: Mapping[str, Any], taken: list[str]) -> None:
    webhooks = configuration.get("webhooks") or []
    answered = [webhook for webhook in webhooks if "service" not in webhook["clientConfig"]]
    if answered == webhooks:
        return
    version = {"resourceVersion": configuration["metadata"]["resourceVersion"]}
    api.merge(path, {"metadata": version, "webhooks": answered})
    names = (webhook["name"] for webhook in webhooks if webhook not in answered)
    taken.extend(name for name in names if name not in taken)
