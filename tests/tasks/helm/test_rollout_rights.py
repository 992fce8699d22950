"""A rollout by somebody who may not do all of it."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from rehearsal.cluster import Cluster
from tasks.helm.rollout import Action
from tasks.kubernetes.connection import Connection
from tasks.kubernetes.faults import MissingRights
from tests.tasks.helm.conftest import Rollout

pytestmark = [pytest.mark.kubernetes]
EVERYTHING_ON_DEFINITIONS = {
    "apiGroups": ["apiextensions.k8s.io"],
    "resources": ["customresourcedefinitions"],
    "verbs": ["*"],
}
READING_THE_MARK = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch"]}
RECORDS = {"apiGroups": [""], "resources": ["secrets", "namespaces"], "verbs": ["*"]}


def kubeconfig_of(name: str, rules: list[dict[str, Any]], cluster: Cluster, connection: Connection, path: Path) -> Path:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": rules,
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "default"}],
    }
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}
    cluster.api.apply(account, role, binding)
    issued: Any = client.CoreV1Api(connection.api).create_namespaced_service_account_token(
        name, "default", {"spec": {"expirationSeconds": 3600}}
    )
    document = yaml.safe_load(cluster.kubeconfig.read_text(encoding="utf-8"))
    document["users"][0]["user"] = {"token": issued.status.token}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def test_a_right_that_helm_lacks_is_named(rollout: Rollout, tmp_path: Path) -> None:
    rollout.described.add("widgets", "widgets")
    rules = [EVERYTHING_ON_DEFINITIONS, READING_THE_MARK, RECORDS]
    rollout.kubeconfig = kubeconfig_of("installer", rules, rollout.cluster, rollout.connection, tmp_path / "installer")
    result = rollout.run()["widgets"]
    assert result.action is Action.FAILED
    assert "'system:serviceaccount:default:installer' lacks the right to " in result.detail
    assert " configmaps in the namespace" in result.detail or " deployments.apps in the namespace" in result.detail


def test_a_right_that_the_flow_itself_lacks_is_named(rollout: Rollout, tmp_path: Path) -> None:
    rules = [EVERYTHING_ON_DEFINITIONS, READING_THE_MARK]
    rollout.kubeconfig = kubeconfig_of("reader", rules, rollout.cluster, rollout.connection, tmp_path / "reader")
    with pytest.raises(MissingRights, match=r"'system:serviceaccount:default:reader' lacks the right to list secrets"):
        rollout.run()
