"""What strict schemas refuse: Kubernetes' own for its objects, by minor version, and CRDs for custom resources."""

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, cast

import jsonschema
from jsonschema.protocols import Validator
from kubernetes_validate.utils import schema_contents
from referencing import Registry, Resource

from tasks.helm.rendering import CRD_KIND, Manifest

# Inside the package kubernetes-validate.
SCHEMAS = "kubernetes-json-schema"
Schema = dict[str, Any]
Definitions = Mapping[tuple[str, str], Schema]


def resource_definitions(manifests: Iterable[Manifest]) -> dict[tuple[str, str], Schema]:
    """The strict schemas of custom resources by API version and kind, from CRDs."""
    return {
        (f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"]): _strict(
            version["schema"]["openAPIV3Schema"]
        )
        for crd in manifests
        if crd["kind"] == CRD_KIND
        for version in crd["spec"]["versions"]
    }


def schema_findings(manifest: Manifest, definitions: Definitions, kubernetes_version: str) -> Iterator[str]:
    """What is wrong with one object: an unknown field, a wrong type, a missing field, an unknown kind."""
    schema = definitions.get((manifest["apiVersion"], manifest["kind"]))
    if schema is not None:
        yield from _refused(manifest, jsonschema.Draft7Validator(schema))
        return
    try:
        validator = _validator(manifest["apiVersion"], manifest["kind"], kubernetes_version)
    except FileNotFoundError:
        yield (
            f"{manifest['apiVersion']} {manifest['kind']} is neither of Kubernetes {kubernetes_version} nor of "
            "a CRD of any release that is rendered"
        )
        return
    yield from _refused(manifest, validator)


def _refused(manifest: Manifest, validator: Validator) -> Iterator[str]:
    for error in validator.iter_errors(dict(manifest)):
        yield f"{'.'.join(str(part) for part in error.absolute_path) or 'the object'}: {error.message}"


@cache
def _validator(api_version: str, kind: str, kubernetes_version: str) -> Validator:
    """Kept: the validation of the package reads all definitions anew for each object, which takes 30 ms."""
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    name = f"{SCHEMAS}/v{kubernetes_version}.0-local-strict/{kind.lower()}-{group}.json"
    schema = Resource[Any].from_contents(schema_contents(name, kubernetes_version))
    return jsonschema.Draft202012Validator(schema.contents, registry=schema @ _definitions(kubernetes_version))


@cache
def _definitions(kubernetes_version: str) -> "Registry[Any]":
    name = f"{SCHEMAS}/v{kubernetes_version}.0-local-strict/_definitions.json"
    return Resource[Any].from_contents(schema_contents(name, kubernetes_version)) @ Registry[Any]()


def _strict(schema: Schema) -> Schema:
    """A CRD's schema as JSON Schema that refuses unknown fields, as the API server does when it is asked strictly."""
    strict = cast(Schema, _rewritten(copy.deepcopy(schema)))
    # The API server fills these in, and says what they are, itself.
    strict["properties"] = {**strict.get("properties", {}), "metadata": {}, "apiVersion": {}, "kind": {}}
    return strict


def _rewritten(schema: object) -> object:
    if isinstance(schema, list):
        return [_rewritten(item) for item in cast(list[object], schema)]
    if not isinstance(schema, dict):
        return schema
    node = {key: _rewritten(value) for key, value in cast(Schema, schema).items() if key not in ("default", "format")}
    if node.get("x-kubernetes-int-or-string") is True:
        node.pop("anyOf", None)
        node["type"] = ["integer", "string"]
    if isinstance(node.get("properties"), dict) and node.get("type") == "object":
        keeps = node.get("x-kubernetes-preserve-unknown-fields") is True
        node.setdefault("additionalProperties", keeps)
    if node.get("nullable") is True and isinstance(node.get("type"), str):
        node["type"] = [node["type"], "null"]
    return node
