"""The sentences of API servers and of Helm that stand for a fault, as they really are."""

import pytest

from tasks.kubernetes.faults import (
    ApiAway,
    ClusterFault,
    ImmutableField,
    MissingRights,
    OwnedByAnother,
    WebhookAway,
    known_fault,
)

FORBIDDEN = (
    'deployments.apps is forbidden: User "system:serviceaccount:ci:deployer" cannot create resource "deployments" '
    'in API group "apps" in the namespace "agents"'
)


@pytest.mark.parametrize(
    ("message", "fault", "said"),
    [
        (
            FORBIDDEN,
            MissingRights,
            "'system:serviceaccount:ci:deployer' lacks the right to create deployments.apps in the",
        ),
        (
            'secrets is forbidden: User "dev" cannot list resource "secrets" in API group "" at the cluster scope',
            MissingRights,
            "'dev' lacks the right to list secrets at the cluster scope",
        ),
        (
            'Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.replicas',
            OwnedByAnother,
            "the field .spec.replicas is owned by 'kubectl-edit'",
        ),
        (
            'Apply failed with 2 conflicts: conflicts with "keda" using apps/v1:\n- .spec.replicas\n- .spec.paused',
            OwnedByAnother,
            "the fields .spec.replicas, .spec.paused are owned by 'keda'",
        ),
        (
            'cannot patch "gp3" with kind StorageClass: StorageClass.storage.k8s.io "gp3" is invalid: parameters: '
            "Forbidden: updates to parameters are forbidden.: field is immutable",
            ImmutableField,
            'parameters of StorageClass.storage.k8s.io "gp3" cannot change',
        ),
        (
            'Internal error occurred: failed calling webhook "mservice.elbv2.k8s.aws": failed to call webhook: Post '
            '"https://webhook.kube-system.svc:443/mutate": no endpoints available for service "webhook"',
            WebhookAway,
            "the admission webhook 'mservice.elbv2.k8s.aws' must answer first",
        ),
        (
            'failed calling webhook "a.example.com": Post "https://a.svc:443/": dial tcp: connection refused',
            WebhookAway,
            "'a.example.com'",
        ),
        (
            "Get https://127.0.0.1:6443/version: dial tcp: connect: connection refused",
            ApiAway,
            "not answer",
        ),
        ("etcdserver: leader changed", ApiAway, "etcdserver: leader changed"),
        ("the server is currently unable to handle the request (get nodes.metrics.k8s.io)", ApiAway, "not answer"),
    ],
)
def test_a_fault_is_told_apart(message: str, fault: type[ClusterFault], said: str) -> None:
    found = known_fault(message, "roll out 'x'")
    assert type(found) is fault
    assert str(found).startswith("roll out 'x': ")
    assert said in str(found)


def test_what_is_not_known_is_left_to_the_caller() -> None:
    assert known_fault("template: widgets/templates/a.yaml:3: unexpected EOL", "roll out 'x'") is None
