"""Builds the images of one commit for the architecture of this machine and pushes them to an environment's registry."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tasks.environment.data import IMAGES, ImageName
from tasks.git import export_commit
from tasks.images.architectures import machine_architecture, platform_tag
from tasks.images.buildah import Buildah, BuildRequest
from tasks.images.registry import Registry


@dataclass(frozen=True)
class Origin:
    """What images are made of: a commit of `checkout`; `source` is the address of its repository, for their labels."""

    checkout: Path
    commit: str
    source: str


def push_images(origin: Origin, builder: Buildah, registry: Registry, say: Callable[[str], None]) -> None:
    """Build and push what the registry does not have yet for this machine's architecture: its tags never change.

    Raises:
        UnknownMachine: images are built for other architectures.
        RepositoryMissing: the environment was not provisioned.
        UnknownCommit: the checkout does not have the commit.
        BuilderFailed: buildah is not there, or a build or a push failed.
    """
    tag = platform_tag(origin.commit, machine_architecture())
    places: dict[ImageName, str] = {image: f"{registry.address(image)}:{tag}" for image in IMAGES}
    missing: dict[ImageName, str] = {
        image: place for image, place in places.items() if registry.find(image, tag) is None
    }
    for place in places.values():
        if place not in missing.values():
            say(f"{place} is there already")
    if missing:
        _build_and_push(origin, builder, registry, missing, say)


def _build_and_push(
    origin: Origin, builder: Buildah, registry: Registry, places: Mapping[ImageName, str], say: Callable[[str], None]
) -> None:
    with tempfile.TemporaryDirectory(prefix="images-") as context:
        export_commit(origin.commit, Path(context), origin.checkout)
        for image, place in places.items():
            identifier = builder.build(BuildRequest(image, Path(context), origin.commit, origin.source))
            say(f"{place} is {builder.push(identifier, place, registry.credentials())}")
