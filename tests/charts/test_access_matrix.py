"""What each role may do, asked of the real API server."""

from collections.abc import Iterator

import pytest

from rehearsal.cluster import Cluster, running_cluster
from tasks.environment import EnvironmentName
from tests.charts.own_charts import install, sample_outputs

pytestmark = pytest.mark.kubernetes

REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
ENTRIES = sample_outputs(EnvironmentName.DEV)["identity"]["access_entries"]
GROUPS = {role: entry["group"] for role, entry in ENTRIES.items()}
RBAC = "rbac.authorization.k8s.io"
# dev: admin in agents, gateway and ray; editor in agents; reader and cluster_admin everywhere.
ADMIN, EDITOR, READER = {"cluster_admin", "admin"}, {"cluster_admin", "admin", "editor"}, set(GROUPS)
EVERYWHERE, NOBODY_ELSE = {"cluster_admin", "reader"}, {"cluster_admin"}

# verb, group of the kind, resource (with its subresource), namespace (none: in the whole cluster), who may
MATRIX = [
    # in a namespace that editors have
    ("get", "", "pods", "agents", READER),
    ("get", "", "pods/log", "agents", READER),
    ("create", "", "pods/exec", "agents", EDITOR),
    ("create", "", "pods/portforward", "agents", EDITOR),
    ("get", "", "secrets", "agents", EDITOR),
    ("create", "", "secrets", "agents", EDITOR),
    ("get", "", "configmaps", "agents", READER),
    ("patch", "apps", "deployments", "agents", EDITOR),
    ("update", "apps", "deployments/scale", "agents", EDITOR),
    ("delete", "apps", "deployments", "agents", EDITOR),
    ("create", "batch", "jobs", "agents", EDITOR),
    ("create", "networking.k8s.io", "networkpolicies", "agents", EDITOR),
    ("create", "policy", "poddisruptionbudgets", "agents", EDITOR),
    ("get", RBAC, "rolebindings", "agents", ADMIN),
    ("create", RBAC, "rolebindings", "agents", ADMIN),
    ("create", RBAC, "roles", "agents", ADMIN),
    ("update", "", "resourcequotas", "agents", NOBODY_ELSE),
    ("bind", RBAC, "clusterroles", "agents", NOBODY_ELSE),
    ("escalate", RBAC, "roles", "agents", NOBODY_ELSE),
    ("impersonate", "", "serviceaccounts", "agents", EDITOR),
    # in one that admins have and editors have not
    ("get", "", "pods", "gateway", {"cluster_admin", "admin", "reader"}),
    ("create", "", "pods/exec", "gateway", ADMIN),
    ("get", "", "secrets", "gateway", ADMIN),
    ("patch", "apps", "deployments", "gateway", ADMIN),
    # in one that neither has
    ("get", "", "pods", "kube-system", EVERYWHERE),
    ("get", "", "secrets", "kube-system", NOBODY_ELSE),
    ("create", "", "pods/exec", "kube-system", NOBODY_ELSE),
    ("patch", "apps", "deployments", "kube-system", NOBODY_ELSE),
    ("create", "", "pods", "prefect", NOBODY_ELSE),
    ("get", "", "secrets", "prefect", NOBODY_ELSE),
    # the kinds of add-ons
    ("get", "ray.io", "rayclusters", "ray", {"cluster_admin", "admin", "reader"}),
    ("create", "ray.io", "rayclusters", "ray", ADMIN),
    ("create", "ray.io", "rayjobs", "ray", ADMIN),
    ("delete", "ray.io", "rayservices", "agents", EDITOR),
    ("patch", "keda.sh", "scaledobjects", "agents", EDITOR),
    ("create", "keda.sh", "triggerauthentications", "agents", NOBODY_ELSE),
    ("get", "external-secrets.io", "externalsecrets", "agents", READER),
    ("create", "external-secrets.io", "externalsecrets", "agents", NOBODY_ELSE),
    ("create", "external-secrets.io", "secretstores", "agents", NOBODY_ELSE),
    ("create", "elbv2.k8s.aws", "targetgroupbindings", "agents", NOBODY_ELSE),
    ("create", "cert-manager.io", "certificates", "agents", NOBODY_ELSE),
    ("patch", "grafana.integreatly.org", "grafanadashboards", "agents", EDITOR),
    ("get", "metrics.k8s.io", "pods", "agents", READER),
    # what is in no namespace
    ("list", "", "secrets", None, NOBODY_ELSE),
    ("list", "", "pods", None, EVERYWHERE),
    ("get", "", "nodes", None, EVERYWHERE),
    ("delete", "", "nodes", None, NOBODY_ELSE),
    ("get", "", "nodes/proxy", None, NOBODY_ELSE),
    ("list", "", "namespaces", None, EVERYWHERE),
    ("create", "", "namespaces", None, NOBODY_ELSE),
    ("delete", "", "namespaces", "agents", NOBODY_ELSE),
    ("get", "", "persistentvolumes", None, EVERYWHERE),
    ("get", "karpenter.sh", "nodepools", None, EVERYWHERE),
    ("patch", "karpenter.sh", "nodepools", None, NOBODY_ELSE),
    ("delete", "karpenter.sh", "nodeclaims", None, NOBODY_ELSE),
    ("get", "karpenter.k8s.aws", "ec2nodeclasses", None, EVERYWHERE),
    ("update", "karpenter.k8s.aws", "ec2nodeclasses", None, NOBODY_ELSE),
    ("get", "apiextensions.k8s.io", "customresourcedefinitions", None, EVERYWHERE),
    ("delete", "apiextensions.k8s.io", "customresourcedefinitions", None, NOBODY_ELSE),
    ("create", RBAC, "clusterrolebindings", None, NOBODY_ELSE),
    ("escalate", RBAC, "clusterroles", None, NOBODY_ELSE),
    ("bind", RBAC, "clusterroles", None, NOBODY_ELSE),
    ("impersonate", "", "groups", None, NOBODY_ELSE),
    ("impersonate", "", "users", None, NOBODY_ELSE),
    ("update", "admissionregistration.k8s.io", "validatingwebhookconfigurations", None, NOBODY_ELSE),
    ("create", "certificates.k8s.io", "certificatesigningrequests", None, NOBODY_ELSE),
    ("create", "external-secrets.io", "clustersecretstores", None, NOBODY_ELSE),
    ("get", "storage.k8s.io", "storageclasses", None, EVERYWHERE),
    ("create", "storage.k8s.io", "storageclasses", None, NOBODY_ELSE),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """With the namespaces and roles of `dev`; its own, because the namespaces have fixed names."""
    with running_cluster() as cluster:
        install(cluster, "access", EnvironmentName.DEV)
        yield cluster


@pytest.mark.parametrize(
    ("verb", "group", "resource", "namespace", "allowed"),
    MATRIX,
    ids=[f"{verb} {resource} in {namespace or 'the cluster'}" for verb, _, resource, namespace, _ in MATRIX],
)
def test_each_role_may_do_what_is_said_here_and_no_more(
    cluster: Cluster, verb: str, group: str, resource: str, namespace: str | None, allowed: set[str]
) -> None:
    assert {role for role in GROUPS if may(cluster, role, verb, group, resource, namespace)} == allowed


def may(cluster: Cluster, role: str, verb: str, group: str, resource: str, namespace: str | None) -> bool:
    name, _, subresource = resource.partition("/")
    asked = {"verb": verb, "group": group, "resource": name, "subresource": subresource, "namespace": namespace or ""}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": "person", "groups": [GROUPS[role], "system:authenticated"], "resourceAttributes": asked},
    }
    return cluster.api.create(REVIEWS, review)["status"]["allowed"]


def test_who_is_in_no_group_may_do_nothing(cluster: Cluster) -> None:
    spec = {"user": "person", "groups": ["system:authenticated"]}
    for resource in ({"verb": "get", "resource": "pods", "namespace": "agents"}, {"verb": "list", "resource": "nodes"}):
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "metadata": {}}
        answer = cluster.api.create(REVIEWS, {**review, "spec": {**spec, "resourceAttributes": resource}})
        assert answer["status"]["allowed"] is False
