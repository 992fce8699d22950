"""What a chart becomes with its values: Kubernetes objects, read from `helm template`."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tasks.helm.command import Helm, HelmFailed
from tasks.helm.releases_file import InvalidReleases
from tasks.helm.values import LayeredValues

RENDER_SECONDS = 60
CRD_KIND = "CustomResourceDefinition"
Manifest = Mapping[str, Any]
_SCHEMA = re.compile(r"values don't meet the specifications of the schema")
_SCHEMA_LINE = re.compile(r"^- at '(?P<path>[^']*)': (?P<reason>.*)$", re.MULTILINE)


@dataclass(frozen=True)
class ChartInstance:
    """A chart to be rendered or installed as the release `name`."""

    name: str
    namespace: str
    chart: Path
    values: LayeredValues


def render(instance: ChartInstance, helm: Helm, kubernetes_version: str) -> list[Manifest]:
    """The objects of the release without its hooks' order and without its CRD files, as Helm would send them.

    Raises:
        InvalidReleases: the chart's schema refuses the values: names file, key and what is allowed.
        HelmFailed: the chart cannot be rendered.
    """
    arguments = ["template", instance.name, str(instance.chart), "--namespace", instance.namespace, "--values", "-"]
    arguments += ["--kube-version", kubernetes_version, "--no-hooks"]
    try:
        text = helm.run(
            f"render {instance.name!r}", arguments, RENDER_SECONDS, stdin=json.dumps(instance.values.merged)
        )
    except HelmFailed as error:
        raise values_refusal(instance, error) or error from error
    return read_manifests(text)


def read_manifests(text: str) -> list[Manifest]:
    """The objects of a text of YAML documents; lists are taken apart."""
    return list(_objects(text))


def crd_files(instance: ChartInstance, helm: Helm) -> list[Manifest]:
    """The CRDs of the chart's `crds/` directories."""
    return read_manifests(helm.run(f"read the CRDs of {instance.name!r}", ["show", "crds", str(instance.chart)], 60))


def refuse_templated_crds(name: str, manifests: list[Manifest]) -> None:
    """Refuse CRDs among a release's templates: an upgrade that leaves one out would delete it, and all its objects.

    Raises:
        InvalidReleases: names the CRDs.
    """
    found = [manifest["metadata"]["name"] for manifest in manifests if manifest["kind"] == CRD_KIND]
    if found:
        raise InvalidReleases(
            f"releases.{name}: the chart's templates hold the CRDs {', '.join(found)}, which Helm would delete with "
            f"the release; switch them off in the values of {name!r}, and give what switches them on as "
            f"releases.{name}.crds.values"
        )


def values_refusal(instance: ChartInstance, error: HelmFailed) -> InvalidReleases | None:
    """The error of a chart's schema with the file that each refused value comes from, or None for another error."""
    if not _SCHEMA.search(str(error)):
        return None
    problems = [_placed(instance.values, line["path"], line["reason"]) for line in _SCHEMA_LINE.finditer(str(error))]
    return InvalidReleases(f"the schema of the chart of {instance.name!r} refuses its values:\n" + "\n".join(problems))


def _placed(values: LayeredValues, pointer: str, reason: str) -> str:
    path = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    # The name of a key that is too much stands in the reason, below the object that the path leads to.
    extra = re.findall(r"'([^']+)'", reason) if "additional propert" in reason else []
    origin = values.origin_of([*path, *extra[:1]]) or "the chart's own defaults"
    return f"{origin}: {'.'.join(path) or 'the values'}: {reason}"


def _objects(text: str) -> Iterator[Manifest]:
    for document in yaml.safe_load_all(text):
        if not document:
            continue
        if document.get("kind", "").endswith("List") and "items" in document:
            yield from document["items"]
        else:
            yield document
