"""The release of the agent service in an environment's cluster: which version serves, which one is asked for."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from botocore.exceptions import ClientError
from prefect import task
from prefect.blocks.core import Block
from prefect.cache_policies import NO_CACHE
from pydantic import Field

from tasks.aws_session import caller_identity, client, explained_credentials
from tasks.environment import Environment
from tasks.environment_outputs import load_outputs
from tasks.helm.derivations.agents import Version, present_version, released_version
from tasks.helm.records import read_records
from tasks.helm.target import open_target
from tasks.kubernetes.environment_cluster import open_environment_cluster
from tasks.release_facts import release_facts
from tasks.released_images import publish_images
from tasks.resource_names import name_prefix
from tasks.saved_block import find_block

RELEASE = ("agents", "agents")
IMAGE = "agents"
DIGITS = 12
READ_SECONDS = 60

Digest = Annotated[
    str, Field(pattern=r"^sha256:[0-9a-f]{64}$", description='an image by its digest, "sha256:" and 64 hex digits')
]


class UnknownVersion(Exception):
    """The registry has no such image; says which it has."""


class AgentsRelease(Block):
    """What serves in one environment, since when, made from which commit, and who released it; holds no secrets."""

    _block_type_name = "Agents Release"
    _block_type_slug = "agents-release"

    image: str = Field(description="As <repository>@sha256:<digest>.")
    settings: str = Field(description="The text of the service's settings file.")
    web_search: str | None = Field(default=None, description="The text of the web search server's settings file.")
    since: datetime
    commit: str = Field(description="What the image is tagged with.")
    released_by: str

    @property
    def version(self) -> Version:
        """What was released."""
        return Version(self.image, self.settings, self.web_search)


@task(task_run_name="read-serving-version", cache_policy=NO_CACHE, persist_result=False)
def serving_version(settings: Environment) -> Version | None:
    """The version that people talk to, as Helm recorded it when it last worked; None before the first release.

    Raises:
        OutputsMissing: the environment was not provisioned.
        NoCluster, WrongCluster, ClusterFault: the cluster cannot be used.
    """
    namespace, name = RELEASE
    outputs = load_outputs(settings.name)
    with open_environment_cluster(settings, outputs) as destination, open_target(settings, destination) as target:
        record = read_records(target.connection, name).get(RELEASE)
        if record is None or record.deployed_revision is None:
            return None
        arguments = ["get", "values", name, "--namespace", namespace, "--output", "json"]
        arguments += ["--revision", str(record.deployed_revision)]
        values = json.loads(target.helm.run(f"read the values of {name!r}", arguments, READ_SECONDS))
    stable: Mapping[str, str] | None = values.get("versions", {}).get("stable")
    return None if stable is None else Version(stable["image"], stable["settings"], stable.get("webSearch"))


@task(task_run_name="find-wanted-version", cache_policy=NO_CACHE, persist_result=False)
def wanted_version(settings: Environment, digest: str | None) -> Version:
    """The image of `digest`, or the one that was published last, with the settings that the environment file gives.

    One that was released before comes with the settings that it had then: it may not understand those of today.

    Raises:
        UnknownVersion: the registry has no such image.
        ImagesMissing: none was ever published.
        EmbeddingNotMirrored: the stage models did not run yet.
        MissingCredentials: there are none for AWS.
    """
    outputs = load_outputs(settings.name)
    facts = release_facts(settings, outputs)
    if digest is None:
        return released_version(settings, facts)
    repository = str(outputs["data"]["repositories"][IMAGE])
    _tags(settings, repository, digest)
    known = find_block(AgentsRelease, _record_name(settings, digest))
    return present_version(settings, facts, f"{repository}@{digest}") if known is None else known.version


@task(task_run_name="record-release", cache_policy=NO_CACHE, persist_result=False)
def record_release(settings: Environment, version: Version, requested_by: str, *, asked_for: bool) -> AgentsRelease:
    """Keep what serves now, also under its digest; what served already keeps its date and its person.

    The image of a version that was `asked_for` by its digest is the environment's from here on, so that a later run
    without a version stays with it. Another one may have been built while the one that was built last was released.
    """
    name = _record_name(settings)
    known = find_block(AgentsRelease, name)
    if known is None or known.version != version:
        known = AgentsRelease(
            image=version.image,
            settings=version.settings,
            web_search=version.web_search,
            since=datetime.now(UTC),
            commit=_commit(settings, version),
            released_by=requested_by or caller_identity(settings).arn,
        )
        known.save(name, overwrite=True)
    known.save(_record_name(settings, version.digest), overwrite=True)
    if asked_for:
        publish_images(settings.name, {IMAGE: version.image})
    return known


def was_released(settings: Environment) -> bool:
    """Whether a version that people talk to was ever recorded for the environment."""
    return find_block(AgentsRelease, _record_name(settings)) is not None


def _record_name(settings: Environment, digest: str | None = None) -> str:
    """Of what serves, or of what the image of `digest` was last released as."""
    name = f"{name_prefix(settings.name)}-agents-release"
    return name if digest is None else f"{name}-{digest.removeprefix('sha256:')[:DIGITS]}"


def _commit(settings: Environment, version: Version) -> str:
    """The tags of the image; the build gives it its commit."""
    try:
        return ", ".join(_tags(settings, version.image.partition("@")[0], version.digest)) or "unknown"
    except UnknownVersion:
        # It runs: its node has it, although the registry's rules removed it since.
        return "unknown"


def _tags(settings: Environment, repository: str, digest: str) -> list[str]:
    registry = client("ecr", settings)
    name = repository.partition("/")[2]
    try:
        with explained_credentials():
            answer: Any = registry.describe_images(repositoryName=name, imageIds=[{"imageDigest": digest}])
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in ("ImageNotFoundException", "RepositoryNotFoundException"):
            raise
        raise UnknownVersion(
            f"version = {digest!r}: the repository {name!r} has no such image, or removed it as one of the oldest; "
            f"`aws ecr describe-images --repository-name {name}` lists what it has"
        ) from error
    return sorted(answer["imageDetails"][0].get("imageTags", ()))
