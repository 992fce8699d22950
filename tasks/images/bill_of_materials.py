"""What an image holds, as a CycloneDX document: run inside of it, by its own Python, with the standard library alone.

`python bill_of_materials.py <image> <commit>` prints it. The format: https://cyclonedx.org/docs/1.6/json/
"""

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, distributions
from typing import Any
from urllib.parse import quote

SPECIFICATION = "1.6"
# What a license file's whole text begins with is no name; names of licenses are shorter than this.
LONGEST_LICENSE_NAME = 80


def bill_of_materials(image: str, commit: str, components: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The document of an image: without a time, so that the same content is the same document."""
    sorted_components = sorted(components, key=lambda component: str(component["purl"]))
    content = json.dumps([image, commit, sorted_components], sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_OID, content).urn,
        "version": 1,
        "metadata": {"component": {"type": "container", "name": f"agentic-eks-{image}", "version": commit}},
        "components": sorted_components,
    }


def python_components() -> Iterator[dict[str, Any]]:
    """Every distribution that this Python can import."""
    for distribution in distributions():
        name = str(distribution.metadata["Name"]).lower().replace("_", "-").replace(".", "-")
        # https://github.com/package-url/purl-spec/blob/main/types-doc/pypi-definition.md
        yield _component(name, distribution.version, f"pkg:pypi/{name}@{quote(distribution.version)}", distribution)


def debian_components() -> Iterator[dict[str, Any]]:
    """Every package of the system."""
    listing = subprocess.run(
        ["dpkg-query", "--show", "--showformat", "${Package}\t${Version}\t${Architecture}\n"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for line in listing.splitlines():
        name, version, architecture = line.split("\t")
        yield _component(name, version, f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={architecture}")


def _component(name: str, version: str, purl: str, distribution: Distribution | None = None) -> dict[str, Any]:
    component: dict[str, Any] = {"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl}
    licenses = _licenses(distribution) if distribution else []
    return {**component, "licenses": licenses} if licenses else component


def _licenses(distribution: Distribution) -> list[dict[str, Any]]:
    metadata = distribution.metadata
    # https://packaging.python.org/en/latest/specifications/core-metadata/#license-expression
    if "License-Expression" in metadata:
        return [{"expression": metadata["License-Expression"]}]
    name = metadata["License"].strip() if "License" in metadata else ""
    return [{"license": {"name": name}}] if name and len(name) <= LONGEST_LICENSE_NAME and "\n" not in name else []


def main(image: str, commit: str) -> None:
    """Print the document of the image that this runs in."""
    document = bill_of_materials(image, commit, [*python_components(), *debian_components()])
    sys.stdout.write(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
