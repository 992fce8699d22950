import pytest
from pydantic import ValidationError

from tasks.environment import EnvironmentName
from tasks.released_images import ImagesMissing, load_images, publish_images, require_image

pytestmark = [pytest.mark.prefect_server, pytest.mark.usefixtures("prefect_server")]

DEV, PROD = EnvironmentName.DEV, EnvironmentName.PROD
REGISTRY = "111122223333.dkr.ecr.us-east-1.amazonaws.com/agentic-eks-dev"


def image(name: str, digit: str) -> str:
    return f"{REGISTRY}/{name}@sha256:{digit * 64}"


def test_what_is_published_replaces_the_images_that_it_names() -> None:
    publish_images(DEV, {"ray": image("ray", "a"), "flows": image("flows", "b")})
    publish_images(DEV, {"ray": image("ray", "c")})

    assert load_images(DEV) == {"ray": image("ray", "c"), "flows": image("flows", "b")}


def test_without_images_the_error_says_what_to_do() -> None:
    with pytest.raises(ImagesMissing, match=r"no block 'agentic-eks-prod-images'.*build them and publish"):
        load_images(PROD)
    with pytest.raises(ImagesMissing, match="no image 'ray', only agents: build it"):
        require_image(PROD, {"agents": image("agents", "a")}, "ray")


@pytest.mark.parametrize(
    "wrong",
    [f"{REGISTRY}/ray:latest", f"{REGISTRY}/ray@sha256:abc", f"{REGISTRY}/ray:1@sha256:{'a' * 64}", "ray"],
    ids=["tag", "short digest", "tag and digest", "name"],
)
def test_an_image_that_is_not_named_by_its_digest_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError, match=r"images\.ray"):
        publish_images(DEV, {"ray": wrong})
