"""Webhooks that no pod serves do not hold up what is rehearsed."""

import pytest

from rehearsal.cluster import Cluster
from rehearsal.webhooks import PATH, webhooks_without_backend_away
from tests.rehearsal.cluster.workloads import namespace

pytestmark = [pytest.mark.kubernetes]


def test_one_without_a_backend_is_taken_away_and_named(kubernetes_cluster: Cluster) -> None:
    where = namespace(kubernetes_cluster)
    api = kubernetes_cluster.api
    away = {"service": {"namespace": where, "name": "nobody", "path": "/"}}
    elsewhere = {"url": "https://127.0.0.1:1/"}
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["secrets"], "operations": ["CREATE"]}]
    common = {
        "rules": rules,
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": where}},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "timeoutSeconds": 1,
    }
    configuration = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": where},
        "webhooks": [
            {"name": "away.example.com", "clientConfig": away, "failurePolicy": "Fail", **common},
            {"name": "url.example.com", "clientConfig": elsewhere, "failurePolicy": "Ignore", **common},
        ],
    }
    path = f"{PATH}/validatingwebhookconfigurations/{where}"
    try:
        with webhooks_without_backend_away(kubernetes_cluster) as taken:
            api.apply(configuration)
            left = api.wait_until(path, lambda found: len(found["webhooks"]) == 1)
            api.create(f"/api/v1/namespaces/{where}/secrets", {"metadata": {"name": "any"}})
            # What the chart says again is taken away again, and named once.
            api.apply(configuration)
            api.wait_until(path, lambda found: len(found["webhooks"]) == 1)
        assert [webhook["name"] for webhook in left["webhooks"]] == ["url.example.com"]
        assert taken == ["away.example.com"]
    finally:
        api.delete(path)
