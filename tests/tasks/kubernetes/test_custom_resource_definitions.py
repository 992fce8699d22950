"""CRDs on a real API server: who owns a field, and what happens to objects that are stored in an old version."""

from collections.abc import Iterator
from typing import Any

import pytest

from rehearsal.cluster import Cluster
from tasks.kubernetes.connection import Connection
from tasks.kubernetes.custom_resource_definitions import NotEstablished, StoredVersionGone, apply_definitions
from tasks.kubernetes.faults import ClusterFault, OwnedByAnother

pytestmark = [pytest.mark.kubernetes]
PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NAME = "engines.stored.example.com"


def definition(*versions: str, storage: str, plural: str = "engines", kind: str = "Engine") -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.stored.example.com"},
        "spec": {
            "group": "stored.example.com",
            "scope": "Namespaced",
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()},
            "versions": [
                {"name": name, "served": True, "storage": name == storage, "schema": schema} for name in versions
            ],
        },
    }


@pytest.fixture(autouse=True)
def no_definition_stays(kubernetes_cluster: Cluster) -> Iterator[None]:
    yield
    for found in kubernetes_cluster.api.list(PATH):
        if found["spec"]["group"] == "stored.example.com":
            kubernetes_cluster.api.delete(f"{PATH}/{found['metadata']['name']}")
    # Their objects go first.
    kubernetes_cluster.api.wait_until(PATH, lambda listed: "stored.example.com" not in str(listed["items"]))


def stored_versions(cluster: Cluster) -> list[str]:
    return cluster.api.get(f"{PATH}/{NAME}")["status"]["storedVersions"]


def add_engine(cluster: Cluster, version: str, name: str) -> None:
    cluster.api.apply(
        {
            "apiVersion": f"stored.example.com/{version}",
            "kind": "Engine",
            "metadata": {"name": name},
            "spec": {"power": 7},
        }
    )


def test_objects_of_an_old_stored_version_are_rewritten_before_it_goes(
    kubernetes_cluster: Cluster, connection: Connection
) -> None:
    apply_definitions(connection, [definition("v1alpha1", storage="v1alpha1")])
    add_engine(kubernetes_cluster, "v1alpha1", "old")
    apply_definitions(connection, [definition("v1alpha1", "v1", storage="v1")])
    add_engine(kubernetes_cluster, "v1", "new")
    assert stored_versions(kubernetes_cluster) == ["v1alpha1", "v1"]
    assert apply_definitions(connection, [definition("v1", storage="v1")]) == [NAME]
    assert stored_versions(kubernetes_cluster) == ["v1"]
    path = "/apis/stored.example.com/v1/namespaces/default/engines"
    assert [kubernetes_cluster.api.get(f"{path}/{name}")["spec"] for name in ("old", "new")] == [{"power": 7}] * 2


def test_a_stored_version_that_cannot_be_rewritten_is_refused(
    kubernetes_cluster: Cluster, connection: Connection
) -> None:
    apply_definitions(connection, [definition("v1alpha1", storage="v1alpha1")])
    add_engine(kubernetes_cluster, "v1alpha1", "old")
    with pytest.raises(
        StoredVersionGone, match=r"stored as v1alpha1, .* no longer has \(v1\); first roll out a version"
    ):
        apply_definitions(connection, [definition("v1", storage="v1")])
    assert kubernetes_cluster.api.exists("/apis/stored.example.com/v1alpha1/namespaces/default/engines/old")


def test_a_field_that_somebody_else_owns_is_not_taken(kubernetes_cluster: Cluster, connection: Connection) -> None:
    kubernetes_cluster.api.apply(definition("v1", storage="v1"))
    ours = definition("v1", storage="v1")
    ours["spec"]["names"]["shortNames"] = ["eng"]
    ours["spec"]["versions"][0]["served"] = False
    with pytest.raises(OwnedByAnother, match=r"apply the CRD 'engines.*owned by 'rehearsal'"):
        apply_definitions(connection, [ours])


def test_names_that_another_definition_has_are_an_error(kubernetes_cluster: Cluster, connection: Connection) -> None:
    apply_definitions(connection, [definition("v1", storage="v1")])
    twin = definition("v1", storage="v1", plural="motors", kind="Engine")
    with pytest.raises(NotEstablished, match=r"the CRD 'motors.stored.example.com' is not served: .*already in use"):
        apply_definitions(connection, [twin])


def test_what_the_api_refuses_is_said(connection: Connection) -> None:
    with pytest.raises(ClusterFault, match=r"(?s)apply the CRD 'engines.*refuses \(422\).*storage"):
        apply_definitions(connection, [definition("v1", storage="none")])
