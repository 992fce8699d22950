"""The project's images in a rehearsal: names of the right form, behind which nothing was built."""

from tasks.environment import Environment
from tasks.environment.data import IMAGES
from tasks.released_images import publish_images
from tasks.resource_names import name_prefix

NO_DIGEST = f"sha256:{'0' * 64}"


def publish_stand_ins(settings: Environment) -> None:
    """Publish what a build would: every image of the environment by digest. No pod of a rehearsal pulls one."""
    registry = f"{settings.environment.account_id}.dkr.ecr.{settings.environment.region}.amazonaws.com"
    prefix = f"{registry}/{name_prefix(settings.name)}"
    publish_images(settings.name, {name: f"{prefix}/{name}@{NO_DIGEST}" for name in IMAGES})
