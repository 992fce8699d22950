"""What a cluster of `dev` has before a stage: the room of a pool's node, and the types that add-ons bring."""

from typing import Any

ROOM = {"cpu": "15", "memory": "60Gi", "pods": "110", "ephemeral-storage": "100Gi"}
# Types that add-ons bring, without their schemas: the rendering check holds objects to those.
OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
ADDED = (
    ("keda.sh", "v1alpha1", "ScaledObject"),
    ("keda.sh", "v1alpha1", "TriggerAuthentication"),
    ("external-secrets.io", "v1", "SecretStore"),
    ("external-secrets.io", "v1", "ExternalSecret"),
)


def definition(group: str, version: str, kind: str) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": OPEN}}],
        },
    }
