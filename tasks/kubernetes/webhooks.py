"""Whether the admission webhooks of a release can answer: the API server trusts them, and something serves them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kubernetes import client

from tasks.kubernetes.connection import Connection
from tasks.kubernetes.faults import ObjectMissing
from tasks.kubernetes.probe_result import Outcome, ProbeResult

KINDS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")


def webhooks_serve(
    connection: Connection, manifests: Iterable[Mapping[str, Any]], simulated: frozenset[str]
) -> list[ProbeResult]:
    """One result for each webhook of the configurations among `manifests`."""
    results: list[ProbeResult] = []
    for manifest in manifests:
        if manifest["kind"] in KINDS:
            results.extend(_configuration(connection, manifest["kind"], manifest["metadata"]["name"], simulated))
    return results


def _configuration(connection: Connection, kind: str, name: str, simulated: frozenset[str]) -> list[ProbeResult]:
    admission = client.AdmissionregistrationV1Api(connection.api)
    read: Callable[..., object] = (
        admission.read_validating_webhook_configuration
        if kind == "ValidatingWebhookConfiguration"
        else admission.read_mutating_webhook_configuration
    )
    try:
        live: Any = connection.read(f"read the {kind} {name!r}", read, name)
    except ObjectMissing:
        return [ProbeResult(Outcome.FAILED, f"{kind} {name} is not there")]
    return [_webhook(connection, webhook, simulated) for webhook in live.webhooks or []]


def _webhook(connection: Connection, webhook: Any, simulated: frozenset[str]) -> ProbeResult:
    reached = webhook.client_config
    if not reached.ca_bundle:
        return ProbeResult(Outcome.FAILED, f"the webhook {webhook.name} has no certificate authority yet")
    if reached.service is None:
        return ProbeResult(Outcome.PROVED, f"the webhook {webhook.name} is reached at {reached.url}")
    service = f"{reached.service.namespace}/{reached.service.name}"
    # Not by the client's model: it refuses a slice that has no endpoints yet.
    slices: Any = connection.read(
        f"list the endpoints of {service}",
        connection.api.call_api,
        f"/apis/discovery.k8s.io/v1/namespaces/{reached.service.namespace}/endpointslices",
        "GET",
        query_params={"labelSelector": f"kubernetes.io/service-name={reached.service.name}"},
        header_params={"Accept": "application/json"},
        auth_settings=["BearerToken"],
        response_type="object",
        _return_http_data_only=True,
    )
    endpoints = [endpoint for part in slices["items"] for endpoint in part.get("endpoints") or []]
    ready = [endpoint for endpoint in endpoints if endpoint.get("conditions", {}).get("ready") is not False]
    if not ready:
        return ProbeResult(Outcome.FAILED, f"the webhook {webhook.name} has no ready endpoint behind {service}")
    if all(endpoint.get("nodeName") in simulated for endpoint in ready):
        return ProbeResult(Outcome.NOT_PROVED, f"the webhook {webhook.name} is served from simulated nodes")
    return ProbeResult(Outcome.PROVED, f"the webhook {webhook.name} has {len(ready)} ready endpoints")
