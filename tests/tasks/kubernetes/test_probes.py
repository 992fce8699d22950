"""What probes say of a real API server's objects; its nodes are simulated, so pods prove nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from rehearsal.cluster import Cluster
from tasks.kubernetes.connection import Connection
from tasks.kubernetes.probe_kinds import AppliedProbe, ConditionProbe, WebhooksProbe, WorkloadsProbe
from tasks.kubernetes.probe_result import Outcome, ProbeResult
from tasks.kubernetes.probes import ask_once, run_probe

pytestmark = [pytest.mark.kubernetes]
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
AUTHORITY = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1BPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="


def deployment(replicas: int = 1, cpu: str = "10m") -> dict[str, Any]:
    container = {"name": "c", "image": "registry.example.com/c:1", "resources": {"requests": {"cpu": cpu}}}
    labels = {"app": "probed"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "probed"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def configuration(**client_config: Any) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "probed"},
        "webhooks": [
            {
                "name": "hook.example.com",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Ignore",
                "clientConfig": client_config,
                "rules": [
                    {"apiGroups": ["none.example.com"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["*"]}
                ],
            }
        ],
    }


@pytest.fixture(autouse=True)
def nothing_stays(kubernetes_cluster: Cluster) -> Iterator[None]:
    yield
    for path in (
        "/apis/apps/v1/namespaces/default/deployments/probed",
        "/api/v1/namespaces/default/services/probed",
        f"{CONFIGURATIONS}/probed",
    ):
        if kubernetes_cluster.api.exists(path):
            kubernetes_cluster.api.delete(path)


def test_what_is_not_there_fails(connection: Connection) -> None:
    assert ask_once(connection, WorkloadsProbe(kind="workloads"), [deployment()], "default") == ProbeResult(
        Outcome.FAILED, "Deployment default/probed is not there"
    )
    applied = ask_once(connection, AppliedProbe(kind="applied"), [deployment()], "default")
    assert applied.outcome is Outcome.FAILED
    assert 'deployments.apps "probed" not found' in applied.seen


def test_a_pod_that_no_node_takes_fails_with_the_reason(kubernetes_cluster: Cluster, connection: Connection) -> None:
    kubernetes_cluster.api.apply(deployment(cpu="1000"))
    result = run_probe(connection, WorkloadsProbe(kind="workloads"), [deployment()], "default", seconds=1)
    assert result.outcome is Outcome.FAILED
    assert "Deployment default/probed has 0 of 1 pods ready" in result.seen


def test_a_pod_on_a_simulated_node_is_not_proved(kubernetes_cluster: Cluster, connection: Connection) -> None:
    kubernetes_cluster.api.apply(deployment())
    result = run_probe(connection, WorkloadsProbe(kind="workloads"), [deployment()], "default", seconds=60)
    assert result.outcome is Outcome.NOT_PROVED
    assert ask_once(connection, AppliedProbe(kind="applied"), [deployment()], "default").outcome is Outcome.PROVED


def test_objects_of_several_namespaces_and_of_none_are_found(connection: Connection) -> None:
    certificates = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt"}}
    elsewhere = {**certificates, "metadata": {"name": "kube-root-ca.crt", "namespace": "kube-system"}}
    of_the_cluster = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}}
    manifests = [certificates, elsewhere, of_the_cluster]
    result = ask_once(connection, AppliedProbe(kind="applied"), manifests, "default")
    assert result == ProbeResult(Outcome.PROVED, "3 objects are there")


def test_no_pod_wanted_is_proved(kubernetes_cluster: Cluster, connection: Connection) -> None:
    kubernetes_cluster.api.apply(deployment(replicas=0))
    result = run_probe(connection, WorkloadsProbe(kind="workloads"), [deployment()], "default", seconds=30)
    assert result == ProbeResult(Outcome.PROVED, "Deployment default/probed has 0 of 0 pods ready")


@pytest.mark.parametrize(
    ("client_config", "outcome", "seen"),
    [
        ({"url": "https://127.0.0.1:1/"}, Outcome.FAILED, "has no certificate authority yet"),
        ({"url": "https://127.0.0.1:1/", "caBundle": AUTHORITY}, Outcome.PROVED, "is reached at https://127.0.0.1:1/"),
        (
            {"service": {"namespace": "default", "name": "probed"}, "caBundle": AUTHORITY},
            Outcome.FAILED,
            "has no ready endpoint behind default/probed",
        ),
    ],
)
def test_a_webhook_needs_an_authority_and_an_endpoint(
    kubernetes_cluster: Cluster, connection: Connection, client_config: dict[str, Any], outcome: Outcome, seen: str
) -> None:
    kubernetes_cluster.api.apply(configuration(**client_config))
    result = ask_once(connection, WebhooksProbe(kind="webhooks"), [configuration()], "default")
    assert (result.outcome, seen in result.seen) == (outcome, True)


def test_a_webhook_on_simulated_nodes_is_not_proved(kubernetes_cluster: Cluster, connection: Connection) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "probed"},
        "spec": {"selector": {"app": "probed"}, "ports": [{"port": 443}]},
    }
    hook = configuration(service={"namespace": "default", "name": "probed"}, caBundle=AUTHORITY)
    kubernetes_cluster.api.apply(deployment(), service, hook)
    result = run_probe(connection, WebhooksProbe(kind="webhooks"), [hook], "default", seconds=60)
    assert result == ProbeResult(Outcome.NOT_PROVED, "the webhook hook.example.com is served from simulated nodes")


def test_a_webhook_that_is_not_there_fails(connection: Connection) -> None:
    result = ask_once(connection, WebhooksProbe(kind="webhooks"), [configuration()], "default")
    assert result == ProbeResult(Outcome.FAILED, "ValidatingWebhookConfiguration probed is not there")


def test_a_condition_is_asked_of_every_object(connection: Connection) -> None:
    accepted = ConditionProbe(
        kind="condition", group="apiregistration.k8s.io", version="v1", plural="apiservices", condition="Available"
    )
    assert ask_once(connection, accepted, [], "default").outcome is Outcome.PROVED
    refused = accepted.model_copy(update={"condition": "Wonderful"})
    result = ask_once(connection, refused, [], "default")
    assert result.outcome is Outcome.FAILED
    assert "apiservices v1.apps is not Wonderful: Available=True" in result.seen


def test_a_condition_of_nothing_fails(connection: Connection) -> None:
    nothing = ConditionProbe(
        kind="condition",
        group="networking.k8s.io",
        version="v1",
        plural="ingresses",
        condition="Ready",
        namespace="default",
    )
    assert ask_once(connection, nothing, [], "default") == ProbeResult(
        Outcome.FAILED, "there is no object of ingresses.networking.k8s.io"
    )
