"""Makes the images of one commit those of an environment, once both architectures of each were pushed."""

from dataclasses import dataclass

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.environment import Environment
from tasks.environment.data import IMAGES, ImageName
from tasks.images.architectures import ARCHITECTURES, Architecture, platform_tag
from tasks.images.registry import Registry, StoredImage
from tasks.released_images import publish_images


class NotBuilt(Exception):
    """The registry lacks images of the commit; says which, and how they are built."""


@dataclass(frozen=True)
class ReleasedImage:
    """An image by digest, and what it has for each architecture."""

    name: ImageName
    commit: str
    reference: str
    members: dict[Architecture, StoredImage]


@task(task_run_name="release-images-of-{commit}", cache_policy=NO_CACHE)
def release_images(settings: Environment, commit: str) -> tuple[ReleasedImage, ...]:
    """Record the images of `commit` (a full hash) as those of the environment; all of them, or none.

    Raises:
        NotBuilt: one was not pushed for every architecture.
        RepositoryMissing: the environment was not provisioned.
        TagTaken: the commit's tag is something else's.
    """
    registry = Registry.of(settings)
    members: dict[ImageName, dict[Architecture, StoredImage]] = {
        name: _members(registry, name, commit) for name in IMAGES
    }
    missing = sorted(
        f"{name} for {architecture}"
        for name, found in members.items()
        for architecture in ARCHITECTURES
        if architecture not in found
    )
    if missing:
        raise NotBuilt(
            f"the registry has no image of commit {commit!r} of {', '.join(missing)}: run the workflow `images` for it "
            f"(gh workflow run images.yml --ref <branch> -f environment={settings.name.value}), or on a machine of "
            f"that architecture `python -m console images --environment {settings.name.value} --commit {commit}`"
        )
    released = tuple(
        ReleasedImage(name, commit, f"{registry.address(name)}@{registry.put_list(name, commit, found)}", found)
        for name, found in members.items()
    )
    publish_images(settings.name, {image.name: image.reference for image in released})
    return released


def _members(registry: Registry, name: ImageName, commit: str) -> dict[Architecture, StoredImage]:
    found: dict[Architecture, StoredImage] = {}
    for architecture in ARCHITECTURES:
        stored = registry.find(name, platform_tag(commit, architecture))
        if stored is not None:
            found[architecture] = stored
    return found
