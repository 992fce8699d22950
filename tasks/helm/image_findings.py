"""Whether images stay what they are, and are pulled from the environment's own registry where it caches theirs."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from tasks.helm.derivations.image_cache import upstream_of
from tasks.helm.rendering import Manifest

DOCKER_HUB = "docker.io"
# Three numbers: a tag with fewer is moved to each patch as it comes out.
_EXACT = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
# What has no exact tag, by the end of repository and tag, and why that is accepted.
ACCEPTED = {
    # AWS documents this one; it names none with the patch and a build number.
    "deep-learning-containers/vllm:0.15-gpu-py312-ec2",
}


def images_of(manifest: Manifest) -> set[str]:
    """The images of all containers in an object, however deep its pod templates lie."""
    return set(_images(manifest))


def image_findings(images: Iterable[str], caches: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with images; `caches` has what cached ones start with, by registry, as Terraform's output says."""
    for image in sorted(images):
        name, _, digest = image.partition("@")
        registry, tag = _registry(name), name.rpartition("/")[2].partition(":")[2]
        if (cache := caches.get(upstream_of(registry))) is not None:
            yield f"image {image}: it is pulled from {registry}, which the environment caches as {cache}"
        if not digest and not _EXACT.search(tag) and not name.endswith(tuple(ACCEPTED)):
            yield f"image {image}: its tag does not name one version: give all three numbers, or a digest"


def _registry(name: str) -> str:
    first, slash, _ = name.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else DOCKER_HUB


def _images(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for each in cast(list[object], node):
            yield from _images(each)
    elif isinstance(node, dict):
        for key, value in cast(dict[str, Any], node).items():
            if key in ("containers", "initContainers") and isinstance(value, list):
                yield from (str(each["image"]) for each in cast(list[dict[str, Any]], value) if "image" in each)
            else:
                yield from _images(value)
