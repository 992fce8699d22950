"""Strict schemas: what they refuse of Kubernetes' own objects and of custom resources."""

from typing import Any

import pytest

from tasks.helm.schema_findings import resource_definitions, schema_findings

VERSION = "1.35"
MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "any"}, "data": {"key": "value"}}
SCHEMA = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "size": {"type": "integer", "maximum": 3},
                "port": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
                "maybe": {"type": "string", "nullable": True},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            },
        }
    },
}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": SCHEMA}}],
    },
}


def widget(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "any"}, "spec": spec}


def findings(manifest: dict[str, Any]) -> list[str]:
    return list(schema_findings(manifest, resource_definitions([DEFINITION]), VERSION))


@pytest.mark.parametrize(
    "manifest",
    [MAP, DEFINITION, widget(), widget(size=3, port="http", maybe=None, free={"what": ["ever"]}), widget(port=80)],
)
def test_what_is_right_has_no_finding(manifest: dict[str, Any]) -> None:
    assert findings(manifest) == []


@pytest.mark.parametrize(
    ("manifest", "part"),
    [
        ({**MAP, "dat": {}}, "'dat' was unexpected"),
        ({**MAP, "data": {"key": 1}}, "data.key: 1 is not of type"),
        (widget(sise=1), "spec: Additional properties are not allowed ('sise' was unexpected)"),
        (widget(size="3"), "spec.size: '3' is not of type 'integer'"),
        (widget(size=4), "spec.size: 4 is greater than the maximum of 3"),
        (widget(port=None), "spec.port: None is not of type"),
        ({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {}}, "'spec' is a required property"),
        (
            {"apiVersion": "example.com/v2", "kind": "Widget", "metadata": {"name": "any"}},
            "example.com/v2 Widget is neither of Kubernetes 1.35 nor of a CRD",
        ),
    ],
)
def test_what_is_wrong_is_named(manifest: dict[str, Any], part: str) -> None:
    (finding,) = findings(manifest)
    assert part in finding
