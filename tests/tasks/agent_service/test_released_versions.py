"""What Prefect keeps of the releases of `dev`, in a real Prefect server and an emulated AWS account."""

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import ObjectNotFound

from rehearsal.aws import EmulatedAws
from tasks.agent_service.cluster_release import AgentsRelease, record_release, was_released
from tasks.aws_teardown.forgotten_releases import forget_releases
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.helm.derivations.agents import Version
from tasks.released_images import ImagesMissing, ReleasedImages, load_images, publish_images

pytestmark = pytest.mark.prefect_server

DEV = load_environment(EnvironmentName.DEV)


def image(digit: str, name: str = "agents") -> str:
    return f"111122223333.dkr.ecr.us-east-1.amazonaws.com/agentic-eks-dev/{name}@sha256:{digit * 64}"


@pytest.fixture(autouse=True)
def account(emulated_aws: EmulatedAws, prefect_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS and Prefect are reached by this process."""
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)


def test_an_image_that_was_built_during_a_release_is_the_next_to_be_released() -> None:
    first, second = Version(image("1"), "{}", None), image("2")
    publish_images(DEV.name, {"agents": first.image})
    publish_images(DEV.name, {"agents": second})

    record_release.fn(DEV, first, "ann", asked_for=False)
    assert load_images(DEV.name)["agents"] == second

    record_release.fn(DEV, first, "ann", asked_for=True)
    assert load_images(DEV.name)["agents"] == first.image, "a version that a person asked for stays"


def test_releases_end_with_their_environment() -> None:
    publish_images(DEV.name, {"agents": image("1"), "flows": image("2", "flows")})
    publish_images(EnvironmentName.PROD, {"agents": image("3")})
    record_release.fn(DEV, Version(image("1"), "{}", None), "ann", asked_for=False)

    forget_releases.fn(DEV.name)

    assert not was_released(DEV)
    with pytest.raises(ImagesMissing):
        load_images(DEV.name)
    assert load_images(EnvironmentName.PROD) == {"agents": image("3")}
    forget_releases.fn(DEV.name)


def test_there_is_nothing_to_forget_on_a_server_that_never_kept_a_release(prefect_client: SyncPrefectClient) -> None:
    for kind in (ReleasedImages, AgentsRelease):
        kind.register_type_and_schema()
        prefect_client.delete_block_type(prefect_client.read_block_type_by_slug(kind.get_block_type_slug()).id)

    forget_releases.fn(DEV.name)

    with pytest.raises(ObjectNotFound):
        prefect_client.read_block_type_by_slug(AgentsRelease.get_block_type_slug())
