"""The project's own images of an environment, each by digest: a Prefect block for each environment."""

from collections.abc import Mapping
from typing import Annotated

from prefect.blocks.core import Block
from pydantic import Field, StringConstraints

from tasks.environment import EnvironmentName
from tasks.environment.data import ImageName
from tasks.resource_names import name_prefix
from tasks.saved_block import find_block

# A repository without a tag: what a tag names can change. https://github.com/opencontainers/distribution-spec
Image = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+@sha256:[0-9a-f]{64}$"),
]


class ImagesMissing(Exception):
    """Images of the environment were never built and published; says which, and what to do."""


class ReleasedImages(Block):
    """The images of one environment; holds no secrets."""

    _block_type_name = "Released Images"
    _block_type_slug = "released-images"

    images: dict[ImageName, Image] = Field(description="Each image as <repository>@sha256:<digest>, by its name.")


def images_block_name(environment: EnvironmentName) -> str:
    """The name of an environment's block, such as `agentic-eks-dev-images`."""
    return f"{name_prefix(environment)}-images"


def publish_images(environment: EnvironmentName, images: Mapping[ImageName, str]) -> None:
    """Make these `images` those of the environment; ones that are not named stay what they were.

    Raises:
        ValidationError: one is not `<repository>@sha256:<digest>`, or there is no image of that name.
    """
    known = find_block(ReleasedImages, images_block_name(environment))
    block = ReleasedImages(images={**(known.images if known else {}), **images})
    block.save(images_block_name(environment), overwrite=True)


def load_images(environment: EnvironmentName) -> dict[ImageName, Image]:
    """The environment's images by name, as many as were published.

    Raises:
        ImagesMissing: none ever was.
    """
    block = find_block(ReleasedImages, images_block_name(environment))
    if block is None:
        raise ImagesMissing(
            f"there is no block {images_block_name(environment)!r}: no image of {environment.value} was published; "
            "build them and publish their digests"
        )
    return block.images


def require_image(environment: EnvironmentName, images: Mapping[ImageName, Image], name: ImageName) -> Image:
    """One of the environment's `images`.

    Raises:
        ImagesMissing: it is not among them.
    """
    if name not in images:
        known = ", ".join(sorted(images)) or "none"
        raise ImagesMissing(
            f"the block {images_block_name(environment)!r} has no image {name!r}, only {known}: build it and publish "
            "its digest"
        )
    return images[name]
